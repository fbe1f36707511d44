public import NeuralNetwork

/// A tensor of a model, and where its values come from.
public struct ModelTensor {
    public enum Role: Sendable {
        /// Of the pretrained network: the model's folder has it.
        case pretrained
        /// Between the pretrained network and the head: frozen where the folder has it, else new.
        case pooler
        /// Of the head: always trained.
        case head
    }

    /// What a tensor that is new begins as.
    public enum Start: Sendable {
        case zero
        case one
        /// Drawn at random.
        case random
    }

    public let tensor: NetworkTensor
    public let role: Role
    public let start: Start
    /// Whether it may be held in codes.
    let isQuantizable: Bool

    public var name: String { tensor.name }
    /// The name of the module that it is a part of.
    public var module: String { name.split(separator: ".").dropLast().joined(separator: ".") }
}

/// A network as a family describes it: what is computed, and the tensors that it is computed with, by the names that Hugging
/// Face gives them.
///
/// The tensors have no values yet. Which there are, in which order, and which linear layers can be adapted, follows from the
/// description.
public final class ModelDescription {
    public let network = NetworkDescription()
    /// In the order in which they were described.
    public private(set) var tensors: [ModelTensor] = []
    /// Every linear layer that an adapter can be attached to, in the order in which they were described.
    public private(set) var linears: [AdaptedLinear] = []
    private let dropout: Double?

    /// - Parameter dropout: replaces all probabilities; nil keeps them.
    public init(dropout: Double? = nil) {
        self.dropout = dropout
    }

    /// Dropout at a site, which no two places of a network may share.
    func dropout(_ probability: Double, site: Int) -> Dropout {
        Dropout(site: UInt32(site), probability: dropout ?? probability)
    }

    func tensor(
        _ name: String, _ shape: [Int], _ role: ModelTensor.Role = .pretrained, start: ModelTensor.Start = .zero,
        isQuantizable: Bool = false
    ) -> NetworkTensor {
        let tensor = NetworkTensor(name: name, shape: shape)
        tensors.append(ModelTensor(tensor: tensor, role: role, start: start, isQuantizable: isQuantizable))
        return tensor
    }

    /// The linear layer whose tensors are `name.weight`, [outputs, inputs], and `name.bias`.
    func layer(
        _ name: String, _ outputs: Int, _ inputs: Int, hasBias: Bool = true, _ role: ModelTensor.Role = .pretrained
    ) -> AdaptedLinear {
        let layer = AdaptedLinear(
            path: name,
            weight: tensor("\(name).weight", [outputs, inputs], role, start: .random, isQuantizable: true),
            bias: hasBias ? tensor("\(name).bias", [outputs], role) : nil)
        // The head's layers are trained in full.
        if role != .head { linears.append(layer) }
        return layer
    }

    /// What a layer gives, which is described here.
    func linear(
        _ x: NetworkValue, _ name: String, outputs: Int, hasBias: Bool = true, _ role: ModelTensor.Role = .pretrained
    ) -> NetworkValue {
        network.linear(x, layer(name, outputs, network.columns(of: x), hasBias: hasBias, role))
    }

    /// A convolution's product with windows of tokens; its weight, [outputs, inputs, width], is no layer that is adapted.
    func convolution(_ windows: NetworkValue, _ name: String, outputs: Int, width: Int) -> NetworkValue {
        let inputs = network.columns(of: windows) / width
        return network.linear(
            windows,
            AdaptedLinear(
                path: name, weight: tensor("\(name).weight", [outputs, inputs, width], start: .random),
                bias: tensor("\(name).bias", [outputs])))
    }

    /// `LayerNorm(residual + dropout(x))`, with the tensors `name.weight` and `name.bias`.
    func normalized(
        _ x: NetworkValue, plus residual: NetworkValue? = nil, _ name: String, epsilon: Float,
        dropout: Dropout = Dropout(site: 0, probability: 0), hasBias: Bool = true,
        _ role: ModelTensor.Role = .pretrained
    ) -> NetworkValue {
        let columns = network.columns(of: x)
        return network.normalized(
            x, plus: residual,
            ResidualNormalization(
                gain: tensor("\(name).weight", [columns], role, start: .one),
                offset: hasBias ? tensor("\(name).bias", [columns], role) : nil,
                columns: columns, epsilon: epsilon, dropout: dropout))
    }

    /// dropout(x), where the model's configuration has any there.
    func dropped(_ x: NetworkValue, _ probability: Double, site: Int) -> NetworkValue {
        probability > 0 ? network.dropped(x, dropout(probability, site: site)) : x
    }

    /// A table of embeddings.
    func table(_ name: String, rows: Int, columns: Int, _ index: Embedding.Index) -> Embedding.Table {
        Embedding.Table(tensor(name, [rows, columns], isQuantizable: index == .tokens), index)
    }

    /// `dense(dropout(first row))`, the first layer of a head of two: `classifier.dense`.
    func headLayer(_ hiddenStates: NetworkValue, dropout probability: Double) -> NetworkValue {
        linear(
            network.dropped(network.first(hiddenStates), dropout(probability, site: DropoutSite.features)),
            "classifier.dense", outputs: network.columns(of: hiddenStates), .head)
    }

    /// The last layer of a head that gives `outputs` numbers for each sample.
    func output(_ features: NetworkValue, _ name: String, outputs: Int, dropout: Dropout) -> NetworkValue {
        let weight = tensor("\(name).weight", [outputs, network.columns(of: features)], .head, start: .random)
        return network.head(
            features, weight: weight, bias: tensor("\(name).bias", [outputs], .head), dropout: dropout)
    }
}
