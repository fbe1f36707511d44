import Diagnostics
import JSONText

/// What `tokenizer_config.json` and `special_tokens_map.json` say; every key may be absent, and so may both files.
struct TokenizerSettings {
    var unknownToken = "[UNK]"
    var classificationToken = "[CLS]"
    var separatorToken = "[SEP]"
    var paddingToken = "[PAD]"
    var maskToken = "[MASK]"
    /// Tokens of `added_tokens_decoder`.
    var addedTokens: [AddedToken] = []
    /// `truncation_side` is "left".
    var truncatesStart: Bool?

    private var configuration = JSONValue.null
    private var configurationPath = "tokenizer_config.json"

    var specialTokenNames: [String] {
        [paddingToken, unknownToken, classificationToken, separatorToken, maskToken]
    }

    init(configuration: FileContents?, specialTokens: FileContents?) throws(TextError) {
        if let configuration {
            self.configuration = try configuration.jsonObject()
            configurationPath = configuration.path
        }
        let map = try specialTokens?.jsonObject() ?? .null

        // A token is written as a string or as an object with its text in "content".
        func name(_ key: String, or standard: String) throws(TextError) -> String {
            for (source, path) in [(self.configuration, configurationPath), (map, specialTokens?.path ?? "")] {
                guard let value = source[key], !value.isNull else { continue }
                guard let name = value.stringValue ?? value["content"]?.stringValue, !name.isEmpty else {
                    throw TextError(.badData, "\(path): \"\(key)\" is \(value.kindName), expected a token")
                }
                return name
            }
            return standard
        }
        unknownToken = try name("unk_token", or: unknownToken)
        classificationToken = try name("cls_token", or: classificationToken)
        separatorToken = try name("sep_token", or: separatorToken)
        paddingToken = try name("pad_token", or: paddingToken)
        maskToken = try name("mask_token", or: maskToken)

        if case .object(let members) = self.configuration["added_tokens_decoder"] {
            for member in members {
                addedTokens.append(
                    try AddedToken(
                        json: member.value, id: Int(member.key), path: configurationPath, key: "added_tokens_decoder"))
            }
        }
        let side = self.configuration["truncation_side"]
        truncatesStart = try Self.truncatesStart(side, path: configurationPath)
    }

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
        if let name = className, Self.genericClasses.contains(name) { return options }
        var options = options
        options.lowercases = configuration["do_lower_case"]?.booleanValue ?? options.lowercases
        options.spacesIdeographs = configuration["tokenize_chinese_chars"]?.booleanValue ?? options.spacesIdeographs
        if let stripsAccents = configuration["strip_accents"] { options.stripsAccents = stripsAccents.booleanValue }
        return options
    }

    private var className: String? { configuration["tokenizer_class"]?.stringValue }

    private static let genericClasses = ["PreTrainedTokenizerFast", "TokenizersBackend"]
    private static let wordPieceClasses = ["Bert", "DistilBert", "Electra", "MobileBert", "ConvBert", "LayoutLM"]

    /// Refuses a `vocab.txt` that belongs to a tokenizer that cuts texts in another way.
    func refuseOtherKinds() throws(TextError) {
        guard let name = className, !Self.genericClasses.contains(name) else { return }
        guard Self.wordPieceClasses.contains(where: { name == $0 + "Tokenizer" || name == $0 + "TokenizerFast" }) else {
            throw TextError(
                .badData,
                "\(configurationPath): a tokenizer of class \(TextError.quoted(name)), expected BertTokenizer or one that "
                    + "works like it")
        }
    }
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
        isSingleWord = json["single_word"]?.booleanValue ?? false
        takesSpaceBefore = json["lstrip"]?.booleanValue ?? false
        takesSpaceAfter = json["rstrip"]?.booleanValue ?? false
        isNormalized = json["normalized"]?.booleanValue ?? !(json["special"]?.booleanValue ?? false)
    }
}
