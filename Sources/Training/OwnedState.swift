import LinearAlgebra
public import NeuralNetwork

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

    /// The arrays that are kept.
    public let quantities: [Quantity]

    /// Those that the rows of a layout need: the importance is of triplets alone.
    public static func quantities(of layout: ParameterLayout) -> [Quantity] {
        layout.blocks.contains(where: \.isTriplets) ? Quantity.allCases : [.firstMoment, .secondMoment]
    }

    /// Zeros.
    public init(elements: Range<Int>, quantities: [Quantity] = Quantity.allCases) {
        self.elements = elements
        self.quantities = quantities
        arrays = Dictionary(
            uniqueKeysWithValues: Quantity.allCases.map {
                ($0, quantities.contains($0) ? Matrix(rows: 1, columns: elements.count) : Matrix())
            })
    }

    /// One array, [owned elements]; empty if it is none of those that are kept.
    public subscript(_ quantity: Quantity) -> UnsafeMutablePointer<Float> {
        guard let matrix = arrays[quantity] else { preconditionFailure("every quantity has an array") }
        return matrix.pointer
    }
}
