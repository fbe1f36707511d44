// Logarithm, cosine and sine from exactly rounded operations alone. Those of the C library differ in the last bit
// between its versions and between processors; these do not.

/// The natural logarithm of a normal positive number, to within 1 unit in the last place or so.
func naturalLogarithm(of x: Double) -> Double {
    // x = m · 2^e with m in [√½, √2), so that e is 0 around 1 and nothing cancels there.
    var m = x.significand
    var e = Double(x.exponent)
    if m > 1.4142135623730951 {
        m /= 2
        e += 1
    }
    // ln m = 2·artanh s = 2·(s + s³/3 + s⁵/5 + …), s = (m − 1)/(m + 1); |s| < 0.172, so the term in s²³ is below 2⁻⁶⁰
    // of the first.
    let s = (m - 1) / (m + 1)
    let square = s * s
    var sum = 0.0
    for divisor in stride(from: 21.0, through: 3.0, by: -2.0) {
        sum = (sum + 1 / divisor) * square
    }
    // ln 2 in two parts: the first has 32 significant bits, so its product with e is exact.
    return e * 0x1.62e42feep-1 + (e * 0x1.a39ef35793c76p-33 + (2 * s + 2 * s * sum))
}

/// The cosine and sine of `turns / 2^32` of a full turn, to within 2⁻⁵².
func cosineAndSine(ofTurns turns: UInt32) -> (cosine: Double, sine: Double) {
    // The nearest eighth turn's quadrant and an angle within ±π/4 of its axis.
    let quadrant = (turns &+ 0x2000_0000) >> 30
    let offset = Int32(bitPattern: turns &- quadrant << 30)
    let angle = Double(offset) * (Double.pi / 0x1p31)
    let square = angle * angle
    // Taylor series by Horner's rule: 1 − a²/(1·2)·(1 − a²/(3·4)·(…)); at π/4 the first term left out is below 2⁻⁶⁰.
    var cosine = 1.0
    var sine = 1.0
    for n in stride(from: 18.0, through: 2.0, by: -2.0) {
        cosine = 1 - square / (n * (n - 1)) * cosine
        sine = 1 - square / (n * (n + 1)) * sine
    }
    sine *= angle
    return switch quadrant {
    case 0: (cosine, sine)
    case 1: (-sine, cosine)
    case 2: (-cosine, -sine)
    default: (sine, -cosine)
    }
}
