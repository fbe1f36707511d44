import Diagnostics

/// What `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json` and `config.json` say about a tokenizer that is
/// put together from a vocabulary; every key may be absent, and so may every file.
struct TokenizerSettings {
    /// The special tokens' roles, in the order in which they are added.
    static let roles = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]

    private let configuration: JSONReader
    /// Where special tokens are named, the first counting most.
    private let sources: [JSONReader]
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
        let (map, added) = (try json("special_tokens_map.json"), try json("added_tokens.json"))
        // As in transformers, the list of added tokens in the configuration replaces the files of older versions.
        let isListed = configuration["added_tokens_decoder"] != nil
        sources = isListed ? [configuration] : [map, configuration]
        self.added = isListed ? JSONReader(.object([]), path: added.path) : added
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

    /// The token of a role that a file names; nil if none does, or it is said to be none.
    func token(_ role: String) throws(TokenizationError) -> AddedToken? {
        guard let source = source(of: role), let value = source[role] else { return nil }
        return try Self.specialToken(value)
    }

    /// Whether a file says that there is no token with a role.
    func isNone(_ role: String) -> Bool { source(of: role).map { $0[role] == nil } ?? false }

    private func source(of role: String) -> JSONReader? {
        sources.first { $0.value.members?.contains { $0.key.elementsEqual(role.utf8) } ?? false }
    }

    /// A special token, which is written as a string or as an object with its text in `content`.
    private static func specialToken(_ value: JSONReader) throws(TokenizationError) -> AddedToken {
        var token: AddedToken
        if value.value.members != nil {
            token = try AddedToken(value, content: try value.text("content"))
            token.isNormalized = try value.boolean("normalized", or: false)
        } else if let text = value.value.text {
            token = AddedToken(id: 0, content: text)
        } else {
            throw value.error("\(value.value.kindName), expected a token")
        }
        token.isSpecial = true
        return token
    }

    private static let additional = "additional_special_tokens"

    /// Special tokens without a role that is known: other keys that end in `_token`, then the lists.
    func otherSpecialTokens() throws(TokenizationError) -> [AddedToken] {
        var (tokens, lists): ([AddedToken], [AddedToken]) = ([], [])
        for source in sources.reversed() {
            for member in source.value.members ?? [] {
                let key = String(decoding: member.key, as: UTF8.self)
                guard key.hasSuffix("_token"), !Self.roles.contains(key), let value = source[key],
                    value.value.text != nil || value["content"]?.value.text != nil
                else { continue }
                tokens.append(try Self.specialToken(value))
            }
            for key in ["extra_special_tokens", Self.additional] {
                guard let list = source[key] else { continue }
                // Of an object, the values are the tokens.
                let values = list.value.members.map { $0.map(\.value) } ?? list.value.elements ?? []
                for value in values {
                    lists.append(try Self.specialToken(JSONReader(value, path: list.path, place: list.place)))
                }
            }
        }
        return (tokens + lists).filter { !$0.content.isEmpty }
    }

    /// Whether special tokens that are written in a text are left as text.
    func splitsSpecialTokens() throws(TokenizationError) -> Bool {
        try boolean("split_special_tokens", or: false)
    }

    /// Whether the tokenizer is BERT's, and its class not one that takes its parts from tokenizer.json alone.
    var isBERT: Bool { Self.bertFamilies.contains(family) }

    /// Refuses a special token that is named otherwise than in tokenizer.json: transformers takes the one or the other, depending
    /// on the tokenizer's class.
    ///
    /// - Parameter agrees: whether a token is the one of the file.
    func refuseOtherName(
        of role: String, than found: String, path: String, unless agrees: (String) -> Bool
    ) throws(TokenizationError) {
        guard let token = try token(role), !agrees(token.content) else { return }
        throw TokenizationError(
            .badData,
            "\(path): the \(role) is \(found), that of tokenizer_config.json or special_tokens_map.json "
                + "\(TokenizationError.quoted(token.content)); make the files agree")
    }

    /// Whether `truncation_side` is the left one; nil if it is not said.
    func truncatesStart() throws(TokenizationError) -> Bool? {
        guard let side = try configuration.optionalText("truncation_side") else { return nil }
        guard ["left", "right"].contains(side.lowercased()) else {
            throw configuration.error(
                "\"truncation_side\" is \(TokenizationError.quoted(side)), expected left or right")
        }
        return side.lowercased() == "left"
    }

    /// BERT's normalisation with what `tokenizer_config.json` says about it; the generic class, and other families, take it as
    /// `tokenizer.json` has it.
    func overriding(_ options: BertNormalization) throws(TokenizationError) -> BertNormalization {
        guard isBERT else { return options }
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

    /// Tokens with the numbers that their file gives: of `added_tokens_decoder`, or else of `added_tokens.json`.
    func numberedTokens() throws(TokenizationError) -> [AddedToken] {
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
        var special = Set(try otherSpecialTokens().map(\.content))
        for role in Self.roles { if let token = try token(role) { special.insert(token.content) } }
        for list in sources.compactMap({ $0[Self.additional]?.value.elements }) {
            special.subtract(list.compactMap { $0.text ?? $0["content"]?.text })
        }
        for member in added.value.members ?? [] {
            let content = String(decoding: member.key, as: UTF8.self)
            guard let number = member.value.integer.flatMap(Int32.init(exactly:)), number >= 0 else {
                throw TokenizationError(
                    .badData,
                    "\(added.path): \(TokenizationError.quoted(member.key)) has no number from 0 to \(Int32.max)")
            }
            var token = AddedToken(id: number, content: content)
            token.isSpecial = special.contains(content)
            token.isNormalized = !token.isSpecial
            tokens.append(token)
        }
        return tokens
    }
}
