import FoundationEssentials
import Glibc
import MessagePassing

let broadcastChecks: [String: Check] = [
    "broadcast": { world, _ in
        for limit in [3, Int.max] {
            let limited = world.limitingCounts(to: limit)
            for root in 0..<world.processCount {
                for count in [0, 1, 3, 7, 100_000] {
                    let expected = (0..<count).map { Double($0 * 10 + root) }
                    var values = world.processIndex == root ? expected : [Double](repeating: -1, count: count)
                    try limited.broadcast(&values, from: root)
                    try expect(values == expected, equals: true, "\(count) values from process \(root), limit \(limit)")
                }
            }
        }
        return 0
    },
    "broadcast-text": { world, _ in
        let root = world.processCount - 1
        let text = world.processIndex == root ? "Grüße, 世界 🌍" : ""
        try expect(try world.broadcasted(text, from: root), equals: "Grüße, 世界 🌍", "a text")
        try expect(try world.broadcasted("", from: root), equals: "", "an empty text")
        // The argument of the others does not count, even if it is longer.
        let bytes: [UInt8] = world.processIndex == 0 ? [1, 2, 255] : [9, 9, 9, 9, 9]
        try expect(try world.broadcasted(bytes, from: 0), equals: [1, 2, 255], "bytes")
        let data = world.processIndex == root ? Data([0, 1, 0]) : Data()
        try expect(try world.broadcasted(data, from: root), equals: Data([0, 1, 0]), "data")
        return 0
    },
    "broadcast-unequal": { world, _ in
        guard world.processCount > 1 else { return 0 }
        try expect(.unequalCounts, "a broadcast of arrays of different counts") { () throws(MessagePassingError) in
            var values = [Int32](repeating: 1, count: world.processIndex)
            try world.broadcast(&values, from: 0)
        }
        return 0
    },
    "broadcast-no-such-root": { world, _ in
        for root in [-1, world.processCount, Int.max] {
            try expect(.invalidArgument, "a broadcast from process \(root)") { () throws(MessagePassingError) in
                var values: [Int32] = [1]
                try world.broadcast(&values, from: root)
            }
        }
        return 0
    },
    // Needs 2.3 GB for each process.
    "past-int32": { world, _ in
        let part = Int(Int32.max) / world.processCount + 1
        let extent = part * world.processCount + 5
        var values = [UInt8](repeating: world.processIndex == 0 ? 7 : 0, count: extent)
        try world.broadcast(&values, from: 0)
        try expect(holdOnly(7, values, values.indices), equals: true, "\(extent) bytes from process 0")
        try world.allReduce(&values, .sum)
        let sum = UInt8(7 * world.processCount)
        try expect(holdOnly(sum, values, values.indices), equals: true, "the sum of \(extent) bytes")
        let layout = try BufferLayout(
            counts: [Int](repeating: part, count: world.processCount),
            displacements: (0..<world.processCount).map { $0 * part + 5 })
        try values.withUnsafeMutableBufferPointer { buffer in
            if let start = buffer.baseAddress {
                memset(start + world.processIndex * part + 5, Int32(world.processIndex + 1), part)
            }
            try world.allGatherInPlace(buffer, layout: layout)
        }
        for process in 0..<world.processCount {
            let isWhole = holdOnly(UInt8(process + 1), values, layout.range(of: process))
            try expect(isWhole, equals: true, "the part of process \(process) of \(extent) bytes")
        }
        return 0
    },
]

/// Whether all values of a range are `value`; by C, since a loop over 2^31 elements takes minutes in a debug build.
private func holdOnly(_ value: UInt8, _ values: [UInt8], _ range: Range<Int>) -> Bool {
    values.withUnsafeBufferPointer { buffer in
        guard let start = buffer.baseAddress.map({ $0 + range.lowerBound }), start.pointee == value else {
            return false
        }
        return memcmp(start, start + 1, range.count - 1) == 0
    }
}
