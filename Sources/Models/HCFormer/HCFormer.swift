public import LinearAlgebra
public import NeuralNetwork

/// An HCFormer without its classifier: images to one vector for each.
///
/// Samples meet in no operation, so that a batch is worked through lane by lane.
public final class HCFormer {
    /// A convolution and the blocks that work on what it gives.
    private struct Stage {
        let reduction: Convolution
        let blocks: [HCFormerBlock]
        let reduced = Matrix()  // [T, C]
        let gradient = Matrix()  // [T, C]

        var isTrained: Bool { reduction.linear.isTrained || blocks.contains(where: \.isTrained) }
        var output: MatrixView { blocks.last?.output ?? reduced.view }
    }

    public let configuration: HCFormerConfiguration
    private let stages: [Stage]
    private let normalization: GroupNormalization
    private let normalized = Matrix()  // [T, C] of the last stage
    private let normalizedGradient = Matrix()
    private let features = Matrix()  // [samples, C]
    private let scratch = HCFormerBlock.Scratch()
    private var maps: [FeatureMaps] = []  // of the images, then of each stage
    private var batches: [PackedBatch] = []  // of each stage

    /// - Parameters:
    ///   - tensors: live as long as the network.
    /// - Throws: what finding a tensor throws.
    public init(configuration: HCFormerConfiguration, tensors: TensorSource) throws {
        let sides = configuration.mapSides(imageSide: configuration.imageSide)
        self.configuration = configuration
        stages = try configuration.stages.enumerated().map { index, stage in
            let isFirst = index == 0
            let inputs = isFirst ? configuration.channels : configuration.stages[index - 1].width
            let side = isFirst ? configuration.stem : 3
            let name = isFirst ? "patch_embed.proj" : HCFormerNames.reduction(beforeStage: index)
            return Stage(
                reduction: Convolution(
                    linear: try tensors.linear(name, outputs: stage.width, inputs: inputs * side * side),
                    kernelSide: side, stride: isFirst ? side : 2, padding: isFirst ? 0 : 1),
                blocks: try (0..<stage.depth).map {
                    try HCFormerBlock(
                        name: HCFormerNames.block($0, ofStage: index), stage: stage, configuration: configuration,
                        side: sides[index], tensors: tensors)
                })
        }
        normalization = try tensors.normalization("norm", columns: configuration.stages.last?.width ?? 0)
        batches = stages.map { _ in .oneLane(samples: 0, rowsEach: 0) }
    }

    /// Width of the vectors.
    public var featureWidth: Int { configuration.stages.last?.width ?? 0 }

    /// Every linear layer that an adapter can be attached to, from the images to the classifier.
    public var linears: [AdaptedLinear] { stages.flatMap { $0.blocks.flatMap(\.linears) } }

    /// The vectors of some samples of one lane: [samples, featureWidth].
    ///
    /// - Parameters:
    ///   - images: [rows of `maps`, channels], contiguous.
    ///   - maps: of any size that the stem fits in.
    ///   - firstSlot: place in the global batch of the first of them.
    public func forward(_ images: MatrixView, maps imageMaps: FeatureMaps, firstSlot: Int, pass: Pass) -> MatrixView {
        maps = [imageMaps]
        var input = images
        for (index, stage) in stages.enumerated() {
            let stageMaps = stage.reduction.outputMaps(of: maps[index])
            stage.reduced.resize(rows: stageMaps.rowCount, columns: stage.reduction.linear.outputs)
            stage.reduction.forward(
                input, maps: maps[index], firstSlot: firstSlot, into: stage.reduced.mutableView, pass: pass)
            batches[index] = batches[index].reused(
                samples: stageMaps.samples, rowsEach: stageMaps.places, firstSlot: firstSlot)
            maps.append(stageMaps)
            input = stage.reduced.view
            for block in stage.blocks {
                block.forward(input, maps: stageMaps, batch: batches[index], pass: pass, scratch: scratch)
                input = block.output
            }
        }
        let last = maps[stages.count]
        normalized.resize(rows: last.rowCount, columns: featureWidth)
        normalization.forward(input, maps: last, into: normalized.mutableView)
        features.resize(rows: last.samples, columns: featureWidth)
        MeanPooling.forward(normalized.view, maps: last, into: features.mutableView)
        return features.view
    }

    /// Sets the gradients of what is trained, from that of the vectors of the latest `forward`. Stops where nothing below is
    /// trained.
    ///
    /// - Parameters:
    ///   - images: what `forward` was given.
    ///   - gradients: of the lane that the samples are.
    public func backward(
        _ featuresGradient: MatrixView, images: MatrixView, pass: Pass, gradients: LaneGradients
    ) {
        guard let lowest = stages.firstIndex(where: \.isTrained), let last = stages.last else { return }
        let lastMaps = maps[stages.count]
        normalizedGradient.resize(rows: lastMaps.rowCount, columns: featureWidth)
        MeanPooling.backward(featuresGradient, maps: lastMaps, inputGradient: normalizedGradient.mutableView)
        last.gradient.resize(rows: lastMaps.rowCount, columns: featureWidth)
        last.gradient.mutableView.clear()
        normalization.backward(
            normalizedGradient.view, input: last.output, maps: lastMaps, inputGradient: last.gradient.mutableView,
            gradients: gradients)
        for (index, stage) in stages.enumerated().reversed() where index >= lowest {
            for (position, block) in stage.blocks.enumerated().reversed() {
                block.backward(
                    stage.gradient.mutableView,
                    input: position == 0 ? stage.reduced.view : stage.blocks[position - 1].output,
                    maps: maps[index + 1], batch: batches[index], pass: pass, gradients: gradients, scratch: scratch)
            }
            let below = index > lowest ? stages[index - 1] : nil
            below?.gradient.resize(rows: maps[index].rowCount, columns: stage.reduction.inputChannels)
            stage.reduction.backward(
                stage.gradient.view, maps: maps[index], inputGradient: below?.gradient.mutableView, pass: pass,
                gradients: gradients)
        }
    }
}

extension TensorSource {
    func normalization(_ name: String, columns: Int) throws -> GroupNormalization {
        GroupNormalization(gain: try tensor(name + ".weight"), offset: try tensor(name + ".bias"), columns: columns)
    }
}
