/// A hash of bytes for tables that live as long as the process: fast, and not to be written to a file.
@inline(__always)
func byteHash(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64 {
    bytes.withUnsafeBytes { byteHash(UnsafeRawBufferPointer(rebasing: $0[range])) }
}

/// Eight bytes at a time are folded in by a product of 128 bits, as in wyhash.
@inline(__always)
func byteHash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15 ^ 0xA076_1D64_78BD_642F
    var position = 0
    while position &+ 8 <= bytes.count {
        hash = folded(hash, bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        position &+= 8
    }
    var rest: UInt64 = 0
    while position < bytes.count {
        rest = rest << 8 | UInt64(bytes[position])
        position &+= 1
    }
    return folded(hash, rest)
}

@inline(__always)
private func folded(_ hash: UInt64, _ value: UInt64) -> UInt64 {
    let product = (hash ^ value).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
    return product.high ^ product.low
}
