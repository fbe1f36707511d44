extension Tokenizer {
    /// Reads a `tokenizer.json`, with what the class in `tokenizer_config.json` changes about it.
    init(_ file: SourceFile, _ settings: TokenizerSettings? = nil) throws(TokenizationError) {
        let json = JSONReader(try file.jsonObject(), path: file.path)
        guard let modelJSON = json["model"] else { throw json.error("\"model\" is missing, expected in a tokenizer") }
        let model = try TokenModel(modelJSON)
        var normalizer = try json["normalizer"].map { json throws(TokenizationError) in try Normalizer(json) }
        var isBERT = false
        if let settings, case .bert(let options) = normalizer {
            normalizer = .bert(try settings.overriding(options))
            isBERT = settings.isBERT
        }
        self.init(
            model: model, normalizer: normalizer,
            preTokenizer: try json["pre_tokenizer"].map { json throws(TokenizationError) in try PreTokenizer(json) },
            postProcessor: try json["post_processor"].map { json throws(TokenizationError) in try PostProcessor(json) }
                ?? PostProcessor(),
            decoder: try json["decoder"].map { json throws(TokenizationError) in try Decoder(json) },
            addedTokens: try Self.addedTokens(json, model, settings, isBERT: isBERT),
            truncation: try json["truncation"].map { json throws(TokenizationError) in try Truncation(json) },
            truncatesStart: try settings?.truncatesStart())
        for part in postProcessor.single + postProcessor.pair {
            guard case .special(let id, _) = part, spelling(id) == nil else { continue }
            throw json.error("\"post_processor\" puts token \(id) around texts, but no token has this number")
        }
        if let settings, isBERT { try Self.refuseOtherNames(settings, json, modelJSON, self) }
    }

    /// The added tokens of the file, and those that the settings name: what these say about a token counts, as in transformers.
    private static func addedTokens(
        _ json: JSONReader, _ model: TokenModel, _ settings: TokenizerSettings?, isBERT: Bool
    ) throws(TokenizationError) -> [AddedToken] {
        var list = AddedTokenList(model)
        for element in json["added_tokens"] == nil ? [] : try json.elements("added_tokens") {
            if let id = element["id"] { _ = try element.tokenID(id.value, of: (try element.text("content")).utf8) }
            try list.append(AddedToken(element, content: try element.text("content")), path: json.path)
        }
        if let settings {
            // BERT's classes look for BERT's special tokens, also where the file does not list them.
            try list.append(
                settings, standard: isBERT ? TokenizerSettings.bertTokens : [:], numbersStandard: false,
                path: json.path)
        }
        return list.tokens
    }

    /// Refuses special tokens that the settings name otherwise than the file.
    private static func refuseOtherNames(
        _ settings: TokenizerSettings, _ json: JSONReader, _ model: JSONReader, _ tokenizer: Tokenizer
    ) throws(TokenizationError) {
        let unknown = try model.optionalText("unk_token") ?? ""
        try settings.refuseOtherName(of: "unk_token", than: TokenizationError.quoted(unknown), path: json.path) {
            $0 == unknown
        }
        let single = tokenizer.postProcessor.single
        for (role, part) in [("cls_token", single.first), ("sep_token", single.last)] {
            guard case .special(let id, _) = part else { continue }
            try settings.refuseOtherName(
                of: role, than: tokenizer.token(id).map(TokenizationError.quoted) ?? "token \(id)", path: json.path
            ) { tokenizer.id(of: $0) == id }
        }
    }
}

extension AddedToken {
    /// Reads what `added_tokens` of `tokenizer.json`, or `added_tokens_decoder` of `tokenizer_config.json`, says about a token.
    init(_ json: JSONReader, content: String) throws(TokenizationError) {
        self.init(id: 0, content: content)
        isSingleWord = try json.boolean("single_word", or: false)
        takesSpaceBefore = try json.boolean("lstrip", or: false)
        takesSpaceAfter = try json.boolean("rstrip", or: false)
        isSpecial = try json.boolean("special", or: false)
        isNormalized = try json.boolean("normalized", or: !isSpecial)
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
