/// SentencePiece's model: of all ways to put a word together, the one whose scores add up to the most.
struct Unigram: Sendable {
    let vocabulary: Vocabulary
    /// How many pieces there are, equal ones included.
    let pieceCount: Int
    private let unknown: Int32?
    private let scores: [Double]
    /// What a character costs that no piece starts with alone.
    private let unknownScore: Double
    private let trie: ByteTrie
    /// The tokens of the 256 bytes where a byte stands for what is unknown; nil where it does not.
    private let byteTokens: [Int32]?

    /// What lies before the unknown character's score, below the worst piece's.
    private static let penalty = 10.0

    /// The best way to a position.
    struct Node {
        var score: Double
        /// Where the last piece on it starts; -1 if no way is known.
        var start: Int32
        var id: Int32
    }

    init(
        pieces: [(text: ArraySlice<UInt8>, score: Double)], unknown: Int32?, fallsBackToBytes: Bool, path: String
    ) throws(TokenizationError) {
        var (vocabulary, trie) = (Vocabulary(), ByteTrie())
        for (index, piece) in pieces.enumerated() {
            vocabulary.insert(piece.text, id: Int32(truncatingIfNeeded: index))
            guard trie.insert(piece.text, value: Int32(truncatingIfNeeded: index)) else { throw .tooLarge(path) }
        }
        self.vocabulary = vocabulary
        self.trie = trie
        self.unknown = unknown
        pieceCount = pieces.count
        scores = pieces.map(\.score)
        unknownScore = (scores.min() ?? .infinity) - Self.penalty
        byteTokens = fallsBackToBytes ? vocabulary.byteTokens : nil
    }

    func append(
        _ bytes: [UInt8], _ piece: Range<Int>, to tokens: inout [ModelToken], _ path: inout [Node]
    ) throws(TokenizationError) {
        try findPath(bytes, piece, &path)
        let first = tokens.count
        var end = piece.count
        // From the end to the beginning; unknown characters in a row are one.
        while end > 0 {
            var start = Int(path[end].start)
            let id = path[end].id
            if id == unknown {
                while start > 0, path[start].id == unknown { start = Int(path[start].start) }
                appendUnknown(bytes, piece, start..<end, to: &tokens)
            } else {
                tokens.append(ModelToken(id, start, end))
            }
            end = start
        }
        tokens[first...].reverse()
    }

    /// Appends the tokens, last to first, of characters that no piece starts with.
    private func appendUnknown(
        _ bytes: [UInt8], _ piece: Range<Int>, _ range: Range<Int>, to tokens: inout [ModelToken]
    ) {
        let text = piece.lowerBound + range.lowerBound..<piece.lowerBound + range.upperBound
        if let id = vocabulary.id(of: bytes, text) {
            tokens.append(ModelToken(id, range.lowerBound, range.upperBound))
        } else if let byteTokens, text.allSatisfy({ byteTokens[Int(bytes[$0])] >= 0 }) {
            for index in text.reversed() {
                tokens.append(ModelToken(byteTokens[Int(bytes[index])], range.lowerBound, range.upperBound))
            }
        } else if let unknown {
            tokens.append(ModelToken(unknown, range.lowerBound, range.upperBound))
        }
    }

    /// The best ways to all positions of the piece; of two equally good ones the one found first.
    private func findPath(_ bytes: [UInt8], _ piece: Range<Int>, _ path: inout [Node]) throws(TokenizationError) {
        path.removeAll(keepingCapacity: true)
        path.append(contentsOf: repeatElement(Node(score: 0, start: -1, id: 0), count: piece.count + 1))
        var start = 0
        while start < piece.count {
            let score = path[start].score
            let length = UTF8Text.length(first: bytes[piece.lowerBound + start])
            var hasCharacter = false
            var node = ByteTrie.root
            var position = start
            while position < piece.count, let child = trie.child(of: node, bytes[piece.lowerBound + position]) {
                node = child
                position += 1
                let id = trie.values[Int(node)]
                guard id != ByteTrie.none else { continue }
                Self.improve(&path[position], score + scores[Int(id)], start, id)
                if position - start == length { hasCharacter = true }
            }
            if !hasCharacter {
                guard let unknown else { throw .missingUnknown(bytes[piece].dropFirst(start).prefix(length)) }
                Self.improve(&path[min(start + length, piece.count)], score + unknownScore, start, unknown)
            }
            start += length
        }
    }

    @inline(__always)
    private static func improve(_ node: inout Node, _ score: Double, _ start: Int, _ id: Int32) {
        guard node.start < 0 || score > node.score else { return }
        node = Node(score: score, start: Int32(truncatingIfNeeded: start), id: id)
    }
}

extension Vocabulary {
    /// The tokens `<0x00>` to `<0xFF>`; -1 for those that are not there.
    var byteTokens: [Int32] {
        (0...255).map { (byte: UInt8) in
            let digits = String(byte, radix: 16, uppercase: true)
            return id(of: Array("<0x\(digits.count < 2 ? "0" : "")\(digits)>".utf8)) ?? -1
        }
    }
}
