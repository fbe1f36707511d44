import Foundation
import Testing
import Training

@Suite("Power laws")
struct PowerLawTests {
    @Test("a power law is found again, without error")
    func exact() throws {
        let x = [1.0, 2, 5, 30]
        let law = try #require(PowerLaw(x: x, y: x.map { 3 * pow($0, -1.25) }))
        // Some additions of logarithms in double precision.
        #expect(abs(law.exponent + 1.25) < 1e-13 && abs(law.coefficient - 3) < 1e-12)
        #expect(try #require(law.standardError) < 1e-13 && law.pointCount == 4)
        let expected: Double = 3 * pow(4, -1.25)
        #expect(abs(law.value(at: 4) - expected) < 1e-12)
    }

    @Test("slope and error are those of a regression worked out by hand")
    func regression() throws {
        // ln x = 0, 1, 2 and ln y = 0, 2, 1: slope ½, residuals −½, 1, −½, so s² = 1.5/1 and its error √(1.5/2).
        let law = try #require(PowerLaw(x: [1, M_E, M_E * M_E], y: [1, M_E * M_E, M_E]))
        #expect(abs(law.exponent - 0.5) < 1e-14)
        let (error, productError) = (0.75.squareRoot(), 3.0025.squareRoot())
        #expect(abs(try #require(law.standardError) - error) < 1e-14)
        let product = law.exponent(times: 2, error: 0.1)
        #expect(abs(product.value - 1) < 1e-14)
        #expect(abs(try #require(product.standardError) - productError) < 1e-14)
    }

    @Test("two points give a law without error; what gives none is refused")
    func refused() {
        #expect(
            PowerLaw(x: [1, 2], y: [1, 4]).map { abs($0.exponent - 2) < 1e-15 && $0.standardError == nil } == true)
        for (x, y): ([Double], [Double]) in [
            ([1], [1]), ([2, 2, 2], [1, 2, 3]), ([1, 2], [1, 0]), ([-1, 2], [1, 1]), ([1, 2, 3], [1, 2]),
            ([1, .infinity], [1, 2]), ([1, 2], [.nan, 1]),
        ] { #expect(PowerLaw(x: x, y: y) == nil) }
    }
}
