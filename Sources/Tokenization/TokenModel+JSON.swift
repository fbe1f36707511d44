import Diagnostics

extension TokenModel {
    /// Reads the `model` of `tokenizer.json`.
    init(_ json: JSONReader) throws(TokenizationError) {
        switch try json.optionalText("type") ?? Self.type(of: json) {
        case "WordPiece":
            let vocabulary = try Vocabulary(json)
            self = .wordPiece(
                try WordPiece(
                    vocabulary: vocabulary,
                    unknown: vocabulary.id(of: try json.optionalBytes("unk_token") ?? Array("[UNK]".utf8)),
                    continuationPrefix: try json.optionalBytes("continuing_subword_prefix") ?? Array("##".utf8),
                    longestWord: try json.count("max_input_chars_per_word", or: 100), path: json.path))
        case "WordLevel":
            let vocabulary = try Vocabulary(json)
            let unknown = try json.optionalBytes("unk_token") ?? Array("<unk>".utf8)
            self = .words(WordLevel(vocabulary: vocabulary, unknown: vocabulary.id(of: unknown)))
        case "BPE": self = .bytePairs(try BytePairEncoding(json))
        case "Unigram": self = .unigram(try Unigram(json))
        case let type: throw json.unknown(type, "a model")
        }
    }

    /// What a model of an older file is, which does not say it.
    private static func type(of json: JSONReader) -> String {
        if json["merges"] != nil { return "BPE" }
        if json["vocab"]?.value.elements != nil { return "Unigram" }
        return json["max_input_chars_per_word"] != nil || json["continuing_subword_prefix"] != nil
            ? "WordPiece" : "WordLevel"
    }
}

extension Vocabulary {
    /// Reads a `vocab` of tokens with their numbers.
    init(_ json: JSONReader) throws(TokenizationError) {
        self.init()
        for member in try json.members("vocab") {
            insert(member.key, id: try json.tokenID(member.value, of: member.key))
        }
    }
}

extension Unigram {
    init(_ json: JSONReader) throws(TokenizationError) {
        var pieces: [(text: ArraySlice<UInt8>, score: Double)] = []
        for piece in try json.elements("vocab") {
            guard let parts = piece.value.elements, parts.count == 2, let text = parts[0].bytes,
                let score = parts[1].double
            else { throw piece.error("\(piece.value.kindName), expected a piece and its score") }
            pieces.append((text, score))
        }
        let unknown = try json.optionalInteger("unk_id")
        if let unknown, !pieces.indices.contains(unknown) {
            throw json.error("\"unk_id\" is \(unknown), expected a number below \(pieces.count)")
        }
        try self.init(
            pieces: pieces, unknown: unknown.map { Int32(truncatingIfNeeded: $0) },
            fallsBackToBytes: try json.boolean("byte_fallback", or: false), path: json.path)
    }
}

extension BytePairEncoding {
    init(_ json: JSONReader) throws(TokenizationError) {
        if let dropout = json["dropout"], dropout.value.double != 0 {
            throw dropout.error(
                "\(dropout.value.kindName): merges that are left out at random are not known here; set it to null")
        }
        var options = Options()
        options.unknown = try json.optionalBytes("unk_token")
        options.continuationPrefix = try json.optionalBytes("continuing_subword_prefix") ?? []
        options.wordSuffix = try json.optionalBytes("end_of_word_suffix") ?? []
        options.fusesUnknown = try json.boolean("fuse_unk", or: false)
        options.fallsBackToBytes = try json.boolean("byte_fallback", or: false)
        options.takesWholePieces = try json.boolean("ignore_merges", or: false)
        let vocabulary = try Vocabulary(json)
        guard let list = json["merges"] else { throw json.error("\"merges\" is missing") }
        guard let elements = list.value.elements else {
            throw list.error("\(list.value.kindName), expected an array")
        }
        var merges = MergeTable(capacity: elements.count)
        let space = UInt8(ascii: " ")
        for (index, element) in elements.enumerated() {
            let parts =
                element.elements?.compactMap(\.bytes)
                ?? element.bytes?.split(separator: space, omittingEmptySubsequences: false) ?? []
            guard parts.count == 2 else {
                throw list.error("entry \(index) is \(element.kindName), expected two tokens")
            }
            try merges.append(
                parts[0], parts[1], vocabulary, options, place: "\(list.path): \"\(list.place)\": entry \(index)")
        }
        self.init(vocabulary: vocabulary, merges: merges, options: options)
    }
}

extension MergeTable {
    /// Adds the merge of two tokens, both of which, and what they become, must be in the vocabulary.
    ///
    /// - Parameter place: where the merge stands, for a message.
    mutating func append(
        _ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, _ vocabulary: Vocabulary,
        _ options: BytePairEncoding.Options, place: @autoclosure () -> String
    ) throws(TokenizationError) {
        let whole = left + right.dropFirst(options.continuationPrefix.count)
        guard let leftID = vocabulary.id(of: left), let rightID = vocabulary.id(of: right),
            let result = vocabulary.id(of: whole)
        else {
            throw TokenizationError(
                .badData,
                "\(place()) merges \(TokenizationError.quoted(left)) and \(TokenizationError.quoted(right)), but the "
                    + "vocabulary lacks one of them or what they become")
        }
        append(leftID, rightID, result: result)
    }
}
