import Diagnostics

extension SentencePieceModel.Piece {
    var scored: SentencePieceModel.ScoredPiece { (text, Double(score)) }
}

extension SentencePieceModel {
    typealias ScoredPiece = (text: ArraySlice<UInt8>, score: Double)

    /// Control pieces are special tokens, user-defined ones added tokens.
    var listedTokens: [AddedToken] {
        pieces.filter { $0.role == .control || $0.role == .userDefined }.map { piece in
            var token = AddedToken(id: 0, content: String(decoding: piece.text, as: UTF8.self))
            token.isSpecial = piece.role == .control
            return token
        }
    }

    func precompiled(_ path: String) throws(TokenizationError) -> [Normalizer] {
        characterMap.isEmpty ? [] : [.precompiled(try CharacterMap(characterMap, path: path))]
    }

    func standardNormalizer(_ path: String) throws(TokenizationError) -> Normalizer {
        .sequence(
            try precompiled(path) + [.strip(left: false, right: true), try .collapsingSpaces(into: "\u{2581}")])
    }

    func unigram(
        _ pieces: [ScoredPiece], unknown: Int, path: String
    ) throws(TokenizationError) -> TokenModel {
        guard kind == .unigram else {
            throw TokenizationError(.badData, "\(path): a BPE model, expected Unigram as this family's is")
        }
        return .unigram(
            try Unigram(
                pieces: pieces, unknown: Int32(truncatingIfNeeded: unknown), fallsBackToBytes: false, path: path))
    }

    /// The model as merges: every way to put a piece together from two others is one, and they rank by the piece's score, then
    /// by the lengths of the two, greatest first.
    func bytePairs() -> BytePairEncoding {
        var vocabulary = Vocabulary()
        for (index, piece) in pieces.enumerated() {
            vocabulary.insert(piece.text, id: Int32(truncatingIfNeeded: index))
        }
        struct Merge {
            var left, right, result: Int32
            var score: Float
            var lengths: (Int, Int)
        }
        var merges: [Merge] = []
        for (token, id) in vocabulary.tokens {
            let bytes = Array(token)
            let count = bytes.count { $0 & 0xC0 != 0x80 }
            var local: [Merge] = []
            var left = 1
            for cut in bytes.indices.dropFirst() where bytes[cut] & 0xC0 != 0x80 {
                defer { left += 1 }
                guard let first = vocabulary.id(of: bytes, 0..<cut),
                    let second = vocabulary.id(of: bytes, cut..<bytes.count)
                else { continue }
                local.append(
                    Merge(
                        left: first, right: second, result: id, score: pieces[Int(id)].score,
                        lengths: (left, count - left)))
            }
            merges += local.sorted { ($0.left, $0.right) < ($1.left, $1.right) }
        }
        // Equal ones keep their order.
        let order = merges.indices.sorted { a, b in
            let (first, second) = (merges[a], merges[b])
            let keys = (
                (first.score, first.lengths.0, first.lengths.1), (second.score, second.lengths.0, second.lengths.1)
            )
            return keys.0 == keys.1 ? a < b : keys.0 > keys.1
        }
        var table = MergeTable(capacity: merges.count)
        for index in order { table.append(merges[index].left, merges[index].right, result: merges[index].result) }
        var options = BytePairEncoding.Options()
        options.unknown = unknownPiece
        options.fusesUnknown = true
        options.fallsBackToBytes = true
        return BytePairEncoding(vocabulary: vocabulary, merges: table, options: options)
    }
}
