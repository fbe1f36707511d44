extension Tokenizer {
    /// Reads a `tokenizer.json`.
    init(_ file: SourceFile) throws(TokenizationError) {
        let json = JSONReader(try file.jsonObject(), path: file.path)
        guard let modelJSON = json["model"] else { throw json.error("\"model\" is missing, expected in a tokenizer") }
        let model = try TokenModel(modelJSON)
        self.init(
            model: model,
            normalizer: try json["normalizer"].map { json throws(TokenizationError) in try Normalizer(json) },
            preTokenizer: try json["pre_tokenizer"].map { json throws(TokenizationError) in try PreTokenizer(json) },
            postProcessor: try json["post_processor"].map { json throws(TokenizationError) in try PostProcessor(json) }
                ?? PostProcessor(),
            decoder: try json["decoder"].map { json throws(TokenizationError) in try Decoder(json) },
            addedTokens: try Self.addedTokens(json, model),
            truncation: try json["truncation"].map { json throws(TokenizationError) in try Truncation(json) })
    }

    /// The added tokens with their numbers.
    ///
    /// As in the tokenizers library, a token that the vocabulary has keeps its number there, and another gets the next number
    /// that is free, whatever the file says; a file that this library wrote says the same.
    private static func addedTokens(_ json: JSONReader, _ model: TokenModel) throws(TokenizationError) -> [AddedToken] {
        guard json["added_tokens"] != nil else { return [] }
        var tokens: [AddedToken] = []
        var ids: [[UInt8]: Int32] = [:]
        var largest: Int?
        for element in try json.elements("added_tokens") {
            let content = try element.bytes("content")
            guard !content.isEmpty else { continue }
            let free = largest.map { $0 >= model.size || model.size == 0 ? $0 + 1 : model.size } ?? model.size
            let number = (ids[content] ?? model.vocabulary.id(of: content)).map(Int.init) ?? free
            guard let id = Int32(exactly: number) else { throw element.error("no number is free for it") }
            var token = AddedToken(id: id, content: String(decoding: content, as: UTF8.self))
            token.isSingleWord = try element.boolean("single_word", or: false)
            token.takesSpaceBefore = try element.boolean("lstrip", or: false)
            token.takesSpaceAfter = try element.boolean("rstrip", or: false)
            token.isSpecial = try element.boolean("special", or: false)
            token.isNormalized = try element.boolean("normalized", or: !token.isSpecial)
            ids[content] = id
            largest = max(largest ?? 0, number)
            tokens.append(token)
        }
        return tokens
    }
}

extension Truncation {
    /// Reads the `truncation` of `tokenizer.json`.
    init(_ json: JSONReader) throws(TokenizationError) {
        let name = try json.optionalText("strategy") ?? Strategy.longestFirst.rawValue
        guard let strategy = Strategy(rawValue: name) else {
            throw json.error(
                "\"strategy\" is \(TokenizationError.quoted(name)), expected LongestFirst, OnlyFirst or OnlySecond")
        }
        let direction = try json.optionalText("direction") ?? "Right"
        guard direction == "Right" || direction == "Left" else {
            throw json.error("\"direction\" is \(TokenizationError.quoted(direction)), expected Right or Left")
        }
        self.init(
            maxLength: try json.count("max_length", or: 512), strategy: strategy, truncatesStart: direction == "Left",
            stride: try json.count("stride", or: 0))
    }
}
