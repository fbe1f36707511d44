import MessagePassing

/// An uneven division: process p has `(p * 5 + shift) % 4` elements, so some have none.
private func unevenCounts(_ processCount: Int, shift: Int) -> [Int] {
    (0..<processCount).map { ($0 * 5 + shift) % 4 }
}

let gatherChecks: [String: Check] = [
    "all-gather": { world, _ in
        for limit in [2, Int.max] {
            let limited = world.limitingCounts(to: limit)
            for count in [0, 1, 5] {
                let part = (0..<count).map { Int32(world.processIndex * 100 + $0) }
                let expected = (0..<world.processCount).flatMap { p in (0..<count).map { Int32(p * 100 + $0) } }
                try expect(try limited.allGathered(part), equals: expected, "parts of \(count), limit \(limit)")
                var buffer = [Int32](repeating: -1, count: expected.count + 1)
                try part.withUnsafeBufferPointer { part in
                    try buffer.withUnsafeMutableBufferPointer { try limited.allGather(part, into: $0) }
                }
                try expect(buffer, equals: expected + [-1], "parts of \(count) in a longer buffer, limit \(limit)")
            }
        }
        return 0
    },
    "all-gather-varying": { world, _ in
        for limit in [2, Int.max] {
            let limited = world.limitingCounts(to: limit)
            for shift in 0..<4 {
                let counts = unevenCounts(world.processCount, shift: shift)
                let part = (0..<counts[world.processIndex]).map { Double(world.processIndex * 100 + $0) }
                let gathered = try limited.allGathered(varying: part)
                let expected = counts.enumerated().flatMap { p, count in (0..<count).map { Double(p * 100 + $0) } }
                try expect(gathered.elements, equals: expected, "the parts of \(counts), limit \(limit)")
                try expect(gathered.layout.counts, equals: counts, "the counts, limit \(limit)")
            }
            let nothing = try limited.allGathered(varying: [Float]())
            try expect(nothing.elements, equals: [], "nothing from anybody, limit \(limit)")
        }
        return 0
    },
    "all-gather-in-place": { world, _ in
        for limit in [2, Int.max] {
            let limited = world.limitingCounts(to: limit)
            for shift in 0..<4 {
                let counts = unevenCounts(world.processCount, shift: shift)
                // Gaps of one element, which must stay as they are, and the processes in reverse order.
                let displacements = counts.indices.map { p in counts[(p + 1)...].reduce(0, +) + counts.count - p }
                let layout = try BufferLayout(counts: counts, displacements: displacements)
                var buffer = [Int64](repeating: -1, count: layout.extent + 1)
                var expected = buffer
                for process in counts.indices {
                    for (i, place) in layout.range(of: process).enumerated() {
                        expected[place] = Int64(process * 100 + i)
                        if process == world.processIndex { buffer[place] = expected[place] }
                    }
                }
                try buffer.withUnsafeMutableBufferPointer { try limited.allGatherInPlace($0, layout: layout) }
                try expect(buffer, equals: expected, "\(counts) at \(displacements), limit \(limit)")
            }
        }
        return 0
    },
    "all-gather-bad-arguments": { world, _ in
        let counts = [Int](repeating: 2, count: world.processCount)
        try expect(.invalidArgument, "a buffer that is too short") { () throws(MessagePassingError) in
            var buffer = [Float](repeating: 0, count: 2 * world.processCount - 1)
            try buffer.withUnsafeMutableBufferPointer { (buffer) throws(MessagePassingError) in
                try world.allGatherInPlace(buffer, counts: counts)
            }
        }
        try expect(.invalidArgument, "a layout of too many parts") { () throws(MessagePassingError) in
            var buffer = [Float](repeating: 0, count: 2 * world.processCount + 2)
            try buffer.withUnsafeMutableBufferPointer { (buffer) throws(MessagePassingError) in
                try world.allGatherInPlace(buffer, counts: counts + [2])
            }
        }
        try expect(.invalidArgument, "a part that is not as long as the layout says") {
            () throws(MessagePassingError) in
            let layout = try BufferLayout(counts: counts)
            var buffer = [Float](repeating: 0, count: layout.extent)
            try buffer.withUnsafeMutableBufferPointer { (buffer) throws(MessagePassingError) in
                try [Float(1)].withUnsafeBufferPointer { (part) throws(MessagePassingError) in
                    try world.allGather(varying: part, into: buffer, layout: layout)
                }
            }
        }
        if world.processCount > 1 {
            try expect(.unequalCounts, "equal parts that are not") { () throws(MessagePassingError) in
                _ = try world.allGathered([UInt8](repeating: 1, count: world.processIndex))
            }
        }
        return 0
    },
]
