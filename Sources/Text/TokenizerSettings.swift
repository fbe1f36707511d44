import Diagnostics
import JSONText

/// What `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` say; every key may be absent, and so may the
/// files.
struct TokenizerSettings {
    /// A token that is named, but whose number may stand elsewhere.
    struct NamedToken {
        let content: String
        /// As the file has it: a text, or an object with the text and how it is looked for.
        let json: JSONValue
        let path: String
        /// Whether a file names it, so that it gets a number even where the vocabulary has none for it.
        let isWritten: Bool
    }

    /// Special tokens in the order in which transformers gives numbers to those that have none: BERT's, then all others.
    private(set) var specialTokens: [NamedToken] = []
    /// Tokens with their numbers: of `added_tokens_decoder`, or else of `added_tokens.json`.
    private(set) var numberedTokens: [AddedToken] = []
    /// `truncation_side` is "left".
    let truncatesStart: Bool?
    /// `split_special_tokens`: special tokens are not looked for in texts.
    let splitsSpecialTokens: Bool

    private let configuration: JSONValue
    private let configurationPath: String
    private let roles: SpecialTokenRoles

    var unknownToken: String { roles["unk_token"] }
    var classificationToken: String { roles["cls_token"] }
    var separatorToken: String { roles["sep_token"] }
    var paddingToken: String? { roles.optional("pad_token") }
    var maskToken: String? { roles.optional("mask_token") }

    init(
        configuration: FileContents?, specialTokens map: FileContents?, addedTokens: FileContents?
    ) throws(TextError) {
        let json = try configuration?.jsonObject() ?? .null
        self.configuration = json
        configurationPath = configuration?.path ?? "tokenizer_config.json"
        truncatesStart = try Self.truncatesStart(json["truncation_side"], path: configurationPath)
        splitsSpecialTokens = json["split_special_tokens"]?.booleanValue ?? false

        let decoder = json["added_tokens_decoder"]
        // As in transformers, the decoder replaces the files of older versions.
        let isDecoded = decoder.map { !$0.isNull } ?? false
        let mapJSON = isDecoded ? .null : try map?.jsonObject() ?? .null
        let sources = [(mapJSON, map?.path ?? ""), (json, configurationPath)]
        roles = try SpecialTokenRoles(sources)
        specialTokens = try roles.tokens + Self.otherTokens(sources)
        if isDecoded {
            guard case .object(let members) = decoder else {
                throw TextError(.badData, "\(configurationPath): \"added_tokens_decoder\" is no object of tokens")
            }
            for member in members {
                numberedTokens.append(
                    try AddedToken(
                        json: member.value, id: Int(member.key), path: configurationPath, key: "added_tokens_decoder"))
            }
        } else if let addedTokens, case .object(let members) = try addedTokens.jsonObject() {
            let special = Set(specialTokens.map(\.content)).subtracting(Self.contents(mapJSON[Self.additional]))
            for member in members {
                guard let id = member.value.integerValue.flatMap(Int32.init(exactly:)), id >= 0 else {
                    throw TextError(
                        .badData,
                        "\(addedTokens.path): \(TextError.quoted(member.key)) has no number from 0 to \(Int32.max)")
                }
                var token = AddedToken(id: id, content: member.key)
                token.isSpecial = special.contains(member.key)
                token.isNormalized = !token.isSpecial
                numberedTokens.append(token)
            }
        }
    }

    private static let additional = "additional_special_tokens"

    /// Special tokens beside BERT's own: other keys that end in `_token`, then the lists.
    ///
    /// - Parameter sources: JSON objects with their paths, the first counting most.
    private static func otherTokens(_ sources: [(json: JSONValue, path: String)]) throws(TextError) -> [NamedToken] {
        var tokens: [NamedToken] = []
        var lists: [NamedToken] = []
        for (json, path) in sources.reversed() {
            guard case .object(let members) = json else { continue }
            for member in members where member.key.hasSuffix("_token") && !SpecialTokenRoles.keys.contains(member.key) {
                if let content = content(member.value) {
                    tokens.append(NamedToken(content: content, json: member.value, path: path, isWritten: true))
                }
            }
            for key in ["extra_special_tokens", additional] {
                // Of an object, the values are the tokens.
                var values = json[key]?.arrayValue ?? []
                if case .object(let named) = json[key] { values = named.map(\.value) }
                for value in values {
                    guard let content = content(value) else {
                        throw TextError(.badData, "\(path): \"\(key)\" holds \(value.kindName), expected tokens")
                    }
                    lists.append(NamedToken(content: content, json: value, path: path, isWritten: true))
                }
            }
        }
        return tokens + lists
    }

    /// A token's text: it is written as a text or as an object with its text in "content".
    fileprivate static func content(_ value: JSONValue) -> String? {
        guard let content = value.stringValue ?? value["content"]?.stringValue, !content.isEmpty else { return nil }
        return content
    }

    private static func contents(_ list: JSONValue?) -> [String] { (list?.arrayValue ?? []).compactMap(content) }

    /// Whether a side or direction is the left one; nil if it is not said.
    static func truncatesStart(_ side: JSONValue?, path: String) throws(TextError) -> Bool? {
        guard let side, !side.isNull else { return nil }
        guard let name = side.stringValue?.lowercased(), name == "left" || name == "right" else {
            throw TextError(.badData, "\(path): the side of truncation is neither left nor right")
        }
        return name == "left"
    }

