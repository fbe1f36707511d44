/// Changes of a safetensors file: eight bytes of length, a header of JSON, data.
///
/// Most readers would stop at the length if a change of the header moved what follows; so the length is made to agree again,
/// and sometimes the data, too.
enum TensorFileMutation {
    static func apply(to bytes: inout [UInt8], longest: Int, _ numbers: inout RepeatableNumbers) {
        guard bytes.count >= 8 else { return }
        let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << UInt64(8 * $1) }
        guard length <= UInt64(bytes.count - 8) else { return }
        if numbers.oneIn(10) {
            // A length that lies, by a little or by as much as it can.
            let step = UInt64(truncatingIfNeeded: numbers.index(below: 17) - 8)
            set(length: numbers.oneIn(2) ? numbers.one(of: ByteMutation.integers) : length &+ step, in: &bytes)
            return
        }
        var header = Array(bytes[8..<8 + Int(length)])
        let before = header.count
        for _ in 0...numbers.index(below: 2) {
            switch numbers.index(below: 8) {
            case 0, 1: NumberMutation.apply(to: &header, in: 0..<header.count, &numbers)
            case 2: header += [UInt8](repeating: 0x20, count: numbers.index(below: 70))
            case 3:
                numbers.one(of: ByteMutation.allCases)
                    .apply(to: &header, other: header, longest: longest - bytes.count + before, &numbers)
            default:
                numbers.one(of: JSONMutation.allCases)
                    .apply(to: &header, in: 0..<header.count, longest: longest, &numbers)
            }
        }
        bytes.replaceSubrange(8..<8 + before, with: header)
        set(length: UInt64(header.count), in: &bytes)
        if numbers.oneIn(6) {
            let change = numbers.index(below: 129) - 64
            if change < 0 { bytes.removeLast(min(-change, bytes.count - 8 - header.count)) }
            if change > 0 { bytes += [UInt8](repeating: 0, count: change) }
        }
    }

    private static func set(length: UInt64, in bytes: inout [UInt8]) {
        for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: length >> UInt64(8 * index)) }
    }
}
