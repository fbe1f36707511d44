import Diagnostics

extension Tokenizer {
    /// A byte-level tokenizer with a `vocab.json` and a `merges.txt`: GPT-2's, RoBERTa's and BART's, or Qwen2's.
    init(vocabulary file: SourceFile, merges: SourceFile, _ settings: TokenizerSettings) throws(TokenizationError) {
        let json = JSONReader(
            .object([JSON.Member(key: Array("vocab".utf8)[...], value: try file.jsonObject())]), path: file.path)
        let vocabulary = try Vocabulary(json)
        let options = BytePairEncoding.Options()
        let lines = try merges.checkedAsText().lines.enumerated().filter {
            !$0.element.isEmpty && !$0.element.starts(with: "#version".utf8)
        }
        var table = MergeTable(capacity: lines.count)
        for (number, line) in lines {
            let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw TokenizationError(
                    .badData, "\(merges.path):\(number + 1): \(TokenizationError.quoted(line)), expected two tokens")
            }
            try table.append(parts[0], parts[1], vocabulary, options, place: "\(merges.path):\(number + 1):")
        }
        let model = TokenModel.bytePairs(BytePairEncoding(vocabulary: vocabulary, merges: table, options: options))
        let addsPrefixSpace = try settings.boolean("add_prefix_space", or: false)
        switch settings.family {
        case "roberta", "bart", "longformer", "led":
            let standard = TokenizerSettings.standard(
                [
                    "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>",
                    "pad_token": "<pad>",
                    "cls_token": "<s>", "mask_token": "<mask>",
                ], maskTakesSpace: true)
            let added = try settings.addedTokens(model, standard: standard, path: file.path)
            var processor = PostProcessor.roberta(
                try settings.id("cls_token", standard, model, added, path: file.path),
                try settings.id("sep_token", standard, model, added, path: file.path))
            processor.trimming = [PostProcessor.OffsetTrimming(addsPrefixSpace: addsPrefixSpace)]
            self.init(
                model: model, preTokenizer: try .byteLevel(addsPrefixSpace: addsPrefixSpace, cutsWords: true),
                postProcessor: processor, decoder: .byteLevel, addedTokens: added,
                truncatesStart: try settings.truncatesStart())
        case "qwen2", "qwen3":
            let standard = TokenizerSettings.standard([
                "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>",
            ])
            let cut = PreTokenizer.split(try .known(PreTokenizer.qwenPattern), .isolated, isInverted: false)
            self.init(
                model: model, normalizer: .unicode(.nfc),
                preTokenizer: .sequence([cut, try .byteLevel(addsPrefixSpace: addsPrefixSpace, cutsWords: false)]),
                decoder: .byteLevel, addedTokens: try settings.addedTokens(model, standard: standard, path: file.path),
                truncatesStart: try settings.truncatesStart())
        case "", "gpt2", "pretrained":
            let standard = TokenizerSettings.standard([
                "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
            ])
            self.init(
                model: model, preTokenizer: try .byteLevel(addsPrefixSpace: addsPrefixSpace, cutsWords: true),
                decoder: .byteLevel, addedTokens: try settings.addedTokens(model, standard: standard, path: file.path),
                truncatesStart: try settings.truncatesStart())
        default:
            throw TokenizationError(
                .badData,
                "\(settings.familyPath): a tokenizer of the kind \(TokenizationError.quoted(settings.family)) with vocab.json and "
                    + "merges.txt, expected GPT-2, RoBERTa, BART or Qwen2; add its tokenizer.json")
        }
    }
}

extension PreTokenizer {
    /// Qwen2's pattern: Llama-3's, with every digit alone.
    static let qwenPattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
}

extension Pattern {
    /// A pattern that is written in this program.
    static func known(_ spelling: String) throws(TokenizationError) -> Pattern {
        do {
            return try Pattern(regularExpression: spelling)
        } catch {
            throw TokenizationError(.computation, "the regular expression \(spelling): \(error.message)")
        }
    }
}
