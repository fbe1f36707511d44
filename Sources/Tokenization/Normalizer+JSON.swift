import Foundation

extension Normalizer {
    /// Reads the `normalizer` of `tokenizer.json`.
    init(_ json: JSONReader) throws(TokenizationError) {
        switch try json.type() {
        case "BertNormalizer":
            self = .bert(
                BertNormalization(
                    cleansText: try json.boolean("clean_text", or: true),
                    spacesIdeographs: try json.boolean("handle_chinese_chars", or: true),
                    stripsAccents: try json.optionalBoolean("strip_accents"),
                    lowercases: try json.boolean("lowercase", or: true)))
        case "NFC": self = .unicode(.nfc)
        case "NFD": self = .unicode(.nfd)
        case "NFKC": self = .unicode(.nfkc)
        case "NFKD": self = .unicode(.nfkd)
        case "Lowercase": self = .lowercase
        case "Strip", "StripNormalizer":
            self = .strip(
                left: try json.boolean("strip_left", or: true), right: try json.boolean("strip_right", or: true))
        case "StripAccents": self = .stripAccents
        case "Replace": self = .replace(try Pattern(json), with: try json.replacement())
        case "Prepend": self = .prepend(try json.bytes("prepend"))
        case "Precompiled":
            guard let blob = Data(base64Encoded: try json.text("precompiled_charsmap")) else {
                throw json.error("\"precompiled_charsmap\" is not in Base64")
            }
            self = .precompiled(try CharacterMap([UInt8](blob), path: json.path))
        case "ByteLevel": self = .byteLevel
        case "Sequence":
            var parts: [Normalizer] = []
            for part in try json.elements("normalizers") { parts.append(try Normalizer(part)) }
            self = .sequence(parts)
        case let type: throw json.unknown(type, "a normalizer")
        }
    }
}

extension JSONReader {
    func unknown(_ type: String, _ role: String) -> TokenizationError {
        error("\(TokenizationError.quoted(type)) is not known as \(role) here; this tokenizer cannot be used")
    }

    /// The `content` of a Replace. Groups of a regular expression cannot be referred to.
    func replacement() throws(TokenizationError) -> [UInt8] {
        let content = try bytes("content")
        guard self["pattern"]?["Regex"] == nil || !content.contains(UInt8(ascii: "$")) else {
            throw error("a replacement that refers to groups of a regular expression is not known here")
        }
        return content
    }
}

extension Pattern {
    /// Reads the `pattern` of a Replace or a Split: a text, or a regular expression.
    init(_ json: JSONReader) throws(TokenizationError) {
        guard let pattern = json["pattern"] else { throw json.error("\"pattern\" is missing") }
        if let literal = try pattern.optionalBytes("String") {
            guard !literal.isEmpty else { throw pattern.error("an empty text, expected one to look for") }
            self.init(literal: literal)
            return
        }
        let spelling = try pattern.text("Regex")
        do {
            try self.init(regularExpression: spelling)
        } catch {
            throw pattern.error(
                "the regular expression \(TokenizationError.quoted(spelling)) cannot be used: \(error.message)")
        }
    }
}
