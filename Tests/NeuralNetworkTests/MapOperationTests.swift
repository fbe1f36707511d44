import LinearAlgebra
import NeuralNetwork
import Testing

private let training = Pass.training(seed: 7, step: 3)

/// Trained parameters with tensors at places of them, and the gradients of one lane.
private final class Parameters {
    private(set) var layout = ParameterLayout()
    private(set) var values = Matrix()
    private var starts: [Matrix] = []

    /// Adds a tensor; its values move when another one is added, so all come first.
    func add(_ matrix: Matrix) -> Int {
        layout.appendDense(name: "\(starts.count)", rows: matrix.rows, columns: matrix.columns)
        starts.append(matrix)
        values = Matrix(rows: 1, columns: layout.elementCount, elements: starts.flatMap(\.elements))
        return starts.count - 1
    }

    func tensor(_ index: Int) -> NetworkTensor {
        NetworkTensor(
            values: UnsafePointer(values.pointer + layout.blocks[index].elements.lowerBound),
            block: layout.blocks[index])
    }

    /// The gradient that `backward` sets.
    func gradient(_ backward: (LaneGradients) -> Void) -> [Float] {
        let gradients = LaneGradients(tree: LaneTree(laneCount: 1), lanes: 0..<1, layout: layout)
        backward(gradients)
        return Array(UnsafeBufferPointer(start: gradients.sum(ofNode: 0), count: layout.elementCount))
    }
}

@Suite("Every adjoint of the operations on maps agrees with finite differences")
struct MapOperationGradientTests {
    @Test("convolutions", arguments: [(4, 4, 0), (3, 2, 1), (1, 1, 0), (3, 1, 2)])
    func convolution(kernel: Int, stride: Int, padding: Int) {
        let maps = FeatureMaps(samples: 2, height: 5, width: 4)
        let (inputs, outputs) = (2, 3)
        let parameters = Parameters()
        let weight = parameters.add(matrix(outputs, inputs * kernel * kernel, scale: 0.3))
        let bias = parameters.add(matrix(1, outputs, seed: 1))
        let (weightTensor, biasTensor) = (parameters.tensor(weight), parameters.tensor(bias))
        guard let weightBlock = weightTensor.block, let biasBlock = biasTensor.block else { return }
        let operation = Convolution(
            linear: AdaptedLinear(
                path: "convolution",
                weight: .plain(MatrixView(base: weightTensor.values, rows: outputs, columns: inputs * kernel * kernel)),
                bias: biasTensor.values, trained: (weightBlock, biasBlock)), kernelSide: kernel, stride: stride,
            padding: padding)
        let input = matrix(maps.rowCount, inputs, seed: 2)
        let result = operation.outputMaps(of: maps)
        let output = Matrix(rows: result.rowCount, columns: outputs)
        let weights = matrix(result.rowCount, outputs, seed: 3)
        func loss() -> Double {
            operation.forward(input.view, maps: maps, into: output.mutableView, pass: training)
            return weightedSum(weights, output.view)
        }
        _ = loss()
        let inputGradient = Matrix(rows: maps.rowCount, columns: inputs)
        let gradient = parameters.gradient {
            operation.backward(
                weights.view, maps: maps, inputGradient: inputGradient.mutableView, pass: training, gradients: $0)
        }
        expectGradient(gradient, of: parameters.values.pointer, loss: loss, "weight and bias")
        expectGradient(inputGradient.elements, of: input.pointer, loss: loss, "input")
    }

    @Test("group norm of one group")
    func groupNormalization() {
        let maps = FeatureMaps(samples: 2, height: 3, width: 2)
        let columns = 19
        let parameters = Parameters()
        let gain = parameters.add(matrix(1, columns))
        let offset = parameters.add(matrix(1, columns, seed: 1))
        let operation = GroupNormalization(
            gain: parameters.tensor(gain), offset: parameters.tensor(offset), columns: columns)
        let input = matrix(maps.rowCount, columns, scale: 2, seed: 2)
        let output = Matrix(rows: maps.rowCount, columns: columns)
        let weights = matrix(maps.rowCount, columns, seed: 3)
        func loss() -> Double {
            operation.forward(input.view, maps: maps, into: output.mutableView)
            return weightedSum(weights, output.view)
        }
        _ = loss()
        // The gradient is added to what is there.
        let inputGradient = matrix(maps.rowCount, columns, seed: 4)
        let before = inputGradient.elements
        let gradient = parameters.gradient {
            operation.backward(
                weights.view, input: input.view, maps: maps, inputGradient: inputGradient.mutableView, gradients: $0)
        }
        expectGradient(gradient, of: parameters.values.pointer, loss: loss, "gain and offset")
        expectGradient(
            zip(inputGradient.elements, before).map { $0 - $1 }, of: input.pointer, loss: loss, "input")
    }

