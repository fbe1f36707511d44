internal import CKernels
public import LinearAlgebra

/// Maps made larger, so that windows fit, by what lies on the other side of their edges; PyTorch's `pad(mode: reflect)`, and
/// beyond it where a map is too small for that.
public struct ReflectionPadding: Sendable, Equatable {
    public let maps: FeatureMaps
    public let padded: FeatureMaps
    /// For each place of a padded map, the place that it takes.
    private let sources: [Int]
    /// For each place of a map, where it lies in the padded one.
    private let places: [Int]

    /// Pads both sides to the next multiple, half before and half (or one more) after; not at all where they fit.
    public init(_ maps: FeatureMaps, toMultipleOf multiple: Int) {
        func padded(_ side: Int) -> Int { (side + multiple - 1) / multiple * multiple }
        let larger = FeatureMaps(samples: maps.samples, height: padded(maps.height), width: padded(maps.width))
        func source(_ index: Int, before: Int, side: Int) -> Int {
            guard side > 1 else { return 0 }
            let period = 2 * (side - 1)
            let place = (((index - before) % period) + period) % period
            return place < side ? place : period - place
        }
        let (above, left) = ((larger.height - maps.height) / 2, (larger.width - maps.width) / 2)
        sources = (0..<larger.places).map {
            source($0 / larger.width, before: above, side: maps.height) * maps.width
                + source($0 % larger.width, before: left, side: maps.width)
        }
        places = (0..<maps.places).map { ($0 / maps.width + above) * larger.width + $0 % maps.width + left }
        self.maps = maps
        self.padded = larger
    }

    public var isNeeded: Bool { maps != padded }

    /// - Parameters:
    ///   - input: [rows of `maps`, columns].
    ///   - output: [rows of `padded`, columns].
    public func pad(_ input: MatrixView, into output: MutableMatrixView) {
        for sample in 0..<maps.samples {
            for (place, source) in sources.enumerated() {
                output.rowStart(sample * padded.places + place)
                    .update(from: input.rowStart(sample * maps.places + source), count: input.columns)
            }
        }
    }

    /// The adjoint of `pad`; replaces the input's gradient.
    public func padBackward(_ outputGradient: MatrixView, inputGradient: MutableMatrixView) {
        inputGradient.clear()
        for sample in 0..<maps.samples {
            for (place, source) in sources.enumerated() {
                kernel_add(
                    inputGradient.rowStart(sample * maps.places + source),
                    outputGradient.rowStart(sample * padded.places + place), outputGradient.columns)
            }
        }
    }

    /// Takes the maps out of padded ones.
    public func crop(_ input: MatrixView, into output: MutableMatrixView) {
        for sample in 0..<maps.samples {
            for (index, place) in places.enumerated() {
                output.rowStart(sample * maps.places + index)
                    .update(from: input.rowStart(sample * padded.places + place), count: input.columns)
            }
        }
    }

    /// The adjoint of `crop`; replaces the input's gradient.
    public func cropBackward(_ outputGradient: MatrixView, inputGradient: MutableMatrixView) {
        inputGradient.clear()
        for sample in 0..<maps.samples {
            for (index, place) in places.enumerated() {
                inputGradient.rowStart(sample * padded.places + place)
                    .update(from: outputGradient.rowStart(sample * maps.places + index), count: outputGradient.columns)
            }
        }
    }
}
