internal import CKernels
public import LinearAlgebra

/// A two-dimensional convolution with a square kernel: patches, then the product with one row for each output channel.
///
/// The weight is PyTorch's, [outputs, inputs · kernel · kernel]; `AdaptedLinear` holds, trains and adapts it.
public final class Convolution {
    public let linear: AdaptedLinear
    public let kernelSide: Int
    public let stride: Int
    /// Zeros beyond each edge.
    public let padding: Int
    private let patches = Matrix()  // [output rows, inputs · kernel · kernel]
    private let patchGradient = Matrix()
    private var batch = PackedBatch.oneLane(samples: 0, rowsEach: 0)

    /// - Precondition: `linear` reads patches of the kernel; kernel and stride are positive.
    public init(linear: AdaptedLinear, kernelSide: Int, stride: Int, padding: Int) {
        precondition(kernelSide > 0 && stride > 0 && padding >= 0 && linear.inputs % (kernelSide * kernelSide) == 0)
        self.linear = linear
        self.kernelSide = kernelSide
        self.stride = stride
        self.padding = padding
    }

    public var inputChannels: Int { linear.inputs / (kernelSide * kernelSide) }

    /// The maps that come out.
    public func outputMaps(of maps: FeatureMaps) -> FeatureMaps {
        FeatureMaps(samples: maps.samples, height: outputSide(maps.height), width: outputSide(maps.width))
    }

    private func outputSide(_ side: Int) -> Int {
        Convolution.outputSide(side, kernelSide: kernelSide, stride: stride, padding: padding)
    }

    /// The side of a map that comes out of one with the given side; not positive where the kernel does not fit.
    public static func outputSide(_ side: Int, kernelSide: Int, stride: Int, padding: Int) -> Int {
        side + 2 * padding < kernelSide ? 0 : (side + 2 * padding - kernelSide) / stride + 1
    }

    /// - Parameters:
    ///   - input: [rows of `maps`, input channels], contiguous; one lane.
    ///   - firstSlot: place in the global batch of the first sample.
    ///   - output: [rows of the output maps, output channels], contiguous; with the bias.
    public func forward(
        _ input: MatrixView, maps: FeatureMaps, firstSlot: Int = 0, into output: MutableMatrixView, pass: Pass
    ) {
        let outputs = outputMaps(of: maps)
        patches.resize(rows: outputs.rowCount, columns: linear.inputs)
        withUnsafePointer(to: shape(maps)) { kernel_extract_patches($0, input.base, patches.pointer) }
        batch = batch.reused(samples: outputs.samples, rowsEach: outputs.places, firstSlot: firstSlot)
        linear.forward(patches.view, into: output, batch: batch, pass: pass)
        addBias(linear.bias, to: output)
    }

    /// Sets the gradients of what is trained, from what the latest `forward` was given.
    ///
    /// - Parameters:
    ///   - outputGradient: [rows of the output maps, output channels], contiguous.
    ///   - inputGradient: [rows of `maps`, input channels], contiguous, or nil where nothing below needs it; replaced.
    public func backward(
        _ outputGradient: MatrixView, maps: FeatureMaps, inputGradient: MutableMatrixView?, pass: Pass,
        gradients: LaneGradients
    ) {
        if inputGradient != nil { patchGradient.resize(rows: patches.rows, columns: patches.columns) }
        linear.backward(
            outputGradient, input: patches.view,
            inputGradient: inputGradient == nil ? nil : patchGradient.mutableView, batch: batch, pass: pass,
            gradients: gradients)
        guard let inputGradient else { return }
        inputGradient.clear()
        withUnsafePointer(to: shape(maps)) { kernel_add_patches($0, patchGradient.pointer, inputGradient.base) }
    }

    private func shape(_ maps: FeatureMaps) -> kernel_convolution {
        kernel_convolution(
            samples: maps.samples, height: maps.height, width: maps.width, channels: inputChannels,
            kernel: kernelSide, stride: stride, padding: padding)
    }
}
