import Foundation
import NeuralNetwork
import Testing

/// A vector of the given length in a fixed direction.
private func vector(length: Double, count: Int = 7, seed: Double = 0) -> [Double] {
    let values = (0..<count).map { sin(1.7 * Double($0) + 0.4 + seed) }
    let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return values.map { $0 / norm * length }
}

private func length(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }

private let curvatures = [0.1, 1, 2.5]
private let lengths = [0, 1e-9, 1e-6, 1e-3, 0.009, 0.011, 0.1, 0.3, 1, 3]

@Suite("The Lorentz model of hyperbolic space")
struct LorentzModelTests {
    @Test("every mapped vector lies on the sheet, as far from the origin as it is long", arguments: curvatures)
    func sheet(curvature: Double) {
        let space = LorentzModel(curvature: curvature)
        let origin = [Double](repeating: 0, count: 7)
        for expected in lengths {
            let point = space.exponential(vector(length: expected))
            // Both sides of the identity grow with cosh²; ten units of the last place of them.
            let scale = 1 / curvature + length(point) * length(point)
            #expect(abs(space.product(point, point) + 1 / curvature) <= 1e-12 * max(1, scale))
            #expect(abs(space.distance(origin, point) - expected) <= 1e-12)
            #expect(abs(space.distance(point, origin) - expected) <= 1e-12)
        }
    }

    @Test("the distance is √(1/κ)·acosh(−κ⟨x, y⟩), symmetric, and 0 from a point to itself", arguments: curvatures)
    func distance(curvature: Double) {
        let space = LorentzModel(curvature: curvature)
        for (first, second) in [(0.3, 0.8), (1, 1), (2, 0.01), (4, 3)] {
            let (x, y) = (
                space.exponential(vector(length: first)), space.exponential(vector(length: second, seed: 2))
            )
            let expected = acosh(-curvature * space.product(x, y)) / curvature.squareRoot()
            // acosh of a number near 1 has lost half its digits; these are far from it.
            #expect(abs(space.distance(x, y) - expected) < 1e-10)
            #expect(space.distance(x, y) == space.distance(y, x))
            #expect(space.distance(x, x) == 0)
        }
        // On a line through the origin, distances add.
        let (near, far) = (space.exponential(vector(length: 0.2)), space.exponential(vector(length: 0.9)))
        #expect(abs(space.distance(near, far) - 0.7) < 1e-12)
    }

    @Test("a flat space is Euclidean")
    func flat() {
        let space = LorentzModel(curvature: 1e-12)
        let (x, y) = (vector(length: 0.7), vector(length: 1.3, seed: 1))
        let distance = space.distance(space.exponential(x), space.exponential(y))
        // The curvature changes distances by a relative κ·‖x‖².
        #expect(abs(distance - length(zip(x, y).map { $0 - $1 })) < 1e-11)
    }

    @Test("the exponential's adjoint agrees with differences from 1e-6 to 1", arguments: curvatures)
    func exponentialAdjoint(curvature: Double) {
        let space = LorentzModel(curvature: curvature)
        let weights = vector(length: 1, seed: 3)
        for start in [0, 1e-6, 1e-3, 0.05, 0.29, 0.31, 1] {
            let point = vector(length: start)
            let gradient = space.exponentialBackward(weights, vector: point)
            for index in point.indices {
                let difference = centralDifference(at: point, index) { moved in
                    zip(space.exponential(moved), weights).reduce(0) { $0 + $1.0 * $1.1 }
                }
                // A step of 1e-4 leaves 1e-8 of curvature and 1e-12 of rounding.
                #expect(abs(difference - gradient[index]) < 5e-8)
            }
        }
    }

    @Test("the distance's adjoint agrees with differences, near and far", arguments: curvatures)
    func distanceAdjoint(curvature: Double) {
        let space = LorentzModel(curvature: curvature)
        for (first, second) in [(1e-6, 1), (1e-3, 0.5), (0.4, 0.41), (1, 1e-6), (1, 1), (3, 2)] {
            let x = space.exponential(vector(length: first))
            let y = space.exponential(vector(length: second, seed: 1))
            let gradient = space.distanceBackward(1, x, y)
            for index in x.indices {
                let byX = centralDifference(at: x, index) { space.distance($0, y) }
                let byY = centralDifference(at: y, index) { space.distance(x, $0) }
                #expect(abs(byX - gradient.x[index]) < 1e-6)
                #expect(abs(byY - gradient.y[index]) < 1e-6)
            }
        }
    }

    @Test("through both, gradients are those of the length at every distance from the origin", arguments: curvatures)
    func radialGradient(curvature: Double) {
        let space = LorentzModel(curvature: curvature)
        let origin = [Double](repeating: 0, count: 7)
        for start in [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 1] {
            let v = vector(length: start)
            let byPoint = space.distanceBackward(1, space.exponential(v), origin).x
            let gradient = space.exponentialBackward(byPoint, vector: v)
            // d(0, exp v) = ‖v‖, whose gradient is v/‖v‖.
            for index in v.indices { #expect(abs(gradient[index] - v[index] / start) < 1e-9) }
        }
    }

    @Test("gradients of coinciding points are 0, and finite everywhere near")
    func coincidence() {
        let space = LorentzModel(curvature: 2.5)
        for start in [0, 1e-300, 1e-160, 1e-8, 1] {
            let x = space.exponential(vector(length: start))
            for offset in [0, 1e-300, 1e-17, 1e-12] {
                let y = x.map { $0 + offset }
                let gradient = space.distanceBackward(1, x, y)
                #expect((gradient.x + gradient.y).allSatisfy { $0.isFinite })
                if x == y { #expect((gradient.x + gradient.y).allSatisfy { $0 == 0 }) }
            }
        }
    }

    private func centralDifference(at point: [Double], _ index: Int, _ value: ([Double]) -> Double) -> Double {
        var (above, below) = (point, point)
        above[index] += 1e-4
        below[index] -= 1e-4
        // Of fourth order, so that steep places near the origin of a distance do not show.
        var (farAbove, farBelow) = (point, point)
        farAbove[index] += 2e-4
        farBelow[index] -= 2e-4
        return (8 * (value(above) - value(below)) - (value(farAbove) - value(farBelow))) / 12e-4
    }
}
