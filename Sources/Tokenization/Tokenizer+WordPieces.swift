import Diagnostics

extension Tokenizer {
    /// BERT's tokenizer with a vocabulary of one token a line, its number being that of the line, counted from 0.
    ///
    /// White space at a line's end is no part of the token, and of two equal lines the last one counts, as in the `tokenizers`
    /// library.
    init(wordPieces file: SourceFile, _ settings: TokenizerSettings) throws(TokenizationError) {
        guard (TokenizerSettings.bertFamilies + ["pretrained"]).contains(settings.family) else {
            throw TokenizationError(
                .badData,
                "\(settings.familyPath): a tokenizer of the kind \(TokenizationError.quoted(settings.family)) with a vocab.txt, "
                    + "expected BERT or one that works like it")
        }
        var vocabulary = Vocabulary()
        for (number, line) in try file.checkedAsText().lines.enumerated() {
            var token = Array(line)
            while !token.isEmpty {
                let last = UTF8Text.start(before: token.count, in: token)
                guard UnicodeClasses.isWhiteSpace(UTF8Text.scalar(at: last, in: token).scalar) else { break }
                token.removeSubrange(last...)
            }
            vocabulary.insert(token, id: Int32(truncatingIfNeeded: number))
        }
        let standard = TokenizerSettings.bertTokens
        let unknown = Array((try settings.token("unk_token")?.content ?? "[UNK]").utf8)
        let model = TokenModel.wordPiece(
            try WordPiece(
                vocabulary: vocabulary, unknown: vocabulary.id(of: unknown), continuationPrefix: Array("##".utf8),
                longestWord: 100, path: file.path))
        let added = try settings.addedTokens(
            model, standard: standard, numbersStandard: false, path: file.path)
        let classification = try settings.id("cls_token", standard, model, added, path: file.path)
        let separator = try settings.id("sep_token", standard, model, added, path: file.path)
        self.init(
            model: model,
            normalizer: .bert(
                BertNormalization(
                    spacesIdeographs: try settings.boolean("tokenize_chinese_chars", or: true),
                    stripsAccents: try settings.optionalBoolean("strip_accents"),
                    lowercases: try settings.boolean("do_lower_case", or: true))),
            preTokenizer: .bert,
            postProcessor: .bert(classification, separator),
            decoder: .wordPiece(prefix: Array("##".utf8), cleansUp: true), addedTokens: added,
            truncatesStart: try settings.truncatesStart())
    }
}

extension TokenizerSettings {
    /// BERT's special tokens, by role.
    static let bertTokens = standard([
        "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]",
    ])
}

extension PostProcessor {
    /// `[CLS] A [SEP]`, and `[CLS] A [SEP] B [SEP]` with the second text and its separator of type 1.
    static func bert(_ classification: Int32, _ separator: Int32) -> PostProcessor {
        var processor = PostProcessor()
        processor.single = [
            .special(id: classification, typeID: 0), .text(isSecond: false, typeID: 0),
            .special(id: separator, typeID: 0),
        ]
        processor.pair = processor.single + [.text(isSecond: true, typeID: 1), .special(id: separator, typeID: 1)]
        return processor
    }

    /// `<s> A </s>`, and `<s> A </s></s> B </s>`, all of type 0.
    static func roberta(_ classification: Int32, _ separator: Int32) -> PostProcessor {
        var processor = PostProcessor()
        processor.single = [
            .special(id: classification, typeID: 0), .text(isSecond: false, typeID: 0),
            .special(id: separator, typeID: 0),
        ]
        processor.pair =
            processor.single + [
                .special(id: separator, typeID: 0), .text(isSecond: true, typeID: 0),
                .special(id: separator, typeID: 0),
            ]
        return processor
    }
}