    @Test("layer scale")
    func scaledResidual() {
        let (rows, columns) = (6, 5)
        let parameters = Parameters()
        let scale = parameters.add(matrix(1, columns))
        let operation = ScaledResidual(scale: parameters.tensor(scale), columns: columns)
        let (product, residual) = (matrix(rows, columns, seed: 1), matrix(rows, columns, seed: 2))
        let bias = matrix(1, columns, seed: 3)
        let weights = matrix(rows, columns, seed: 4)
        let (biased, output) = (Matrix(rows: rows, columns: columns), Matrix(rows: rows, columns: columns))
        func loss() -> Double {
            biased.copy(product.view)
            operation.forward(
                biased.mutableView, bias: bias.pointer, residual: residual.view, into: output.mutableView)
            return weightedSum(weights, output.view)
        }
        _ = loss()
        let productGradient = Matrix(rows: rows, columns: columns)
        let gradient = parameters.gradient {
            operation.backward(
                weights.view, product: biased.view, productGradient: productGradient.mutableView, gradients: $0)
        }
        expectGradient(gradient, of: parameters.values.pointer, loss: loss, "scale")
        expectGradient(productGradient.elements, of: product.pointer, loss: loss, "product")
        expectGradient(weights.elements, of: residual.pointer, loss: loss, "residual")
    }

    @Test("adaptive pooling with regions that overlap, mean pooling, upsampling")
    func pooling() {
        let maps = FeatureMaps(samples: 2, height: 5, width: 7)
        let pooled = FeatureMaps(samples: 2, height: 2, width: 3)
        let input = matrix(maps.rowCount, 4)
        let output = Matrix(rows: pooled.rowCount, columns: 4)
        let weights = matrix(pooled.rowCount, 4, seed: 1)
        let gradient = Matrix(rows: maps.rowCount, columns: 4)
        AdaptiveAveragePooling.backward(
            weights.view, maps: maps, pooled: pooled, inputGradient: gradient.mutableView)
        expectGradient(
            gradient.elements, of: input.pointer,
            loss: {
                AdaptiveAveragePooling.forward(input.view, maps: maps, pooled: pooled, into: output.mutableView)
                return weightedSum(weights, output.view)
            }, "adaptive pooling")

        let means = Matrix(rows: 2, columns: 4)
        let meanWeights = matrix(2, 4, seed: 2)
        MeanPooling.backward(meanWeights.view, maps: maps, inputGradient: gradient.mutableView)
        expectGradient(
            gradient.elements, of: input.pointer,
            loss: {
                MeanPooling.forward(input.view, maps: maps, into: means.mutableView)
                return weightedSum(meanWeights, means.view)
            }, "mean pooling")

        let small = matrix(pooled.rowCount, 4)
        let large = Matrix(rows: maps.rowCount, columns: 4)
        let largeWeights = matrix(maps.rowCount, 4, seed: 3)
        let smallGradient = Matrix(rows: pooled.rowCount, columns: 4)
        NearestUpsampling.backward(
            largeWeights.view, maps: pooled, larger: maps, inputGradient: smallGradient.mutableView)
        expectGradient(
            smallGradient.elements, of: small.pointer,
            loss: {
                NearestUpsampling.forward(small.view, maps: pooled, larger: maps, into: large.mutableView)
                return weightedSum(largeWeights, large.view)
            }, "upsampling")
    }

