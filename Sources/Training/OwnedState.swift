import LinearAlgebra

/// What exists on the owner of a row alone: the optimiser's moments and the importance of the row's entries.
public final class OwnedState {
    /// The owned elements, among the elements of all blocks.
    public let elements: Range<Int>
    private let arrays: [Quantity: Matrix]

    /// The arrays, named as in a checkpoint.
    public enum Quantity: String, CaseIterable, Sendable {
        case firstMoment = "first_moment"
        case secondMoment = "second_moment"
        /// Ī.
        case smoothedSensitivity = "smoothed_sensitivity"
        /// Ū.
        case uncertainty
    }

    /// Zeros.
    public init(elements: Range<Int>) {
        self.elements = elements
        arrays = Dictionary(
            uniqueKeysWithValues: Quantity.allCases.map { ($0, Matrix(rows: 1, columns: elements.count)) })
    }

    /// One array, [owned elements].
    public subscript(_ quantity: Quantity) -> UnsafeMutablePointer<Float> {
        guard let matrix = arrays[quantity] else { preconditionFailure("every quantity has an array") }
        return matrix.pointer
    }
}
