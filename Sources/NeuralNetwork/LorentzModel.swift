internal import CKernels

/// Hyperbolic space of curvature −κ as the upper sheet of ⟨x, x⟩ = −1/κ, in double precision.
///
/// ⟨x, y⟩ = x_space·y_space − x_time·y_time. A point is given by its space coordinates; its time is √(1/κ + ‖x_space‖²).
public struct LorentzModel: Sendable, Equatable {
    /// κ > 0; the smaller it is, the flatter is the space.
    public let curvature: Double

    /// - Precondition: the curvature is positive and finite.
    public init(curvature: Double) {
        precondition(curvature > 0 && curvature.isFinite)
        self.curvature = curvature
    }

    /// The time coordinate of a point.
    public func time(of space: [Double]) -> Double { kernel_lorentz_time(curvature, space, space.count) }

    /// ⟨x, y⟩ of two points.
    ///
    /// - Precondition: they have as many coordinates.
    public func product(_ x: [Double], _ y: [Double]) -> Double {
        precondition(x.count == y.count)
        return zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } - time(of: x) * time(of: y)
    }

    /// The exponential map at the origin: `sinh(√κ‖v‖)/(√κ‖v‖)·v`, by its series where ‖v‖ is near 0.
    public func exponential(_ vector: [Double]) -> [Double] {
        var space = vector
        kernel_lorentz_exponential(curvature, vector, &space, vector.count)
        return space
    }

    /// The gradient of the vector from that of what `exponential` made of it.
    ///
    /// - Precondition: both have as many coordinates.
    public func exponentialBackward(_ spaceGradient: [Double], vector: [Double]) -> [Double] {
        precondition(spaceGradient.count == vector.count)
        var gradient = vector
        kernel_lorentz_exponential_backward(curvature, vector, spaceGradient, &gradient, vector.count)
        return gradient
    }

    /// `√(1/κ)·acosh(−κ⟨x, y⟩)`; for near points by what the argument exceeds 1, which the product itself has lost.
    ///
    /// - Precondition: the points have as many coordinates.
    public func distance(_ x: [Double], _ y: [Double]) -> Double {
        precondition(x.count == y.count)
        return kernel_lorentz_distance(curvature, x, y, x.count)
    }

    /// The gradients of both points from that of their distance; 0 where the points coincide.
    ///
    /// - Precondition: the points have as many coordinates.
    public func distanceBackward(_ gradient: Double, _ x: [Double], _ y: [Double]) -> (x: [Double], y: [Double]) {
        precondition(x.count == y.count)
        var (first, second) = ([Double](repeating: 0, count: x.count), [Double](repeating: 0, count: x.count))
        kernel_lorentz_distance_backward(curvature, x, y, gradient, &first, &second, x.count)
        return (first, second)
    }
}
