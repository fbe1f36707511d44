/// A step that changes a text before it is cut.
///
/// The cases are named after the `type` in `tokenizer.json`.
indirect enum Normalizer: Sendable {
    case bert(BertNormalization)
    case unicode(NormalizationForm)
    case lowercase
    case strip(left: Bool, right: Bool)
    case stripAccents
    case replace(Pattern, with: [UInt8])
    case prepend([UInt8])
    case precompiled(CharacterMap)
    case byteLevel
    case sequence([Normalizer])

    func normalized(_ text: AlignedText) -> AlignedText {
        guard !text.isEmpty else { return text }
        switch self {
        case .bert(let options): return options.normalized(text)
        case .unicode(let form): return form.normalized(text)
        case .lowercase: return Self.lowercased(text)
        case .strip(let left, let right): return Self.stripped(text, left: left, right: right)
        case .stripAccents: return Self.filtered(text) { !UnicodeClasses.isCombiningMark($0) }
        case .replace(let pattern, let content): return Self.replaced(text, pattern, content)
        case .prepend(let content): return Self.prepended(text, content)
        case .precompiled(let map): return map.normalized(text)
        case .byteLevel: return ByteAlphabet.spelled(text)
        case .sequence(let parts): return parts.reduce(text) { $1.normalized($0) }
        }
    }
}

extension Normalizer {
    /// Each scalar's lower-case mapping, whatever stands around it: a final sigma is none here.
    static func lowercased(_ text: AlignedText) -> AlignedText {
        var result = text
        let end = text.asciiEnd
        for index in 0..<end where (0x41...0x5A).contains(text.bytes[index]) { result.bytes[index] |= 0x20 }
        guard end < text.bytes.count else { return result }
        result = AlignedText(derivedFrom: text)
        text.forEachScalar { scalar, range in
            switch scalar.value {
            case 0x41...0x5A:
                result.append(
                    Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value) | 0x20), from: text, at: range.lowerBound)
            case 0..<0x80: result.append(scalar, from: text, at: range.lowerBound)
            default:
                for part in scalar.properties.lowercaseMapping.unicodeScalars {
                    result.append(part, from: text, at: range.lowerBound)
                }
            }
        }
        return result
    }

    /// The text without the white space at its ends.
    static func stripped(_ text: AlignedText, left: Bool, right: Bool) -> AlignedText {
        var (start, end) = (0, text.bytes.count)
        while left, start < end {
            let (scalar, length) = UTF8Text.scalar(at: start, in: text.bytes)
            guard UnicodeClasses.isWhiteSpace(scalar) else { break }
            start += length
        }
        while right, start < end {
            let previous = UTF8Text.start(before: end, in: text.bytes)
            guard UnicodeClasses.isWhiteSpace(UTF8Text.scalar(at: previous, in: text.bytes).scalar) else { break }
            end = previous
        }
        guard start > 0 || end < text.bytes.count else { return text }
        var result = AlignedText(derivedFrom: text)
        result.append(text, start..<end)
        return result
    }

    static func filtered(_ text: AlignedText, _ keeps: (Unicode.Scalar) -> Bool) -> AlignedText {
        guard text.asciiEnd < text.bytes.count else { return text }
        var result = AlignedText(derivedFrom: text)
        text.forEachScalar { scalar, range in if keeps(scalar) { result.append(text, range) } }
        return result
    }

    /// What replaces a match comes from the match's last scalar.
    static func replaced(_ text: AlignedText, _ pattern: Pattern, _ content: [UInt8]) -> AlignedText {
        var result = AlignedText(derivedFrom: text)
        pattern.forEachPart(in: text.bytes, 0..<text.bytes.count) { part in
            if part.isMatch {
                result.append(content, from: text, at: part.range.upperBound - 1)
            } else {
                result.append(text, part.range)
            }
        }
        return result
    }

    /// What is put before a text comes from the text's first scalar.
    static func prepended(_ text: AlignedText, _ content: [UInt8]) -> AlignedText {
        var result = AlignedText(derivedFrom: text)
        result.append(content, from: text, at: 0)
        result.append(text, 0..<text.bytes.count)
        return result
    }
}
