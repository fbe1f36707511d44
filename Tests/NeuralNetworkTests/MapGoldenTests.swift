import FixtureFiles
import LinearAlgebra
import NeuralNetwork
import Testing

/// PyTorch's values in double precision; see Tests/goldens/make_image_goldens.py.
private struct MapGolden: Decodable {
    struct Convolution: Decodable {
        let kernel, stride, padding, samples, height, width: Int
        let input, weight, output, upstream, dInput, dWeight: [[Double]]
        let bias, dBias: [Double]
    }

    struct Normalization: Decodable {
        let samples, height, width: Int?
        let input, output, upstream, dInput: [[Double]]
        let weight, bias, dWeight, dBias: [Double]
        let runningMean, runningVariance: [Double]?
    }

    let convolutions: [Convolution]
    let groupNorm, batchNorm, layerNorm: Normalization
}

private func rows(_ values: [[Double]]) -> Matrix {
    Matrix(rows: values.count, columns: values[0].count, elements: values.flatMap { $0.map(Float.init) })
}

/// Every element within a few units of single precision of the largest one.
private func expectClose(
    _ found: [Float], _ expected: [Double], tolerance: Double = 3e-6, _ what: Comment,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let scale = max(1, expected.map(abs).max() ?? 0)
    #expect(found.count == expected.count, what, sourceLocation: sourceLocation)
    let worst = zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 0
    #expect(worst <= tolerance * scale, "\(what): off by \(worst) of \(scale)", sourceLocation: sourceLocation)
}

@Suite("The operations on maps agree with PyTorch in double precision")
struct MapGoldenTests {
    private let golden: MapGolden

    init() throws {
        golden = try Fixture.json("map-operations-golden.json")
    }

    @Test("convolutions, which the golden script holds against explicit Toeplitz products")
    func convolutions() {
        for golden in golden.convolutions {
            let (weight, bias) = (rows(golden.weight), rows([golden.bias]))
            let parameters = Matrix(rows: 1, columns: weight.elements.count + bias.columns)
            var layout = ParameterLayout()
            let weightBlock = layout.appendDense(name: "weight", rows: weight.rows, columns: weight.columns)
            let biasBlock = layout.appendDense(name: "bias", rows: 1, columns: bias.columns)
            for (index, value) in (weight.elements + bias.elements).enumerated() { parameters.pointer[index] = value }
            let operation = Convolution(
                linear: AdaptedLinear(
                    path: "",
                    weight: .plain(MatrixView(base: parameters.pointer, rows: weight.rows, columns: weight.columns)),
                    bias: parameters.pointer + weight.elements.count,
                    trained: (weightBlock, biasBlock)), kernelSide: golden.kernel, stride: golden.stride,
                padding: golden.padding)
            let maps = FeatureMaps(samples: golden.samples, height: golden.height, width: golden.width)
            let (input, upstream) = (rows(golden.input), rows(golden.upstream))
            let output = Matrix(rows: golden.output.count, columns: golden.output[0].count)
            operation.forward(input.view, maps: maps, into: output.mutableView, pass: .inference)
            expectClose(output.elements, golden.output.flatMap(\.self), "output")
            let gradients = LaneGradients(tree: LaneTree(laneCount: 1), lanes: 0..<1, layout: layout)
            operation.backward(
                upstream.view, maps: maps, inputGradient: input.mutableView, pass: .inference, gradients: gradients)
            let gradient = Array(UnsafeBufferPointer(start: gradients.sum(ofNode: 0), count: layout.elementCount))
            expectClose(input.elements, golden.dInput.flatMap(\.self), "input's gradient")
            expectClose(gradient, golden.dWeight.flatMap(\.self) + golden.dBias, "weight's and bias's gradient")
            withExtendedLifetime((parameters, upstream)) {}
        }
    }

