import Diagnostics
import Foundation

/// What the files of a model folder say about its tokenizer.
struct TokenizerDescription {
    struct SpecialTokens {
        var unknown, classification, separator: Int32
        var padding, mask: Int32?
    }

    var normalization = BertNormalizer.Options()
    /// The vocabulary in file order; of two equal tokens the last one counts.
    var tokens: [(text: String, id: Int32)]
    var addedTokens: [AddedToken] = []
    var special: SpecialTokens
    var template: SequenceTemplate
    var continuationPrefix = "##"
    /// In scalars; a longer word becomes the unknown token.
    var longestWord = 100

    /// A tokenizer's file that is larger is no tokenizer's file.
    static let sizeLimit = 256 << 20

    /// Reads `tokenizer.json`, or `vocab.txt`, with `tokenizer_config.json` and `special_tokens_map.json` where there are any.
    init(modelDirectory: String) throws(TextError) {
        func file(_ name: String) throws(TextError) -> FileContents? {
            let path = (modelDirectory as NSString).appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            return try FileContents(path: path, limit: Self.sizeLimit).checkedForNames()
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: modelDirectory, isDirectory: &isFolder), isFolder.boolValue else {
            throw TextError(.missingInput, "\(modelDirectory): no such folder, expected a model folder")
        }
        let settings = try TokenizerSettings(
            configuration: try file("tokenizer_config.json"), specialTokens: try file("special_tokens_map.json"))
        if let json = try file("tokenizer.json") {
            try self.init(tokenizerJSON: json, settings: settings)
        } else if let vocabulary = try file("vocab.txt") {
            try self.init(vocabulary: vocabulary, settings: settings)
        } else {
            throw TextError(
                .missingInput,
                "\(modelDirectory): neither tokenizer.json nor vocab.txt, expected one of them for the tokenizer")
        }
    }
}

extension TokenizerDescription {
    /// Takes a vocabulary with one token a line, its number being that of the line, counted from 0.
    ///
    /// White space at a line's end is no part of the token, and of two equal lines the last one counts, as in the
    /// `tokenizers` library. The special tokens are those of `settings`; one that the vocabulary lacks is not looked for in
    /// texts.
    init(vocabulary: FileContents, settings: TokenizerSettings) throws(TextError) {
        try settings.refuseOtherKinds()
        var tokens: [(text: String, id: Int32)] = []
        var lineStart = 0
        while lineStart < vocabulary.bytes.count {
            let rest = vocabulary.bytes[lineStart...]
            let lineEnd = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            var token = vocabulary.text(lineStart..<lineEnd).unicodeScalars[...]
            while let last = token.last, BertCharacters.isWhiteSpace(last) { token.removeLast() }
            tokens.append((String(token), Int32(truncatingIfNeeded: tokens.count)))
            lineStart = lineEnd + 1
        }
        self.tokens = tokens
        let index = TokenIndex(tokens, path: vocabulary.path)
        special = try index.special(settings)
        template = .bert(classification: special.classification, separator: special.separator)
        template.truncatesStart = settings.truncatesStart ?? false
        normalization = settings.overriding(BertNormalizer.Options())
        addedTokens = settings.addedTokens
        addSpecialTokens(settings, index)
    }
}

extension TokenizerDescription {
    /// Has the special tokens looked for in texts, too, where the files do not list them among the added tokens.
    mutating func addSpecialTokens(_ settings: TokenizerSettings, _ index: TokenIndex) {
        let listed = Set(addedTokens.map(\.content))
        for name in settings.specialTokenNames where !listed.contains(name) {
            if let id = index.id(of: name) { addedTokens.append(AddedToken(id: id, content: name)) }
        }
    }
}

/// The numbers of a vocabulary's tokens by their text.
struct TokenIndex {
    private var ids = ScalarTrie()
    private let path: String

    init(_ tokens: [(text: String, id: Int32)], path: String) {
        self.path = path
        for token in tokens { ids.insert(token.text.unicodeScalars, value: token.id) }
    }

    mutating func insert(_ token: AddedToken) { ids.insert(token.content.unicodeScalars, value: token.id) }

    func id(of token: String) -> Int32? {
        let scalars = Array(token.unicodeScalars)
        let match = ids.longestMatch(in: scalars, 0..<scalars.count)
        return match?.end == scalars.count ? match?.value : nil
    }

    func requiredID(of token: String, as role: String) throws(TextError) -> Int32 {
        guard let id = id(of: token) else {
            throw TextError(
                .badData,
                "\(path): the vocabulary lacks the \(role) \(TextError.quoted(token)), expected in every BERT vocabulary"
            )
        }
        return id
    }

    /// The special tokens' numbers; the unknown token, and those around every text, are required.
    func special(_ settings: TokenizerSettings) throws(TextError) -> TokenizerDescription.SpecialTokens {
        TokenizerDescription.SpecialTokens(
            unknown: try requiredID(of: settings.unknownToken, as: "unknown token"),
            classification: try requiredID(of: settings.classificationToken, as: "classification token"),
            separator: try requiredID(of: settings.separatorToken, as: "separator token"),
            padding: id(of: settings.paddingToken), mask: id(of: settings.maskToken))
    }
}