    @Test("reflection, where it fits, where a map is too small for it, and of a single place", arguments: [5, 2, 1])
    func reflection(side: Int) {
        let maps = FeatureMaps(samples: 2, height: side, width: 3)
        let padding = ReflectionPadding(maps, toMultipleOf: 7)
        #expect(padding.isNeeded && padding.padded == FeatureMaps(samples: 2, height: 7, width: 7))
        let input = matrix(maps.rowCount, 2)
        let (padded, cropped) = (
            Matrix(rows: padding.padded.rowCount, columns: 2), Matrix(rows: maps.rowCount, columns: 2)
        )
        let weights = matrix(padding.padded.rowCount, 2, seed: 1)
        let gradient = Matrix(rows: maps.rowCount, columns: 2)
        padding.padBackward(weights.view, inputGradient: gradient.mutableView)
        expectGradient(
            gradient.elements, of: input.pointer,
            loss: {
                padding.pad(input.view, into: padded.mutableView)
                return weightedSum(weights, padded.view)
            }, "padding")
        padding.pad(input.view, into: padded.mutableView)
        padding.crop(padded.view, into: cropped.mutableView)
        #expect(cropped.elements == input.elements)
    }

    @Test(
        "clustering within windows: features, values, bias, α",
        arguments: [(windows: 2, centres: 2, side: 4, headWidth: 5), (1, 3, 3, 16), (1, 5, 6, 20), (3, 1, 2, 8)])
    func patchClustering(windows: Int, centres: Int, side: Int, headWidth: Int) {
        let maps = FeatureMaps(samples: 2, height: 6, width: 6)
        let heads = 2
        let parameters = Parameters()
        let bias = parameters.add(matrix(heads * centres * centres, side * side, scale: 0.5))
        let alpha = parameters.add(Matrix(rows: 1, columns: 1, elements: [1.3]))
        let operation = PatchClustering(
            shape: PatchClustering.Shape(
                heads: heads, headWidth: headWidth, windows: windows, centres: centres, biasSide: side),
            bias: parameters.tensor(bias), alpha: parameters.tensor(alpha))
        let width = heads * headWidth
        let (features, values) = (matrix(maps.rowCount, width, seed: 1), matrix(maps.rowCount, width, seed: 2))
        // Wider than the result, as the mixer's is.
        let output = Matrix(rows: maps.rowCount, columns: width + 3)
        let weights = matrix(maps.rowCount, width, seed: 3)
        func loss() -> Double {
            operation.forward(
                features: features.view, values: values.view, maps: maps,
                into: output.mutableView[columns: 3..<width + 3])
            return weightedSum(weights, output.view[columns: 3..<width + 3])
        }
        _ = loss()
        let gradients = [features, values].map { Matrix(rows: $0.rows, columns: width) }
        let gradient = parameters.gradient {
            operation.backward(
                weights.view, features: features.view, values: values.view, maps: maps,
                featuresGradient: gradients[0].mutableView, valuesGradient: gradients[1].mutableView, gradients: $0)
        }
        // With one centre nothing can move it.
        if centres > 1 {
            expectGradient(gradient, of: parameters.values.pointer, tolerance: 1e-2, loss: loss, "bias and α")
            expectGradient(gradients[0].elements, of: features.pointer, tolerance: 1e-2, loss: loss, "features")
        }
        expectGradient(gradients[1].elements, of: values.pointer, loss: loss, "values")
    }

    @Test(
        "clustering of windows in hyperbolic space: features, values, bias, α₂",
        arguments: [0.1, 1, 2.5], [Float(0.4), 3])
    func windowClustering(curvature: Double, size: Float) {
        let maps = FeatureMaps(samples: 2, height: 6, width: 6)
        let (heads, headWidth, windows, centres) = (2, 3, 3, 2)
        let parameters = Parameters()
        let bias = parameters.add(matrix(heads * centres * centres, windows * windows, scale: 0.5))
        let alpha = parameters.add(Matrix(rows: 1, columns: 1, elements: [1.3]))
        let operation = WindowClustering(
            shape: WindowClustering.Shape(heads: heads, headWidth: headWidth, windows: windows, centres: centres),
            space: LorentzModel(curvature: curvature), bias: parameters.tensor(bias), alpha: parameters.tensor(alpha))
        let width = heads * headWidth
        // With the larger size, most means are longer than 1 and clipped.
        let (features, values) = (
            matrix(maps.rowCount, width, scale: size, seed: 1), matrix(maps.rowCount, width, seed: 2)
        )
        let output = Matrix(rows: maps.rowCount, columns: width)
        let weights = matrix(maps.rowCount, width, seed: 3)
        func loss() -> Double {
            operation.forward(
                features: features.view, values: values.view, maps: maps, into: output.mutableView)
            return weightedSum(weights, output.view)
        }
        _ = loss()
        let gradients = [features, values].map { Matrix(rows: $0.rows, columns: width) }
        let gradient = parameters.gradient {
            operation.backward(
                weights.view, maps: maps, featuresGradient: gradients[0].mutableView,
                valuesGradient: gradients[1].mutableView, gradients: $0)
        }
        expectGradient(gradient, of: parameters.values.pointer, tolerance: 1e-2, loss: loss, "bias and α₂")
        expectGradient(gradients[0].elements, of: features.pointer, tolerance: 2e-2, loss: loss, "features")
        expectGradient(gradients[1].elements, of: values.pointer, loss: loss, "values")
    }

