import MessagePassing

/// What process `sender` sends to `receiver`: (sender + 2 · receiver) mod 4 elements, so some pairs exchange none.
private func message(from sender: Int, to receiver: Int) -> [Float] {
    (0..<(sender + 2 * receiver) % 4).map { Float(sender * 100 + receiver * 10 + $0) }
}

let exchangeChecks: [String: Check] = [
    "all-to-all": { world, _ in
        let processes = 0..<world.processCount
        for count in [0, 1, 3] {
            let source = processes.flatMap { to in (0..<count).map { Int32(world.processIndex * 100 + to * 10 + $0) } }
            let expected = processes.flatMap { from in
                (0..<count).map { Int32(from * 100 + world.processIndex * 10 + $0) }
            }
            try expect(try exchanged(world, source), equals: expected, "\(count) elements for each")
        }
        return 0
    },
    "all-to-all-varying": { world, _ in
        let (processes, own) = (0..<world.processCount, world.processIndex)
        let outgoing = processes.map { message(from: own, to: $0) }
        let incoming = processes.map { message(from: $0, to: own) }
        let receiveCounts = try world.exchangedCounts(outgoing.map(\.count))
        try expect(receiveCounts, equals: incoming.map(\.count), "the counts that come")

        let sendLayout = try BufferLayout(counts: outgoing.map(\.count))
        // Received in reverse order with gaps of two.
        let displacements = processes.map { p in receiveCounts[(p + 1)...].reduce(0) { $0 + $1 + 2 } }
        let receiveLayout = try BufferLayout(counts: receiveCounts, displacements: displacements)
        let source = outgoing.flatMap { $0 }
        var target = [Float](repeating: -1, count: receiveLayout.extent)
        var expected = target
        for process in processes {
            for (place, value) in zip(receiveLayout.range(of: process), incoming[process]) { expected[place] = value }
        }
        try exchange(world, source, sendLayout, &target, receiveLayout)
        try expect(target, equals: expected, "the parts that come")

        let nothing = try BufferLayout(counts: [Int](repeating: 0, count: world.processCount))
        var empty: [Float] = []
        try exchange(world, [], nothing, &empty, nothing)
        return 0
    },
    "all-to-all-past-the-limit": { world, _ in
        let limited = world.limitingCounts(to: 4)
        let layout = try BufferLayout(counts: [Int](repeating: 5, count: world.processCount))
        let source = [Float](repeating: 1, count: layout.extent)
        var target = source
        try expect(.countTooLarge, "an exchange past the limit") { () throws(MessagePassingError) in
            try exchange(limited, source, layout, &target, layout)
        }
        try expect(.countTooLarge, "an even exchange past the limit") { () throws(MessagePassingError) in
            _ = try exchanged(limited, source)
        }
        // Few elements, but far into the buffer.
        let far = try BufferLayout(
            counts: [Int](repeating: 0, count: world.processCount),
            displacements: [Int](repeating: Int(Int32.max) + 1, count: world.processCount))
        try expect(.invalidArgument, "displacements past the buffer") { () throws(MessagePassingError) in
            try exchange(world, source, far, &target, far)
        }
        return 0
    },
    "all-to-all-bad-arguments": { world, _ in
        try expect(.invalidArgument, "a layout of too few parts") { () throws(MessagePassingError) in
            let layout = try BufferLayout(counts: [])
            var target: [Float] = []
            try exchange(world, [], layout, &target, layout)
        }
        try expect(.unequalCounts, "a process that expects more of itself than it sends") {
            () throws(MessagePassingError) in
            var target = [Float](repeating: 0, count: world.processCount)
            try exchange(
                world, [], try BufferLayout(counts: [Int](repeating: 0, count: world.processCount)),
                &target, try BufferLayout(counts: [Int](repeating: 1, count: world.processCount)))
        }
        if world.processCount > 1 {
            try expect(.invalidArgument, "elements that cannot be divided") { () throws(MessagePassingError) in
                _ = try exchanged(world, [Int32](repeating: 0, count: world.processCount + 1))
            }
        }
        return 0
    },
    // An error that only MPI finds: a message longer than what the receiver expects.
    "truncated": { world, _ in
        guard world.processCount > 1 else { return 0 }
        let other = 1 - world.processIndex
        guard (0...1).contains(other) else { return 0 }
        var counts = [Int](repeating: 0, count: world.processCount)
        counts[other] = world.processIndex == 0 ? 8 : 0
        let sendLayout = try BufferLayout(counts: counts)
        counts[other] = world.processIndex == 0 ? 0 : 4
        let receiveLayout = try BufferLayout(counts: counts)
        var target = [Float](repeating: 0, count: receiveLayout.extent)
        try exchange(
            world, [Float](repeating: 1, count: sendLayout.extent), sendLayout, &target, receiveLayout)
        return 0
    },
]

private func exchange<Element: MessageElement>(
    _ world: borrowing Communicator, _ source: [Element], _ sendLayout: BufferLayout,
    _ target: inout [Element], _ receiveLayout: BufferLayout
) throws(MessagePassingError) {
    try source.withUnsafeBufferPointer { (source) throws(MessagePassingError) in
        try target.withUnsafeMutableBufferPointer { (target) throws(MessagePassingError) in
            try world.allToAll(
                sending: source, sendLayout: sendLayout, receiving: target, receiveLayout: receiveLayout)
        }
    }
}

private func exchanged<Element: MessageElement>(
    _ world: borrowing Communicator, _ source: [Element]
) throws(MessagePassingError) -> [Element] {
    var target = [Element](repeating: .zero, count: source.count)
    try source.withUnsafeBufferPointer { (source) throws(MessagePassingError) in
        try target.withUnsafeMutableBufferPointer { (target) throws(MessagePassingError) in
            try world.allToAll(sending: source, receiving: target)
        }
    }
    return target
}
