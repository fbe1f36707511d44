public import NeuralNetwork

/// A family of encoders: what a `config.json` of it says, and what its networks compute.
///
/// Everything else (loading, backward pass, buffers, what can be adapted, exports) follows from the description.
public protocol EncoderFamily: Sendable {
    /// What `config.json` calls the family: `model_type`.
    static var modelTypes: [String] { get }
    /// What the names of the encoder's tensors begin with in a model with a head, and may lack without one.
    static var root: String { get }
    /// transformers' class for the classification of sequences, for each of `modelTypes`.
    static var classifierArchitectures: [String: String] { get }
    /// The linear layers of a block, which adapters are attached to unless a configuration names others.
    static var targetModules: [String] { get }

    /// - Parameters:
    ///   - json: the contents of config.json.
    ///   - path: of the file, for messages.
    init(json: [String: Any], path: String) throws(ModelError)

    var limits: EncoderLimits { get }
    var dropouts: EncoderDropouts { get }

    /// How the network tells the distances of tokens apart; nil where it does not.
    var distances: TokenDistances? { get }

    /// The hidden states of the last layer, a row for each token.
    func hiddenStates(in model: ModelDescription) -> NetworkValue

    /// What the last layer of a head for sequences reads, a row for each sample.
    func features(of hiddenStates: NetworkValue, in model: ModelDescription) -> NetworkValue

    /// The name of that layer.
    static var classifier: String { get }
}

/// Which sequences an encoder can read.
public struct EncoderLimits: Sendable, Equatable {
    /// Tokens that the word embedding knows.
    public let vocabularySize: Int
    /// Longest sequence, special tokens included.
    public let longestSequence: Int
    /// Kinds of segments: 1, or 2 where pairs are told apart; nil where segments are not read.
    public let segmentCount: Int?
}

/// Probabilities of dropping that an encoder's configuration says.
public struct EncoderDropouts: Sendable, Equatable {
    /// Of the input of the head's last layer.
    public let classifier: Double
}

/// Sites of dropout that no encoder's own blocks use.
enum DropoutSite {
    /// Of the input of a head's last layer.
    static let classifier = 0x70_0000
    /// Of what lies between the hidden states and the head.
    static let features = 0x70_0001
}

extension EncoderFamily {
    public static var classifier: String { "classifier" }
    public var distances: TokenDistances? { nil }
}

/// The families that can be read: a line for each.
enum EncoderFamilies {
    static let all: [any EncoderFamily.Type] = [
        BERTConfiguration.self,
        RoBERTaConfiguration.self,
        ELECTRAConfiguration.self,
        DistilBERTConfiguration.self,
        ModernBERTConfiguration.self,
        DeBERTaConfiguration.self,
        MPNetConfiguration.self,
    ]

    static func family(ofModelType type: String) -> (any EncoderFamily.Type)? {
        all.first { $0.modelTypes.contains(type) }
    }
}