    @Test("group norm; as layer norm, where a constant row gives 0 before the offset")
    func groupAndLayerNormalization() throws {
        try expectGroupNormalization(
            golden.groupNorm,
            maps: FeatureMaps(
                samples: #require(golden.groupNorm.samples), height: #require(golden.groupNorm.height),
                width: #require(golden.groupNorm.width)))
        let rowCount = golden.layerNorm.input.count
        let output = try expectGroupNormalization(
            golden.layerNorm, maps: FeatureMaps(samples: rowCount, height: 1, width: 1))
        #expect(output.suffix(golden.layerNorm.bias.count) == golden.layerNorm.bias.map { Float($0) }[...])
    }

    /// - Returns: the output's elements.
    @discardableResult
    private func expectGroupNormalization(_ golden: MapGolden.Normalization, maps: FeatureMaps) throws -> [Float] {
        let columns = golden.weight.count
        let (layout, parameters, tensors) = trained([golden.weight, golden.bias])
        let operation = GroupNormalization(gain: tensors[0], offset: tensors[1], columns: columns)
        let (input, upstream) = (rows(golden.input), rows(golden.upstream))
        let (output, inputGradient) = (
            Matrix(rows: maps.rowCount, columns: columns), Matrix(rows: maps.rowCount, columns: columns)
        )
        operation.forward(input.view, maps: maps, into: output.mutableView)
        let gradients = LaneGradients(tree: LaneTree(laneCount: 1), lanes: 0..<1, layout: layout)
        operation.backward(
            upstream.view, input: input.view, maps: maps, inputGradient: inputGradient.mutableView,
            gradients: gradients)
        expectClose(output.elements, golden.output.flatMap(\.self), "output")
        // A constant row's 1/√ε multiplies what is left of its differences: only the output is fixed there.
        expectClose(
            inputGradient.elements, golden.dInput.flatMap(\.self), tolerance: 1e-5, "input's gradient")
        expectClose(
            Array(UnsafeBufferPointer(start: gradients.sum(ofNode: 0), count: layout.elementCount)),
            golden.dWeight + golden.dBias, "gain's and offset's gradient")
        withExtendedLifetime((parameters, upstream)) {}
        return output.elements
    }

    private func trained(
        _ vectors: [[Double]]
    ) -> (layout: ParameterLayout, parameters: Matrix, tensors: [NetworkTensor]) {
        var layout = ParameterLayout()
        let blocks = vectors.map { layout.appendDense(name: "", rows: 1, columns: $0.count) }
        let parameters = rows([vectors.flatMap(\.self)])
        let tensors = blocks.map {
            NetworkTensor(values: UnsafePointer(parameters.pointer + $0.elements.lowerBound), block: $0)
        }
        return (layout, parameters, tensors)
    }

    @Test("batch norm over the global batch: the same bits however lanes lie on processes")
    func batchNormalization() throws {
        let golden = golden.batchNorm
        let (rowCount, columns, laneCount) = (golden.input.count, golden.weight.count, 3)
        let tree = LaneTree(laneCount: laneCount)
        let slots = (0..<laneCount).map { tree.slots($0, rowCount) }
        var results: [[UInt32]] = []
        for processCount in 1...laneCount {
            let outcome = try normalizedByProcesses(golden, tree: tree, slots: slots, processCount: processCount)
            expectClose(outcome.output, golden.output.flatMap(\.self), tolerance: 1e-6, "output")
            expectClose(outcome.inputGradient, golden.dInput.flatMap(\.self), "input's gradient")
            // Inputs near 300 are rounded by 1.5e-5 of their deviation before anything is computed.
            expectClose(
                outcome.parameterGradient, golden.dWeight + golden.dBias, tolerance: 1e-5,
                "gain's and offset's gradient")
            for column in 0..<columns {
                let (mean, variance) = (golden.runningMean?[column] ?? 0, golden.runningVariance?[column] ?? 0)
                // The inputs themselves are rounded to single precision.
                #expect(abs(outcome.operation.runningMean[column] - mean) < 1e-5 * max(1, abs(mean)))
                #expect(abs(outcome.operation.runningVariance[column] - variance) < 1e-5)
            }
            results.append(
                (outcome.output + outcome.inputGradient + outcome.parameterGradient).map(\.bitPattern))
        }
        #expect(Set(results).count == 1)
    }

    private struct Outcome {
        let operation: BatchNormalization
        let output, inputGradient, parameterGradient: [Float]
    }

    /// Every process works on its own rows; sums over lanes are taken as a job takes them, from all lanes' vectors.
    private func normalizedByProcesses(
        _ golden: MapGolden.Normalization, tree: LaneTree, slots: [Range<Int>], processCount: Int
    ) throws -> Outcome {
        let (rowCount, columns) = (golden.input.count, golden.weight.count)
        let (layout, parameters, tensors) = trained([golden.weight, golden.bias])
        let (input, upstream) = (rows(golden.input), rows(golden.upstream))
        let (output, inputGradient) = (
            Matrix(rows: rowCount, columns: columns), Matrix(rows: rowCount, columns: columns)
        )
        let operations = (0..<processCount).map { _ in
            BatchNormalization(gain: tensors[0], offset: tensors[1], columns: columns)
        }
        let lanes = (0..<processCount).map { Array(slots[tree.lanes(ofProcess: $0, of: processCount)]) }
        // One pass for each exchange finds out what every process sends in it; the last has all answers.
        struct Waiting: Error {}
        var sent: [[[[Double]]]] = []
        func run(_ body: (Int, ([[Double]]) throws -> [Double]) throws -> Void) throws {
            sent = []
            while true {
                var now: [[[Double]]] = []
                for process in 0..<processCount {
                    var exchange = 0
                    do {
                        try body(process) { vectors in
                            defer { exchange += 1 }
                            if exchange < sent.count { return tree.total(sent[exchange].flatMap(\.self)) }
                            now.append(vectors)
                            throw Waiting()
                        }
                    } catch is Waiting {}
                }
                if now.isEmpty { return }
                sent.append(now)
            }
        }
        var fresh = operations
        try run { process, sum in
            fresh[process] = BatchNormalization(gain: tensors[0], offset: tensors[1], columns: columns)
            try fresh[process].forward(
                input.view, lanes: lanes[process], rowCount: rowCount, into: output.mutableView,
                pass: .training(seed: 0, step: 0), sum: sum)
        }
        let gradients = (0..<processCount).map {
            LaneGradients(tree: tree, lanes: tree.lanes(ofProcess: $0, of: processCount), layout: layout)
        }
        try run { process, sum in
            try fresh[process].backward(
                upstream.view, lanes: lanes[process], inputGradient: inputGradient.mutableView,
                gradients: gradients[process], sum: sum)
        }
        let sums = gradients.flatMap { gradients in
            gradients.nodes.indices.map { (gradients.nodes[$0], gradients.sum(ofNode: $0)) }
        }
        let total = tree.completed(sums, count: layout.elementCount)
        defer { withExtendedLifetime((parameters, gradients)) {} }
        return Outcome(
            operation: fresh[0], output: output.elements, inputGradient: inputGradient.elements,
            parameterGradient: Array(UnsafeBufferPointer(start: total, count: layout.elementCount)))
    }

    @Test("batch norm refuses one row, and uses the running statistics outside training")
    func batchNormalizationEdges() throws {
        let (_, parameters, tensors) = trained([[2, 3], [1, -1]])
        let operation = BatchNormalization(gain: tensors[0], offset: tensors[1], columns: 2, epsilon: 0)
        let (input, output) = (Matrix(rows: 1, columns: 2, elements: [5, 7]), Matrix(rows: 1, columns: 2))
        let error = #expect(throws: BatchNormalizationError.self) {
            try operation.forward(
                input.view, lanes: [0..<1], rowCount: 1, into: output.mutableView, pass: .training(seed: 0, step: 0),
                sum: { $0[0] })
        }
        #expect(error?.rowCount == 1)
        try operation.forward(
            input.view, lanes: [0..<1], rowCount: 1, into: output.mutableView, pass: .inference, sum: { $0[0] })
        #expect(output.elements == [11, 20])
        withExtendedLifetime(parameters) {}
    }
}

extension LaneTree {
    fileprivate func slots(_ lane: Int, _ count: Int) -> Range<Int> {
        lane * count / laneCount..<(lane + 1) * count / laneCount
    }
}
