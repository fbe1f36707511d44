import Glibc
import MessagePassing

private struct Boom: ErrorWithExitCode, CustomStringConvertible {
    let exitCode: Int32
    var description: String { "boom\nin the middle" }
}

private struct Unexpected: Error, CustomStringConvertible {
    let description = "the configuration is wrong"
}

let jobChecks: [String: Check] = [
    // The last process throws while the others wait for it.
    "throw-in-barrier": { world, code in
        if world.processIndex == world.processCount - 1 {
            print("written before the error")
            throw Boom(exitCode: code.flatMap { Int32($0) } ?? 1)
        }
        try world.barrier()
        return 0
    },
    "throw-everywhere": { world, _ in throw Unexpected() },
    "return-code": { world, code in
        print("process \(world.processIndex) of \(world.processCount)")
        return code.flatMap { Int32($0) } ?? 0
    },
    "abort": { world, code in
        if world.processIndex == world.processCount - 1 { world.abort(exitCode: code.flatMap { Int32($0) } ?? 1) }
        try world.barrier()
        return 0
    },
    "barrier": { world, _ in
        // Nobody leaves before the slowest has come.
        for isIdle in [false, true] {
            var before = timespec()
            var after = timespec()
            if world.processIndex == world.processCount - 1 { usleep(300_000) }
            clock_gettime(CLOCK_REALTIME, &before)
            if isIdle { try world.idleBarrier() } else { try world.barrier() }
            clock_gettime(CLOCK_REALTIME, &after)
            let nanoseconds = { (time: timespec) in Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) }
            let lastArrival = try world.allReduced(nanoseconds(before), .maximum)
            let firstDeparture = try world.allReduced(nanoseconds(after), .minimum)
            try expect(
                firstDeparture >= lastArrival, equals: true, "a process left the barrier before the last one came")
        }
        return 0
    },
    "node": { world, _ in
        let host = try world.hostName()
        try expect(host.isEmpty, equals: false, "the machine has no name")
        try expect(try world.broadcasted(host, from: 0), equals: host, "the name of the machine")
        // The tests run on one machine, so its processes are all there are.
        let node = try world.splitByNode()
        try expect(node.processIndex, equals: world.processIndex, "the process's number on the machine")
        try expect(node.processCount, equals: world.processCount, "the number of processes on the machine")
        try expect(
            try node.allReduced(Int64(1), .sum), equals: Int64(world.processCount),
            "the sum over the machine's processes")
        try node.release()
        try expect(
            try world.allReduced(Int64(1), .sum), equals: Int64(world.processCount), "the sum over all processes")
        return 0
    },
    "start-again": { world, _ in
        func code(for error: any Error) -> Int32 { (error as? MessagePassingError)?.kind == .alreadyStarted ? 9 : 1 }
        runJob(exitCode: code(for:)) { _ in 0 }
    },
]
