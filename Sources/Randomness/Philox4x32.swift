/// The counter-based generator Philox4x32-10: 128 random bits as a function of a 64-bit key and a 128-bit counter.
///
/// Source: Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3* (SC 2011), section 3.3, with
/// the constants of their library Random123.
public enum Philox4x32 {
    /// The four random words that belong to a key and a counter.
    ///
    /// For one key it is a bijection, so different counters give different blocks.
    ///
    /// - Parameters:
    ///   - key: selects one of 2^64 functions.
    ///   - counter: the argument of that function.
    /// - Returns: four words of 32 random bits.
    public static func block(key: SIMD2<UInt32>, counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
        var (k0, k1) = (key.x, key.y)
        var (c0, c1, c2, c3) = (counter.x, counter.y, counter.z, counter.w)
        for _ in 0..<10 {
            let p = UInt64(c0) &* 0xD251_1F53
            let q = UInt64(c2) &* 0xCD9E_8D57
            (c0, c1, c2, c3) = (
                UInt32(truncatingIfNeeded: q >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: q),
                UInt32(truncatingIfNeeded: p >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: p)
            )
            // The Weyl sequences of the golden ratio and of the square root of 3.
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return SIMD4(c0, c1, c2, c3)
    }
}