    @Test("clustering of all zeros, of points that coincide with their centre, and of huge numbers stays finite")
    func degenerateClustering() {
        let maps = FeatureMaps(samples: 1, height: 2, width: 2)
        let parameters = Parameters()
        let bias = parameters.add(Matrix(rows: 2, columns: 4))
        let bias2 = parameters.add(Matrix(rows: 2, columns: 1))
        let one = parameters.add(Matrix(rows: 1, columns: 1, elements: [1]))
        let patches = PatchClustering(
            shape: PatchClustering.Shape(heads: 2, headWidth: 3, windows: 1, centres: 1, biasSide: 2),
            bias: parameters.tensor(bias), alpha: parameters.tensor(one))
        let windows = WindowClustering(
            shape: WindowClustering.Shape(heads: 2, headWidth: 3, windows: 1, centres: 1),
            space: LorentzModel(curvature: 1), bias: parameters.tensor(bias2), alpha: parameters.tensor(one))
        for size in [Float(0), 1e-30, 1, 1e15] {
            let input = matrix(4, 6, scale: size)
            let output = Matrix(rows: 4, columns: 6)
            let (first, second) = (Matrix(rows: 4, columns: 6), Matrix(rows: 4, columns: 6))
            let weights = matrix(4, 6, seed: 1)
            patches.forward(features: input.view, values: input.view, maps: maps, into: output.mutableView)
            var results = output.elements
            windows.forward(features: input.view, values: input.view, maps: maps, into: output.mutableView)
            results += output.elements
            results += parameters.gradient {
                patches.backward(
                    weights.view, features: input.view, values: input.view, maps: maps,
                    featuresGradient: first.mutableView, valuesGradient: second.mutableView, gradients: $0)
                windows.backward(
                    weights.view, maps: maps, featuresGradient: first.mutableView, valuesGradient: second.mutableView,
                    gradients: $0)
            }
            results += first.elements + second.elements
            #expect(results.allSatisfy { $0.isFinite }, "numbers near \(size)")
        }
    }
}

@Suite("Lane by lane")
struct LaneByLaneTests {
    @Test("gradients set one lane at a time have the bits of those set block by block", arguments: [1, 3, 5, 8])
    func sameBits(laneCount: Int) {
        var layout = ParameterLayout()
        layout.appendDense(name: "a", rows: 3, columns: 5)
        layout.appendDense(name: "b", rows: 1, columns: 7)
        let lanes = (0..<laneCount).map { matrix(1, layout.elementCount, seed: $0) }
        let tree = LaneTree(laneCount: laneCount)
        for range in [0..<laneCount, laneCount / 2..<laneCount] {
            let together = LaneGradients(tree: tree, lanes: range, layout: layout)
            for block in layout.blocks {
                together.set(block) { lane, gradient in
                    gradient.update(
                        from: lanes[range.lowerBound + lane].pointer + block.elements.lowerBound,
                        count: block.elements.count)
                }
            }
            let apart = LaneGradients(tree: tree, lanes: range, layout: layout)
            apart.setLaneByLane(layout) { lane, gradients in
                for block in layout.blocks {
                    gradients.set(block) { only, gradient in
                        #expect(only == 0)
                        gradient.update(
                            from: lanes[range.lowerBound + lane].pointer + block.elements.lowerBound,
                            count: block.elements.count)
                    }
                }
            }
            for node in together.nodes.indices {
                for index in 0..<layout.elementCount {
                    #expect(together.sum(ofNode: node)[index] == apart.sum(ofNode: node)[index])
                }
            }
        }
    }
}
