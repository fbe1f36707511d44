import Yams

extension Node {
    /// The text of a scalar without quotes; `nil` for quoted text, lists and mappings.
    var plainText: String? {
        guard let scalar, scalar.style == .plain || scalar.style == .any else { return nil }
        return scalar.string
    }

    /// Whether this is YAML's null: nothing, `~` or `null`, without quotes.
    var isNull: Bool {
        guard let plainText else { return false }
        return ["", "~", "null"].contains(plainText.lowercased())
    }

    /// What stands here, short and on one line, for a message.
    var quoted: String {
        switch self {
        case .mapping: "a mapping"
        case .sequence(let sequence): sequence.isEmpty ? "an empty list" : "a list"
        case .alias: "an alias"
        case .scalar(let scalar):
            if isNull {
                "null"
            } else if plainText == nil {
                "the quoted text \(scalar.string.shortened.doubleQuoted)"
            } else {
                "'\(scalar.string.shortened.oneLine)'"
            }
        }
    }
}

extension String {
    /// The first 60 characters, with an ellipsis in place of more.
    var shortened: String { count <= 60 ? self : prefix(60) + "…" }

    /// The text with what does not print replaced by its escape, so that a message stays one line.
    var oneLine: String { unicodeScalars.map { $0.isPrintable ? String($0) : $0.yamlEscape }.joined() }

    /// A YAML double-quoted scalar that reads as this text.
    var doubleQuoted: String {
        let body = unicodeScalars.map { $0 == "\"" || $0 == "\\" || !$0.isPrintable ? $0.yamlEscape : String($0) }
        return "\"" + body.joined() + "\""
    }

    /// Whether every YAML reader takes this text, without quotes, for itself: names and paths, but for the words that
    /// stand for null and for truth values.
    var isPlainInYAML: Bool {
        guard let first = utf8.first, utf8.allSatisfy({ $0.isASCIILetterOrDigit || "._-/".utf8.contains($0) }),
            !first.isASCIIDigit, !".-".utf8.contains(first)
        else { return false }
        return !["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(lowercased())
    }
}

extension UInt8 {
    fileprivate var isASCIIDigit: Bool { (0x30...0x39).contains(self) }
    fileprivate var isASCIILetterOrDigit: Bool {
        isASCIIDigit || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
    }
}

extension Unicode.Scalar {
    /// Whether the character shows as itself on one line: no control, format, private or unassigned character and no
    /// white space but the space.
    var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: self == " "
        default: true
        }
    }

    fileprivate var yamlEscape: String {
        if self == "\"" || self == "\\" { return "\\" + String(self) }
        if self == "\n" { return "\\n" }
        let (letter, width) = value <= 0xFF ? ("x", 2) : value <= 0xFFFF ? ("u", 4) : ("U", 8)
        let digits = String(value, radix: 16, uppercase: true)
        return "\\" + letter + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
