import Diagnostics
public import WeightMethods

/// What is done to the tensors of a file.
public enum WeightMethod: Sendable {
    case normalize
    case normalizeSpectrum
    case clip(limit: Float)
    case sparsify(threshold: Float)
    /// Sparsification that keeps a share of every tensor's weights.
    case keep(share: Double)
    /// - group: weights of a row that share a range; nil where the whole tensor does.
    case quantize(bits: Int, group: Int?)
    case dequantize
    case initialize(InitializationScheme, seed: UInt64)
    /// - gradients: a safetensors file with a gradient of the same name and shape for every tensor; nil for zeros.
    case decay(WeightDecay, gradients: String?)

    /// As on the command line.
    public var name: String {
        switch self {
        case .normalize: "normalize"
        case .normalizeSpectrum: "spectral-normalize"
        case .clip: "clip"
        case .sparsify, .keep: "sparsify"
        case .quantize: "quantize"
        case .dequantize: "dequantize"
        case .initialize: "initialize"
        case .decay: "decay"
        }
    }

    /// Whether a tensor needs rows and columns; the others take one of any shape that is named.
    var need: TensorSelection.Need {
        switch self {
        case .normalize, .normalizeSpectrum, .initialize(.xavier, _), .initialize(.he, _): .matrix
        case .decay(let decay, _): decay.mode == .unitRow ? .matrix : .numbers
        default: .numbers
        }
    }

    /// Whether a row of the result depends on other rows: such a tensor is not divided.
    var needsWholeTensor: Bool {
        switch self {
        case .normalizeSpectrum, .keep, .quantize(_, nil): true
        default: false
        }
    }

    /// - Throws: ``WeightFileError`` for a setting out of its range.
    func check() throws(WeightFileError) {
        func require(_ condition: Bool, _ complaint: String) throws(WeightFileError) {
            guard condition else { throw WeightFileError(.usage, "\(name): \(complaint)") }
        }
        switch self {
        case .clip(let limit):
            try require(limit.isFinite && limit >= 0, "the limit is \(limit), expected a finite number from 0")
        case .sparsify(let threshold):
            try require(
                threshold.isFinite && threshold >= 0, "the threshold is \(threshold), expected a finite number from 0")
        case .keep(let share):
            try require((0...1).contains(share), "the share to keep is \(share), expected 0 to 1")
        case .quantize(let bits, let group):
            try require((1...16).contains(bits), "bits are \(bits), expected 1 to 16")
            try require(
                group ?? 1 > 0, "a group has \(group ?? 0) weights, expected at least 1, or 0 for the whole tensor")
        case .initialize(.normal(let deviation), _):
            try require(
                deviation.isFinite && deviation >= 0,
                "the standard deviation is \(deviation), expected a finite number from 0")
        default: break
        }
    }
}
