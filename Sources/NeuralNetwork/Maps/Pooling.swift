internal import CKernels
public import LinearAlgebra

/// Means over the regions that PyTorch's `adaptive_avg_pool2d` cuts a map into; regions may overlap.
public enum AdaptiveAveragePooling {
    /// - Parameters:
    ///   - input: [rows of `maps`, columns].
    ///   - pooled: the maps that come out; as many samples.
    ///   - output: [rows of `pooled`, columns], contiguous.
    public static func forward(
        _ input: MatrixView, maps: FeatureMaps, pooled: FeatureMaps, into output: MutableMatrixView
    ) {
        for sample in 0..<maps.samples {
            kernel_adaptive_pool(
                input.base + sample * maps.places * input.stride, input.stride, maps.height, maps.width,
                input.columns, output.base + sample * pooled.places * input.columns, pooled.height, pooled.width)
        }
    }

    /// Adds to the input's gradient.
    public static func backward(
        _ outputGradient: MatrixView, maps: FeatureMaps, pooled: FeatureMaps, inputGradient: MutableMatrixView
    ) {
        for sample in 0..<maps.samples {
            kernel_adaptive_pool_backward(
                outputGradient.base + sample * pooled.places * inputGradient.columns, pooled.height, pooled.width,
                inputGradient.base + sample * maps.places * inputGradient.stride, inputGradient.stride, maps.height,
                maps.width, inputGradient.columns)
        }
    }
}

/// Larger maps, each place of which takes the nearest of the smaller: PyTorch's `interpolate(mode: nearest)`.
public enum NearestUpsampling {
    /// - Parameters:
    ///   - input: [rows of `maps`, columns], contiguous.
    ///   - output: [rows of `larger`, columns].
    public static func forward(
        _ input: MatrixView, maps: FeatureMaps, larger: FeatureMaps, into output: MutableMatrixView
    ) {
        for sample in 0..<maps.samples {
            kernel_upsample(
                input.base + sample * maps.places * input.columns, maps.height, maps.width, input.columns,
                output.base + sample * larger.places * output.stride, output.stride, larger.height, larger.width)
        }
    }

    /// Replaces the input's gradient.
    public static func backward(
        _ outputGradient: MatrixView, maps: FeatureMaps, larger: FeatureMaps, inputGradient: MutableMatrixView
    ) {
        for sample in 0..<maps.samples {
            kernel_upsample_backward(
                outputGradient.base + sample * larger.places * outputGradient.stride, outputGradient.stride,
                larger.height, larger.width, inputGradient.base + sample * maps.places * inputGradient.columns,
                maps.height, maps.width, inputGradient.columns)
        }
    }
}

/// The mean over the places of each sample.
public enum MeanPooling {
    /// - Parameters:
    ///   - input: [rows of `maps`, columns].
    ///   - output: [samples, columns], contiguous.
    public static func forward(_ input: MatrixView, maps: FeatureMaps, into output: MutableMatrixView) {
        AdaptiveAveragePooling.forward(
            input, maps: maps, pooled: FeatureMaps(samples: maps.samples, height: 1, width: 1), into: output)
    }

    /// Replaces the input's gradient.
    public static func backward(
        _ outputGradient: MatrixView, maps: FeatureMaps, inputGradient: MutableMatrixView
    ) {
        inputGradient.clear()
        AdaptiveAveragePooling.backward(
            outputGradient, maps: maps, pooled: FeatureMaps(samples: maps.samples, height: 1, width: 1),
            inputGradient: inputGradient)
    }
}
