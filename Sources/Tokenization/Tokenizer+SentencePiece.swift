import Diagnostics

extension Tokenizer {
    /// What transformers 4 made of a SentencePiece model for the fast tokenizers of some families.
    init(sentencePiece file: SourceFile, _ settings: TokenizerSettings) throws(TokenizationError) {
        let source = try SentencePieceModel(file)
        switch settings.family {
        case "debertav2": try self.init(deberta: source, settings, path: file.path)
        case "xlmroberta": try self.init(xlmRoberta: source, settings, path: file.path)
        case "t5", "mt5": try self.init(t5: source, settings, path: file.path)
        case "llama", "mistral": try self.init(llama: source, settings, path: file.path)
        default:
            throw TokenizationError(
                .badData,
                "\(settings.familyPath): a tokenizer of the kind \(TokenizationError.quoted(settings.family)) with a model of "
                    + "SentencePiece, expected DebertaV2, XLMRoberta, T5 or Llama; add its tokenizer.json")
        }
    }

    private init(deberta source: SentencePieceModel, _ settings: TokenizerSettings, path: String)
        throws(TokenizationError)
    {
        let model = try source.unigram(source.pieces.map(\.scored), unknown: source.unknownID, path: path)
        let standard = TokenizerSettings.standard([
            "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]",
            "mask_token": "[MASK]",
        ])
        let added = try settings.addedTokens(model, first: source.listedTokens, standard: standard, path: path)
        let normalizers =
            (try settings.boolean("do_lower_case", or: false) ? [.lowercase] : []) + [.strip(left: true, right: true)]
            + (try source.precompiled(path)) + [try .collapsingSpaces(into: " ")]
        let cuts: [PreTokenizer] = try settings.boolean("split_by_punct", or: false) ? [.punctuation(.isolated)] : []
        self.init(
            model: model, normalizer: .sequence(normalizers), preTokenizer: .sequence(cuts + [.metaspace(.always)]),
            postProcessor: .bert(
                try settings.id("cls_token", standard, model, added, path: path),
                try settings.id("sep_token", standard, model, added, path: path)),
            decoder: .metaspace(replacement: Metaspace.always.replacement, dropsFirst: true), addedTokens: added,
            truncatesStart: try settings.truncatesStart())
    }

    /// Its vocabulary starts with four special tokens in the place of the model's three, and ends with the mask.
    private init(
        xlmRoberta source: SentencePieceModel, _ settings: TokenizerSettings, path: String
    ) throws(TokenizationError) {
        func special(_ names: [String]) -> [SentencePieceModel.ScoredPiece] { names.map { (Array($0.utf8)[...], 0) } }
        let pieces =
            special(["<s>", "<pad>", "</s>", "<unk>"]) + source.pieces.dropFirst(3).map(\.scored) + special(["<mask>"])
        let model = try source.unigram(pieces, unknown: 3, path: path)
        let standard = TokenizerSettings.standard(
            [
                "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>",
                "pad_token": "<pad>",
                "cls_token": "<s>", "mask_token": "<mask>",
            ], maskTakesSpace: true)
        let added = try settings.addedTokens(model, first: source.listedTokens, standard: standard, path: path)
        self.init(
            model: model, normalizer: try source.standardNormalizer(path), preTokenizer: .metaspace(.always),
            postProcessor: .roberta(
                try settings.id("cls_token", standard, model, added, path: path),
                try settings.id("sep_token", standard, model, added, path: path)),
            decoder: .metaspace(replacement: Metaspace.always.replacement, dropsFirst: true), addedTokens: added,
            truncatesStart: try settings.truncatesStart())
    }

    /// Its vocabulary ends with a hundred tokens that stand for what was taken out of a text.
    private init(t5 source: SentencePieceModel, _ settings: TokenizerSettings, path: String) throws(TokenizationError) {
        let extra = (0..<100).reversed().map { "<extra_id_\($0)>" }
        let model = try source.unigram(
            source.pieces.map(\.scored) + extra.map { (Array($0.utf8)[...], 0) }, unknown: source.unknownID, path: path)
        let standard = TokenizerSettings.standard(["eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"])
        var list = source.listedTokens
        for content in extra {
            var token = AddedToken(id: 0, content: content)
            token.isSpecial = true
            list.append(token)
        }
        let added = try settings.addedTokens(model, first: list, standard: standard, path: path)
        let end = PostProcessor.Part.special(
            id: try settings.id("eos_token", standard, model, added, path: path), typeID: 0)
        var processor = PostProcessor()
        processor.single = [.text(isSecond: false, typeID: 0), end]
        processor.pair = processor.single + [.text(isSecond: true, typeID: 0), end]
        self.init(
            model: model, normalizer: try source.standardNormalizer(path), preTokenizer: .metaspace(.always),
            postProcessor: processor,
            decoder: .metaspace(replacement: Metaspace.always.replacement, dropsFirst: true), addedTokens: added,
            truncatesStart: try settings.truncatesStart())
    }

    /// Byte-pair encoding over the whole text, with the beginning's token before it.
    private init(llama source: SentencePieceModel, _ settings: TokenizerSettings, path: String)
        throws(TokenizationError)
    {
        guard source.kind == .bytePairs else {
            throw TokenizationError(.badData, "\(path): a Unigram model, expected BPE as Llama's is")
        }
        let model = TokenModel.bytePairs(source.bytePairs())
        let standard = TokenizerSettings.standard(["bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"])
        let added = try settings.addedTokens(model, first: source.listedTokens, standard: standard, path: path)
        var special: [PostProcessor.Part] = []
        if try settings.boolean("add_bos_token", or: true) {
            special.append(.special(id: try settings.id("bos_token", standard, model, added, path: path), typeID: 0))
        }
        var end: [PostProcessor.Part] = []
        if try settings.boolean("add_eos_token", or: false) {
            end.append(.special(id: try settings.id("eos_token", standard, model, added, path: path), typeID: 0))
        }
        func second(_ parts: [PostProcessor.Part]) -> [PostProcessor.Part] {
            parts.map { if case .special(let id, _) = $0 { .special(id: id, typeID: 1) } else { $0 } }
        }
        var processor = PostProcessor()
        processor.single = special + [.text(isSecond: false, typeID: 0)] + end
        processor.pair = processor.single + second(special) + [.text(isSecond: true, typeID: 1)] + second(end)
        let mark = Metaspace.always.replacement
        let isLegacy = try settings.optionalBoolean("legacy") ?? true
        self.init(
            model: model,
            normalizer: isLegacy ? .sequence([.prepend(mark), .replace(Pattern(literal: [0x20]), with: mark)]) : nil,
            preTokenizer: isLegacy ? nil : .metaspace(Metaspace(replacement: mark, prepends: .first, splits: false)),
            postProcessor: processor,
            decoder: .sequence([
                .replace(Pattern(literal: mark), with: [0x20]), .byteFallback, .fuse,
                .strip(content: " ", start: 1, stop: 0),
            ]), addedTokens: added,
            truncatesStart: try settings.truncatesStart())
    }
}

extension Metaspace {
    /// SentencePiece's own way: every word starts with a space, the first one too.
    static let always = Metaspace(replacement: Array("\u{2581}".utf8), prepends: .always, splits: true)
}

extension Normalizer {
    /// Two spaces and more become one `content`.
    static func collapsingSpaces(into content: String) throws(TokenizationError) -> Normalizer {
        .replace(try .known(" {2,}"), with: Array(content.utf8))
    }
}
