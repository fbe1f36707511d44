import Diagnostics
import Foundation

extension Tokenizer {
    /// Reads the tokenizer of a model's folder: `tokenizer.json`; or else `vocab.txt`, `vocab.json` with `merges.txt`, or a model of
    /// SentencePiece, which become what the classes of transformers 4 made of them.
    ///
    /// - Throws: `missingInput` if the folder has none of them, `badData` if one cannot be used.
    public init(modelDirectory: String) throws(TokenizationError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: modelDirectory, isDirectory: &isFolder), isFolder.boolValue else {
            throw TokenizationError(.missingInput, "\(modelDirectory): no such folder, expected a model folder")
        }
        let folder = URL(fileURLWithPath: modelDirectory, isDirectory: true)
        func file(_ name: String) throws(TokenizationError) -> SourceFile? {
            try SourceFile(ifPresent: folder.appendingPathComponent(name).path)
        }
        let settings = try TokenizerSettings(file)
        if let json = try file("tokenizer.json") {
            try self.init(json, settings)
            return
        }
        if let vocabulary = try file("vocab.txt") {
            try self.init(wordPieces: vocabulary, settings)
            return
        }
        if let vocabulary = try file("vocab.json"), let merges = try file("merges.txt") {
            try self.init(vocabulary: vocabulary, merges: merges, settings)
            return
        }
        for name in ["spm.model", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model"] {
            guard let model = try file(name) else { continue }
            try self.init(sentencePiece: model, settings)
            return
        }
        throw TokenizationError(
            .missingInput,
            "\(modelDirectory): no tokenizer, expected tokenizer.json, vocab.txt, vocab.json with merges.txt, or spm.model"
        )
    }
}

extension TokenizerSettings {
    /// The added tokens of a tokenizer without `tokenizer.json`: those of the model's file, those that the settings list, and the
    /// special ones.
    ///
    /// - Parameters:
    ///   - standard: the special tokens of the family, by role, where the settings do not name others.
    ///   - numbersStandard: whether these get a number where the vocabulary has none for them.
    ///   - path: of the vocabulary.
    func addedTokens(
        _ model: TokenModel, first: [AddedToken] = [], standard: [String: AddedToken], numbersStandard: Bool = true,
        path: String
    ) throws(TokenizationError) -> [AddedToken] {
        var list = AddedTokenList(model)
        for token in first { try list.append(token, path: path) }
        try list.append(self, standard: standard, numbersStandard: numbersStandard, path: path)
        return list.tokens
    }

    /// The special tokens of a family: each is found as it is written.
    static func standard(_ contents: [String: String], maskTakesSpace: Bool = false) -> [String: AddedToken] {
        var tokens: [String: AddedToken] = [:]
        for (role, content) in contents {
            var token = AddedToken(id: 0, content: content)
            token.isSpecial = true
            token.takesSpaceBefore = maskTakesSpace && role == "mask_token"
            tokens[role] = token
        }
        return tokens
    }

    /// The number of the token with a role, which the vocabulary or the added tokens must have.
    func id(
        _ role: String, _ standard: [String: AddedToken], _ model: TokenModel, _ added: [AddedToken], path: String
    ) throws(TokenizationError) -> Int32 {
        let content = try token(role)?.content ?? standard[role]?.content ?? ""
        guard let id = added.last(where: { $0.content == content })?.id ?? model.vocabulary.id(of: Array(content.utf8))
        else {
            throw TokenizationError(
                .badData, "\(path): the vocabulary lacks the token \(TokenizationError.quoted(content)) (\(role))")
        }
        return id
    }
}
