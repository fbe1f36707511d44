import MessagePassing

let counterChecks: [String: Check] = [
    // Every number is given once, whoever asks, and no other.
    "counters": { world, _ in
        let counters = try world.sharedCounters(count: 2)
        let total = 200 * Int64(world.processCount)
        var taken: [Int64] = []
        while true {
            let number = try counters.add(1, to: 0)
            guard number < total else { break }
            taken.append(number)
            _ = try counters.add(number, to: 1)
        }
        try world.barrier()
        let all = try world.allGathered(varying: taken).elements
        try expect(all.sorted(), equals: (0..<total).map { $0 }, "the numbers that were given")
        try expect(try counters.add(0, to: 1), equals: total * (total - 1) / 2, "their sum")
        try expect(.invalidArgument, "a counter that is not there") { () throws(MessagePassingError) in
            _ = try counters.add(1, to: 2)
        }
        try counters.release()
        return 0
    }
]
