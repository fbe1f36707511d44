/// A text, or a pair of texts, as the numbers that a model takes.
public struct TokenizedText: Sendable, Equatable {
    /// The tokens' numbers, special tokens included.
    public var ids: [Int32]
    /// Which text each token belongs to, as long as `ids`: BERT's `token_type_ids`, 0 for the first and 1 for the second.
    public var typeIDs: [Int32]

    public init(ids: [Int32], typeIDs: [Int32]) {
        self.ids = ids
        self.typeIDs = typeIDs
    }
}