    /// The normaliser's options with what `tokenizer_config.json` says about them.
    func overriding(_ options: BertNormalizer.Options) -> BertNormalizer.Options {
        // The generic class takes its normaliser from tokenizer.json alone.
        if isGeneric { return options }
        var options = options
        options.lowercases = configuration["do_lower_case"]?.booleanValue ?? options.lowercases
        options.spacesIdeographs = configuration["tokenize_chinese_chars"]?.booleanValue ?? options.spacesIdeographs
        if let stripsAccents = configuration["strip_accents"] { options.stripsAccents = stripsAccents.booleanValue }
        return options
    }

    /// Refuses a special token that is named otherwise than in tokenizer.json: transformers takes the one or the other,
    /// depending on the tokenizer's class.
    func refuseOtherName(
        of key: String, than name: String, ifNot agrees: Bool, path: String
    ) throws(TextError) {
        guard !isGeneric, roles.isWritten(key), !agrees else { return }
        throw TextError(
            .badData,
            "\(path): the \(key) is \(name), that of tokenizer_config.json or special_tokens_map.json "
                + "\(TextError.quoted(roles[key])); make the files agree")
    }

    private var className: String? { configuration["tokenizer_class"]?.stringValue }
    private var isGeneric: Bool { className.map(Self.genericClasses.contains) ?? false }

    private static let genericClasses = ["PreTrainedTokenizerFast", "TokenizersBackend"]
    private static let wordPieceClasses = ["Bert", "DistilBert", "Electra", "MobileBert", "ConvBert", "LayoutLM"]

    /// Refuses a `vocab.txt` that belongs to a tokenizer that cuts texts in another way.
    func refuseOtherKinds() throws(TextError) {
        guard let name = className, !isGeneric else { return }
        guard Self.wordPieceClasses.contains(where: { name == $0 + "Tokenizer" || name == $0 + "TokenizerFast" }) else {
            throw TextError(
                .badData,
                "\(configurationPath): a tokenizer of class \(TextError.quoted(name)), expected BertTokenizer or one that "
                    + "works like it")
        }
    }
}

/// The special tokens that BERT gives a role, under the keys of transformers.
private struct SpecialTokenRoles {
    /// In transformers' order.
    static let keys = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
    private static let standard = [
        "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]",
    ]

    private var named: [String: TokenizerSettings.NamedToken] = [:]
    /// Keys that are null: no token has the role.
    private var none: Set<String> = []

    init(_ sources: [(json: JSONValue, path: String)]) throws(TextError) {
        for key in Self.keys {
            guard
                let (value, path) = sources.lazy.compactMap({ source in source.json[key].map { ($0, source.path) } })
                    .first
            else {
                if let content = Self.standard[key] {
                    named[key] = .init(content: content, json: .string(content), path: "", isWritten: false)
                }
                continue
            }
            if value.isNull {
                none.insert(key)
                continue
            }
            guard let content = TokenizerSettings.content(value) else {
                throw TextError(.badData, "\(path): \"\(key)\" is \(value.kindName), expected a token")
            }
            named[key] = .init(content: content, json: value, path: path, isWritten: true)
        }
    }

    var tokens: [TokenizerSettings.NamedToken] { Self.keys.compactMap { named[$0] } }

    func optional(_ key: String) -> String? { named[key]?.content }

    /// A sequence needs some of them even where a file says that there is none.
    subscript(key: String) -> String { named[key]?.content ?? Self.standard[key] ?? "" }

    func isWritten(_ key: String) -> Bool { named[key]?.isWritten ?? false }
}

extension FileContents {
    /// The JSON object that the file holds.
    func jsonObject() throws(TextError) -> JSONValue {
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes, in: start..<bytes.count)
        } catch {
            let line = 1 + bytes[..<error.offset].count { $0 == UInt8(ascii: "\n") }
            throw .badData(path, line: line, "not JSON: \(error.message)")
        }
        guard case .object = value else {
            throw TextError(.badData, "\(path): \(value.kindName), expected a JSON object")
        }
        return value
    }
}

extension AddedToken {
    /// A token as `added_tokens` of `tokenizer.json` has it, or `added_tokens_decoder` with the number as its key.
    init(json: JSONValue, id: Int?, path: String, key: String) throws(TextError) {
        guard let content = json["content"]?.stringValue, let number = id ?? json["id"]?.integerValue,
            let id = Int32(exactly: number), id >= 0
        else {
            throw TextError(
                .badData, "\(path): \"\(key)\" has a token without a text or without a number that is not negative")
        }
        self.init(id: id, content: content)
        isSpecial = json["special"]?.booleanValue ?? false
        isSingleWord = json["single_word"]?.booleanValue ?? false
        takesSpaceBefore = json["lstrip"]?.booleanValue ?? false
        takesSpaceAfter = json["rstrip"]?.booleanValue ?? false
        isNormalized = json["normalized"]?.booleanValue ?? !isSpecial
    }

    /// A special token that is named, with the number that it has elsewhere.
    init(_ token: TokenizerSettings.NamedToken, id: Int32) throws(TextError) {
        if case .object = token.json {
            self = try AddedToken(json: token.json, id: Int(id), path: token.path, key: token.content)
            isNormalized = token.json["normalized"]?.booleanValue ?? false
        } else {
            self.init(id: id, content: token.content)
        }
        isSpecial = true
    }
}
