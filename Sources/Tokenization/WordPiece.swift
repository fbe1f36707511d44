import Diagnostics

/// BERT's model: the longest token that a word starts with, and so on with the rest.
struct WordPiece: Sendable {
    let vocabulary: Vocabulary
    /// What stands for a word that cannot be put together.
    private let unknown: Int32?
    /// In scalars; a longer word becomes the unknown token.
    private let longestWord: Int
    private let trie: ByteTrie
    /// Where the search for all but a word's first token starts; nil if the vocabulary has no such tokens.
    private let continuation: ByteTrie.Node?

    init(
        vocabulary: Vocabulary, unknown: Int32?, continuationPrefix: [UInt8], longestWord: Int, path: String
    ) throws(TokenizationError) {
        self.vocabulary = vocabulary
        self.unknown = unknown
        self.longestWord = longestWord
        var trie = ByteTrie()
        for (token, id) in vocabulary.tokens {
            guard trie.insert(token, value: id) else { throw .tooLarge(path) }
        }
        self.trie = trie
        continuation = trie.node(after: continuationPrefix)
    }

    func append(_ bytes: [UInt8], _ piece: Range<Int>, to tokens: inout [ModelToken]) throws(TokenizationError) {
        let first = tokens.count
        var position = piece.lowerBound
        var node: ByteTrie.Node? = ByteTrie.root
        if !isTooLong(bytes, piece) {
            while position < piece.upperBound, let start = node,
                let match = trie.longestMatch(in: bytes, position..<piece.upperBound, from: start)
            {
                tokens.append(ModelToken(match.value, position - piece.lowerBound, match.end - piece.lowerBound))
                position = match.end
                node = continuation
            }
        }
        guard position < piece.upperBound else { return }
        tokens.removeLast(tokens.count - first)
        guard let unknown else { throw .missingUnknown(bytes[piece]) }
        tokens.append(ModelToken(unknown, 0, piece.count))
    }

    @inline(__always)
    private func isTooLong(_ bytes: [UInt8], _ piece: Range<Int>) -> Bool {
        guard piece.count > longestWord else { return false }
        return bytes[piece].count { $0 & 0xC0 != 0x80 } > longestWord
    }
}

extension TokenizationError {
    static func tooLarge(_ path: String) -> TokenizationError {
        TokenizationError(
            .badData, "\(path): the vocabulary is too large, expected less than 16 million bytes of tokens")
    }
}
