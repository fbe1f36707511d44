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

    /// Reads `tokenizer.json`, or `vocab.txt`, with `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json`
    /// where there are any.
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
            configuration: try file("tokenizer_config.json"), specialTokens: try file("special_tokens_map.json"),
            addedTokens: try file("added_tokens.json"))
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
        var index = TokenIndex(tokens, path: vocabulary.path)
        addedTokens = try index.adding(settings.numberedTokens, to: [], beside: tokens)
        special = try index.special(settings)
        template = .bert(classification: special.classification, separator: special.separator)
        template.truncatesStart = settings.truncatesStart ?? false
        normalization = settings.overriding(BertNormalizer.Options())
        try addSpecialTokens(settings, index)
    }
}

extension TokenizerDescription {
    /// Has the special tokens looked for in texts, too, where the files do not list them among the added tokens. Those that a
    /// file names, and that have no number, get the next ones, as in transformers.
    mutating func addSpecialTokens(_ settings: TokenizerSettings, _ index: TokenIndex) throws(TextError) {
        var listed = Set(addedTokens.map { Array($0.content.utf8) })
        var next = (tokens.map(\.id) + addedTokens.map(\.id)).max() ?? -1
        for token in settings.specialTokens where listed.insert(Array(token.content.utf8)).inserted {
            var id = index.id(of: token.content)
            if id == nil, next < .max {
                next += 1
                id = token.isWritten ? next : nil
            }
            if let id { addedTokens.append(try AddedToken(token, id: id)) }
        }
        if settings.splitsSpecialTokens { addedTokens.removeAll(where: \.isSpecial) }
    }
}

/// The numbers of a vocabulary's tokens by their text.
struct TokenIndex {
    private var ids = ScalarTrie()
    let path: String

    init(_ tokens: [(text: String, id: Int32)], path: String) {
        self.path = path
        for token in tokens { ids.insert(token.text.unicodeScalars, value: token.id) }
    }

    mutating func insert(_ token: AddedToken) { ids.insert(token.content.unicodeScalars, value: token.id) }

    /// Takes tokens with their numbers, which go beside a vocabulary's; those that are listed already stay as they are.
    ///
    /// - Parameters:
    ///   - listed: added tokens that the index has.
    ///   - vocabulary: the index's other tokens.
    /// - Throws: `badData` where the vocabulary has another number for a token, or another token for a number.
    mutating func adding(
        _ tokens: [AddedToken], to listed: [AddedToken], beside vocabulary: [(text: String, id: Int32)]
    ) throws(TextError) -> [AddedToken] {
        guard !tokens.isEmpty else { return listed }
        var result = listed
        var contents = Set(listed.map { Array($0.content.utf8) })
        var numbers = Set(vocabulary.map(\.id)).union(listed.map(\.id))
        for token in tokens where contents.insert(Array(token.content.utf8)).inserted {
            let known = id(of: token.content)
            guard known == token.id || (known == nil && numbers.insert(token.id).inserted) else {
                throw TextError(
                    .badData,
                    "\(path): the added token \(TextError.quoted(token.content)) has the number \(token.id) in another file, "
                        + (known.map { "here \($0)" } ?? "which is another token's here")
                        + "; the files belong to different tokenizers")
            }
            result.append(token)
            insert(token)
        }
        return result
    }

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
            padding: settings.paddingToken.flatMap(id), mask: settings.maskToken.flatMap(id))
    }
}
