extension PreTokenizer {
    /// Reads the `pre_tokenizer` of `tokenizer.json`.
    init(_ json: JSONReader) throws(TokenizationError) {
        switch try json.type() {
        case "BertPreTokenizer": self = .bert
        case "ByteLevel":
            self = try .byteLevel(
                addsPrefixSpace: json.boolean("add_prefix_space", or: true),
                cutsWords: json.boolean("use_regex", or: true))
        case "Metaspace": self = .metaspace(try Metaspace(json))
        case "Split":
            self = .split(
                try Pattern(json), try json.behavior("behavior"), isInverted: try json.boolean("invert", or: false))
        case "Digits": self = .digits(areIndividual: try json.boolean("individual_digits", or: false))
        case "Punctuation": self = .punctuation(try json.behavior("behavior", or: .isolated))
        case "Whitespace": self = .whitespace
        case "WhitespaceSplit": self = .whitespaceSplit
        case "CharDelimiterSplit":
            let delimiter = try json.text("delimiter").unicodeScalars
            guard delimiter.count == 1, let scalar = delimiter.first else {
                throw json.error("\"delimiter\" is not one character")
            }
            self = .delimiter(scalar)
        case "FixedLength":
            let length = try json.count("length", or: 5)
            guard length > 0 else { throw json.error("\"length\" is 0, expected at least 1") }
            self = .fixedLength(length)
        case "Sequence":
            var parts: [PreTokenizer] = []
            for part in try json.elements("pretokenizers") { parts.append(try PreTokenizer(part)) }
            self = .sequence(parts)
        case let type: throw json.unknown(type, "a pre-tokenizer")
        }
    }

    /// GPT-2's way: each byte as its character, after the text was cut by GPT-2's pattern or not at all.
    static func byteLevel(addsPrefixSpace: Bool, cutsWords: Bool) throws(TokenizationError) -> PreTokenizer {
        .byteLevel(addsPrefixSpace: addsPrefixSpace, pattern: cutsWords ? try .known(wordPattern) : nil)
    }
}

extension Metaspace {
    /// Reads a pre-tokenizer or decoder of this kind, as it is written today or with the older `add_prefix_space`.
    init(_ json: JSONReader) throws(TokenizationError) {
        replacement = try json.optionalBytes("replacement") ?? Array("\u{2581}".utf8)
        guard String(decoding: replacement, as: UTF8.self).unicodeScalars.count == 1 else {
            throw json.error("\"replacement\" is not one character")
        }
        let scheme = try json.optionalText("prepend_scheme") ?? "always"
        guard var prepends = Prepends(rawValue: scheme) else {
            throw json.error(
                "\"prepend_scheme\" is \(TokenizationError.quoted(scheme)), expected always, first or never")
        }
        if try json.optionalBoolean("add_prefix_space") == false { prepends = .never }
        self.prepends = prepends
        splits = try json.boolean("split", or: true)
    }
}

extension JSONReader {
    /// What becomes of the matches of a pattern.
    func behavior(_ key: String, or standard: SplitBehavior? = nil) throws(TokenizationError) -> SplitBehavior {
        guard let name = try optionalText(key) else {
            guard let standard else { throw error("\"\(key)\" is missing") }
            return standard
        }
        guard let behavior = SplitBehavior(rawValue: name) else {
            throw error(
                "\"\(key)\" is \(TokenizationError.quoted(name)), expected Removed, Isolated, MergedWithPrevious, "
                    + "MergedWithNext or Contiguous")
        }
        return behavior
    }
}
