internal import Diagnostics
public import NeuralNetwork

/// RoBERTa (Liu et al. 2019) and XLM-RoBERTa: BERT's blocks, positions that begin behind the padding token's row, and a head of
/// two layers.
public struct RoBERTaConfiguration: EncoderFamily, Equatable {
    /// What it shares with BERT.
    let bert: BERTConfiguration
    /// `pad_token_id`: positions begin one row behind it.
    let paddingToken: Int

    public static var modelTypes: [String] { ["roberta", "xlm-roberta"] }
    public static var root: String { "roberta." }
    public static var classifierArchitectures: [String: String] {
        ["roberta": "RobertaForSequenceClassification", "xlm-roberta": "XLMRobertaForSequenceClassification"]
    }
    public static var targetModules: [String] { BERTConfiguration.targetModules }
    public static var classifier: String { "classifier.out_proj" }

    public init(json: [String: Any], path: String) throws(ModelError) {
        bert = try BERTConfiguration(json: json, path: path)
        paddingToken = try ConfigurationReader(json: json, path: path).count("pad_token_id", default: 1, from: 0)
        guard bert.positionCount > paddingToken + 1 else {
            throw ModelError(
                .badData,
                "\(path): max_position_embeddings is \(bert.positionCount), expected more than pad_token_id + 1, "
                    + "\(paddingToken + 1), as the positions begin behind it")
        }
    }

    public var limits: EncoderLimits {
        EncoderLimits(
            vocabularySize: bert.vocabularySize, longestSequence: bert.positionCount - paddingToken - 1,
            segmentCount: bert.segmentCount)
    }

    public var dropouts: EncoderDropouts { bert.dropouts }

    public func hiddenStates(in model: ModelDescription) -> NetworkValue {
        bert.blocks(
            of: bert.embedded(in: model, root: Self.root, positionOffset: paddingToken + 1), in: model,
            root: Self.root)
    }

    public func features(of hiddenStates: NetworkValue, in model: ModelDescription) -> NetworkValue {
        model.network.tanh(model.headLayer(hiddenStates, dropout: bert.classifierDropout))
    }
}
