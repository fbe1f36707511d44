import Diagnostics

/// What `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json` and `config.json` say about a tokenizer that is
/// put together from a vocabulary; every key may be absent, and so may every file.
struct TokenizerSettings {
    /// The special tokens' roles, in the order in which they are added.
    static let roles = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]

    private let configuration: JSONReader
    private let map: JSONReader
    private let added: JSONReader
    /// The family of the tokenizer: its class without "Tokenizer" and "Fast", or else the model's type, in small letters and
    /// digits alone.
    let family: String
    /// Where the family is written.
    let familyPath: String

    init(_ file: (String) throws(TokenizationError) -> SourceFile?) throws(TokenizationError) {
        func json(_ name: String) throws(TokenizationError) -> JSONReader {
            guard let source = try file(name) else { return JSONReader(.object([]), path: name) }
            return JSONReader(try source.jsonObject(), path: source.path)
        }
        configuration = try json("tokenizer_config.json")
        map = try json("special_tokens_map.json")
        added = try json("added_tokens.json")
        let model = try json("config.json")
        var name = try configuration.optionalText("tokenizer_class") ?? ""
        familyPath = name.isEmpty ? model.path : configuration.path
        if name.isEmpty { name = try model.optionalText("model_type") ?? "" }
        for ending in ["Fast", "Tokenizer"] where name.hasSuffix(ending) { name.removeLast(ending.count) }
        family = String(name.lowercased().filter { $0.isLetter || $0.isNumber })
    }

    /// Where the settings stand.
    var path: String { configuration.path }

    func boolean(_ key: String, or standard: Bool) throws(TokenizationError) -> Bool {
        try configuration.boolean(key, or: standard)
    }

    /// nil if the key is absent or null.
    func optionalBoolean(_ key: String) throws(TokenizationError) -> Bool? { try configuration.optionalBoolean(key) }

    /// The token of a role, which is written as a string or as an object with its text in `content`.
    func token(_ role: String) throws(TokenizationError) -> AddedToken? {
        for source in [configuration, map] {
            guard let value = source[role] else { continue }
            var token: AddedToken
            if value.value.members != nil {
                token = try AddedToken(value, content: try value.text("content"))
            } else {
                token = AddedToken(id: 0, content: try source.text(role))
            }
            token.isSpecial = true
            return token
        }
        return nil
    }

    /// Whether `truncation_side` is the left one; nil if it is not said.
    func truncatesStart() throws(TokenizationError) -> Bool? {
        guard let side = try configuration.optionalText("truncation_side") else { return nil }
        guard side == "left" || side == "right" else {
            throw configuration.error(
                "\"truncation_side\" is \(TokenizationError.quoted(side)), expected left or right")
        }
        return side == "left"
    }

    /// BERT's normalisation with what `tokenizer_config.json` says about it; the generic class, and other families, take it as
    /// `tokenizer.json` has it.
    func overriding(_ options: BertNormalization) throws(TokenizationError) -> BertNormalization {
        guard Self.bertFamilies.contains(family) else { return options }
        var options = options
        options.lowercases = try boolean("do_lower_case", or: options.lowercases)
        options.spacesIdeographs = try boolean("tokenize_chinese_chars", or: options.spacesIdeographs)
        if configuration.value.members?.contains(where: { $0.key.elementsEqual("strip_accents".utf8) }) == true {
            options.stripsAccents = try optionalBoolean("strip_accents")
        }
        return options
    }

    /// Families whose tokenizers are BERT's; without a class, a `vocab.txt` and a BERT normaliser are BERT's, too.
    static let bertFamilies = ["", "bert", "distilbert", "electra", "mobilebert", "convbert", "layoutlm"]

    /// `added_tokens_decoder` and `added_tokens.json`, each in the order of the numbers, with the number that the file gives.
    func addedTokens() throws(TokenizationError) -> [AddedToken] {
        var tokens: [AddedToken] = []
        if let decoder = configuration["added_tokens_decoder"] {
            for member in try configuration.members("added_tokens_decoder") {
                guard let id = Int32(String(decoding: member.key, as: UTF8.self)), id >= 0 else {
                    throw decoder.error("the key \(TokenizationError.quoted(member.key)), expected a token's number")
                }
                let value = JSONReader(member.value, path: decoder.path, place: decoder.place)
                var token = try AddedToken(value, content: try value.text("content"))
                token.id = id
                tokens.append(token)
            }
        }
        let known = Set(tokens.map(\.content))
        for member in added.value.members ?? [] {
            let content = String(decoding: member.key, as: UTF8.self)
            guard !known.contains(content) else { continue }
            var token = AddedToken(id: try added.tokenID(member.value, of: member.key), content: content)
            token.isNormalized = true
            tokens.append(token)
        }
        return tokens.sorted { $0.id < $1.id }
    }
}
