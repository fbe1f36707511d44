import Diagnostics
import JSONText

extension TokenizerDescription {
    /// Takes a `tokenizer.json` of the `tokenizers` library whose parts are BERT's.
    ///
    /// - Throws: `badData`, naming the part, if one is another (a BPE or Unigram model, another normaliser …).
    init(tokenizerJSON file: FileContents, settings: TokenizerSettings) throws(TextError) {
        let json = try file.jsonObject()
        let model = json["model"] ?? .null
        // Files of old versions do not say the model's type.
        let modelType = model["type"]?.stringValue ?? (model["max_input_chars_per_word"] == nil ? nil : "WordPiece")
        try file.expect(modelType, "WordPiece", as: "a model")
        try file.expect(json["normalizer"]?["type"]?.stringValue, "BertNormalizer", as: "a normalizer")
        try file.expect(json["pre_tokenizer"]?["type"]?.stringValue, "BertPreTokenizer", as: "a pre_tokenizer")

        tokens = try file.vocabulary(model["vocab"])
        for token in json["added_tokens"]?.arrayValue ?? [] {
            addedTokens.append(try AddedToken(json: token, id: nil, path: file.path, key: "added_tokens"))
        }
        var index = TokenIndex(tokens, path: file.path)
        for token in addedTokens { index.insert(token) }

        addedTokens = try index.adding(settings.numberedTokens, to: addedTokens, beside: tokens)

        var special = try index.special(settings)
        if let name = model["unk_token"]?.stringValue {
            special.unknown = try index.requiredID(of: name, as: "unknown token")
            try settings.refuseOtherName(
                of: "unk_token", than: TextError.quoted(name), ifNot: name == settings.unknownToken, path: file.path)
        }
        self.special = special
        continuationPrefix = model["continuing_subword_prefix"]?.stringValue ?? continuationPrefix
        if let limit = model["max_input_chars_per_word"] {
            guard let count = limit.integerValue, count >= 0 else {
                throw TextError(.badData, "\(file.path): \"max_input_chars_per_word\" is no number of characters")
            }
            longestWord = count
        }
        normalization = settings.overriding(BertNormalizer.Options(json: json["normalizer"] ?? .null))
        template = try SequenceTemplate(json: json["post_processor"] ?? .null, special: special, path: file.path)
        for (key, id) in [("cls_token", special.classification), ("sep_token", special.separator)] {
            try settings.refuseOtherName(
                of: key, than: "another in \"post_processor\"", ifNot: template.specialIDs.contains(id), path: file.path
            )
        }
        let direction = try TokenizerSettings.truncatesStart(json["truncation"]?["direction"], path: file.path)
        template.truncatesStart = settings.truncatesStart ?? direction ?? false
        try addSpecialTokens(settings, index)
    }
}

extension BertNormalizer.Options {
    fileprivate init(json: JSONValue) {
        cleansText = json["clean_text"]?.booleanValue ?? true
        spacesIdeographs = json["handle_chinese_chars"]?.booleanValue ?? true
        stripsAccents = json["strip_accents"]?.booleanValue
        lowercases = json["lowercase"]?.booleanValue ?? true
    }
}

extension FileContents {
    fileprivate func expect(_ found: String?, _ expected: String, as part: String) throws(TextError) {
        guard found == expected else {
            let name = found.map { "\(part) of type \(TextError.quoted($0))" } ?? "\(part) without a type"
            throw TextError(.badData, "\(path): \(name), expected \(expected); only BERT's tokenizer is supported")
        }
    }

    /// `model.vocab`: an object from the token to its number.
    fileprivate func vocabulary(_ json: JSONValue?) throws(TextError) -> [(text: String, id: Int32)] {
        guard case .object(let members) = json else {
            throw TextError(
                .badData, "\(path): \"model.vocab\" is missing or no object, expected tokens with their numbers")
        }
        var tokens: [(text: String, id: Int32)] = []
        tokens.reserveCapacity(members.count)
        for member in members {
            guard let id = member.value.integerValue.flatMap(Int32.init(exactly:)), id >= 0 else {
                throw TextError(
                    .badData,
                    "\(path): the token \(TextError.quoted(member.key)) has no number from 0 to \(Int32.max)")
            }
            tokens.append((member.key, id))
        }
        return tokens
    }
}

extension SequenceTemplate {
    /// Takes a `post_processor`; where there is none, BERT's own.
    init(json: JSONValue, special: TokenizerDescription.SpecialTokens, path: String) throws(TextError) {
        switch json["type"]?.stringValue {
        case nil where json.isNull:
            self = .bert(classification: special.classification, separator: special.separator)
        case "BertProcessing":
            func id(_ key: String) throws(TextError) -> Int32 {
                guard let id = json[key]?.arrayValue?.last?.integerValue.flatMap(Int32.init(exactly:)), id >= 0 else {
                    throw TextError(.badData, "\(path): \"post_processor.\(key)\" has no number of a token")
                }
                return id
            }
            self = .bert(classification: try id("cls"), separator: try id("sep"))
        case "TemplateProcessing":
            let tokens = json["special_tokens"] ?? .null
            single = try Self.elements(json["single"], tokens, path: "\(path): \"post_processor.single\"")
            pair = try Self.elements(json["pair"], tokens, path: "\(path): \"post_processor.pair\"")
            func textCounts(_ elements: [Element]) -> [Int] {
                elements.reduce(into: [0, 0]) { counts, element in
                    switch element {
                    case .special: break
                    case .first: counts[0] += 1
                    case .second: counts[1] += 1
                    }
                }
            }
            guard textCounts(single) == [1, 0], textCounts(pair) == [1, 1] else {
                throw TextError(
                    .badData, "\(path): \"post_processor\" does not hold each text once, expected A, and A with B")
            }
        case let type:
            throw TextError(
                .badData,
                "\(path): a post_processor of type \(TextError.quoted(type ?? "")), expected TemplateProcessing or "
                    + "BertProcessing; only BERT's tokenizer is supported")
        }
    }

    private static func elements(_ json: JSONValue?, _ tokens: JSONValue, path: String) throws(TextError) -> [Element] {
        var elements: [Element] = []
        for element in json?.arrayValue ?? [] {
            let special = element["SpecialToken"]
            let sequence = element["Sequence"]
            guard let part = special ?? sequence, let name = part["id"]?.stringValue,
                let typeID = (part["type_id"]?.integerValue).flatMap(Int32.init(exactly:)), typeID >= 0
            else { throw TextError(.badData, "\(path) has an element that is neither a special token nor a text") }
            switch (special == nil, name) {
            case (true, "A"): elements.append(.first(typeID: typeID))
            case (true, "B"): elements.append(.second(typeID: typeID))
            case (true, _):
                throw TextError(.badData, "\(path) names the text \(TextError.quoted(name)), expected A or B")
            case (false, _):
                let numbers = tokens[name]?["ids"]?.arrayValue ?? []
                let ids = numbers.compactMap { $0.integerValue.flatMap(Int32.init(exactly:)) }
                guard !ids.isEmpty, ids.count == numbers.count, ids.allSatisfy({ $0 >= 0 }) else {
                    throw TextError(.badData, "\(path) names \(TextError.quoted(name)), which has no number")
                }
                elements.append(.special(ids: ids, typeID: typeID))
            }
        }
        return elements
    }
}
