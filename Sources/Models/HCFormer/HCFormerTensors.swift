/// One tensor of an HCFormer: its name and shape in PyTorch, and what it holds before training.
public struct HCFormerTensor: Sendable, Equatable {
    public enum Start: Sendable, Equatable {
        case normal(standardDeviation: Double)
        case constant(Float)
    }

    public let name: String
    public let shape: [Int]
    public let start: Start

    public var elementCount: Int { shape.reduce(1, *) }
    /// As it lies among trained parameters: a bias of positions has a row for each of its maps.
    public var laidOut: TrainedTensors.Tensor {
        let isMap = name.hasSuffix(".relative_position_bias") || name.hasSuffix(".relative_position_bias2")
        return .init(name: name, shape: shape, rows: isMap ? shape[0] * shape[1] : nil)
    }
}

extension HCFormerConfiguration {
    /// The number of all tensors' elements.
    public var parameterCount: Int { tensors.reduce(0) { $0 + $1.elementCount } }

    /// Every tensor, from the images to the classes, with the names of the authors' network.
    public var tensors: [HCFormerTensor] {
        var tensors: [HCFormerTensor] = []
        func add(_ name: String, _ shape: [Int], _ start: HCFormerTensor.Start) {
            tensors.append(HCFormerTensor(name: name, shape: shape, start: start))
        }
        // PyTorch draws weights uniformly from ±1/√inputs; this is a normal distribution as wide. (The authors draw those of
        // linear layers from N(0, 0.02²), whatever their width, which is very little for narrow networks.)
        func weight(_ name: String, _ shape: [Int], deviation: Double? = nil) {
            let inputs = shape.dropFirst().reduce(1, *)
            add("\(name).weight", shape, .normal(standardDeviation: deviation ?? 1 / (3 * Double(inputs)).squareRoot()))
            add("\(name).bias", [shape[0]], .constant(0))
        }
        func convolution(_ name: String, outputs: Int, inputs: Int, side: Int) {
            weight(name, [outputs, inputs, side, side])
        }
        func normalization(_ name: String, width: Int) {
            add("\(name).weight", [width], .constant(1))
            add("\(name).bias", [width], .constant(0))
        }

        let sides = mapSides(imageSide: imageSide)
        convolution("patch_embed.proj", outputs: stages[0].width, inputs: channels, side: stem)
        for (index, stage) in stages.enumerated() {
            if index > 0 {
                convolution(
                    HCFormerNames.reduction(beforeStage: index), outputs: stage.width,
                    inputs: stages[index - 1].width, side: 3)
            }
            let (width, inner) = (stage.width, stage.heads * headWidth)
            for block in 0..<stage.depth {
                let name = HCFormerNames.block(block, ofStage: index)
                let mixer = name + ".token_mixer"
                add("\(name).layer_scale_1", [width], .constant(Float(layerScale)))
                add("\(name).layer_scale_2", [width], .constant(Float(layerScale)))
                normalization("\(name).norm1", width: width)
                convolution("\(mixer).f", outputs: inner, inputs: width, side: 1)
                convolution("\(mixer).v", outputs: inner, inputs: width, side: 1)
                convolution(
                    "\(mixer).proj", outputs: width, inputs: stage.windowCentres > 0 ? 2 * inner : inner, side: 1)
                add(
                    "\(mixer).relative_position_bias",
                    [stage.heads, stage.patchCentres * stage.patchCentres, sides[index], sides[index]], .constant(0))
                add("\(mixer).sim_alpha", [1], .constant(1))
                if stage.windowCentres > 0 {
                    add(
                        "\(mixer).relative_position_bias2",
                        [stage.heads, stage.windowCentres * stage.windowCentres, stage.windows, stage.windows],
                        .constant(0))
                    add("\(mixer).sim_alpha2", [1], .constant(1))
                }
                normalization("\(name).norm2", width: width)
                weight("\(name).mlp.fc1", [width * stage.expansion, width])
                weight("\(name).mlp.fc2", [width, width * stage.expansion])
            }
        }
        normalization("norm", width: stages[stages.count - 1].width)
        weight("head", [classCount, stages[stages.count - 1].width], deviation: 0.02)
        return tensors
    }
}

/// The modules' names; stages and the convolutions between them alternate in `network`.
enum HCFormerNames {
    static func block(_ block: Int, ofStage stage: Int) -> String { "network.\(2 * stage).\(block)" }
    static func reduction(beforeStage stage: Int) -> String { "network.\(2 * stage - 1).proj" }
}
