import MessagePassing

let reduceChecks: [String: Check] = [
    "all-reduce": { world, _ in
        try reducesLikeALoop(world, Float.self)
        try reducesLikeALoop(world, Double.self)
        try reducesLikeALoop(world, Int32.self)
        try reducesLikeALoop(world, Int64.self)
        try reducesLikeALoop(world, UInt8.self)
        try reducesLikeALoop(world, UInt32.self)
        try reducesLikeALoop(world, UInt64.self)
        return 0
    },
    "all-reduce-bits": { world, _ in
        let all = UInt32(1 << world.processCount) - 1
        let own = UInt32(1) << UInt32(world.processIndex)
        try expect(try world.allReduced(own, .bitwiseOr), equals: all, "the bits of all processes")
        try expect(try world.allReduced(all ^ own, .bitwiseAnd), equals: 0, "the bits that no process lacks")
        let wide = UInt64(own) << 40 | 1
        try expect(try world.allReduced(wide, .bitwiseOr), equals: UInt64(all) << 40 | 1, "bits past 32")
        return 0
    },
    "all-reduce-unequal": { world, _ in
        guard world.processCount > 1 else { return 0 }
        try expect(.unequalCounts, "a sum of arrays of different counts") { () throws(MessagePassingError) in
            var values = [Float](repeating: 1, count: world.processIndex + 1)
            try world.allReduce(&values, .sum)
        }
        // All processes refused, so the communicator is still in step.
        try expect(try world.allReduced(Int32(1), .sum), equals: Int32(world.processCount), "the sum after it")
        return 0
    },
]

private func reducesLikeALoop<Element: MessageElement & Numeric & Comparable>(
    _ world: borrowing Communicator, _ type: Element.Type
) throws {
    // Small whole numbers, which every type holds exactly: the order of the additions does not show.
    func value(_ process: Int, _ index: Int) -> Element {
        Element(exactly: (process * 7 + index * 3) % 11) ?? .zero
    }
    let processes = 0..<world.processCount
    let index = world.processIndex
    for limit in [3, Int.max] {
        let limited = world.limitingCounts(to: limit)
        for count in [0, 1, 3, 7, 1000] {
            let own = (0..<count).map { value(index, $0) }
            var sum = own
            try limited.allReduce(&sum, .sum)
            try expect(
                sum, equals: (0..<count).map { i in processes.reduce(.zero) { $0 + value($1, i) } },
                "the sum of \(count) \(type), limit \(limit)")
            var minimum = own
            try limited.allReduce(&minimum, .minimum)
            try expect(
                minimum, equals: (0..<count).map { i in processes.map { value($0, i) }.min() ?? .zero },
                "the minimum of \(count) \(type), limit \(limit)")
            var maximum = own
            try limited.allReduce(&maximum, .maximum)
            try expect(
                maximum, equals: (0..<count).map { i in processes.map { value($0, i) }.max() ?? .zero },
                "the maximum of \(count) \(type), limit \(limit)")
        }
    }
}
