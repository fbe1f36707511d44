/// A step on the way from tokens back to text.
///
/// The cases are named after the `type` in `tokenizer.json`. Every step takes a list of tokens and gives one; in the end the
/// list is put together.
indirect enum Decoder: Sendable {
    case byteLevel
    case wordPiece(prefix: [UInt8], cleansUp: Bool)
    case metaspace(replacement: [UInt8], dropsFirst: Bool)
    case replace(Pattern, with: [UInt8])
    case fuse
    case strip(content: Unicode.Scalar, start: Int, stop: Int)
    case byteFallback
    case wordSuffix([UInt8])
    case sequence([Decoder])

    func decoded(_ tokens: [[UInt8]]) -> [[UInt8]] {
        switch self {
        case .byteLevel: return [Self.bytesOfAlphabet(tokens)]
        case .wordPiece(let prefix, let cleansUp): return Self.joinedPieces(tokens, prefix, cleansUp: cleansUp)
        case .metaspace(let replacement, let dropsFirst):
            return tokens.enumerated().map { index, token in
                Self.replacing(token, replacement, with: index == 0 && dropsFirst ? [] : [0x20])
            }
        case .replace(let pattern, let content): return tokens.map { Self.replacing($0, pattern, with: content) }
        case .fuse: return [Array(tokens.joined())]
        case .strip(let content, let start, let stop):
            return tokens.map { Self.stripped($0, content, start: start, stop: stop) }
        case .byteFallback: return Self.bytesJoined(tokens)
        case .wordSuffix(let suffix):
            return tokens.enumerated().map { index, token in
                Self.replacing(token, suffix, with: index == tokens.count - 1 ? [] : [0x20])
            }
        case .sequence(let parts): return parts.reduce(tokens) { $1.decoded($0) }
        }
    }
}

extension Decoder {
    private static func replacing(_ token: [UInt8], _ pattern: Pattern, with content: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        pattern.forEachPart(in: token, 0..<token.count) { part in
            if part.isMatch { result += content } else { result += token[part.range] }
        }
        return result
    }

    private static func replacing(_ token: [UInt8], _ text: [UInt8], with content: [UInt8]) -> [UInt8] {
        text.isEmpty ? token : replacing(token, Pattern(literal: text), with: content)
    }

    /// The bytes that the tokens' characters stand for. A token with another character stands for itself, and what is then no
    /// UTF-8 becomes U+FFFD.
    private static func bytesOfAlphabet(_ tokens: [[UInt8]]) -> [UInt8] {
        var result: [UInt8] = []
        for token in tokens {
            let scalars = String(decoding: token, as: UTF8.self).unicodeScalars
            let bytes = scalars.compactMap(ByteAlphabet.byte)
            result += bytes.count == scalars.count ? bytes : token
        }
        return Array(String(decoding: result, as: UTF8.self).utf8)
    }

    /// Tokens that continue a word follow it at once, the others after a space.
    private static func joinedPieces(_ tokens: [[UInt8]], _ prefix: [UInt8], cleansUp: Bool) -> [[UInt8]] {
        tokens.enumerated().map { index, token in
            var token = token
            if index > 0 {
                token = token.starts(with: prefix) ? Array(token.dropFirst(prefix.count)) : [0x20] + token
            }
            guard cleansUp else { return token }
            for (spaced, close) in cleanups { token = replacing(token, Array(spaced.utf8), with: Array(close.utf8)) }
            return token
        }
    }

    /// English punctuation and contractions, which no space stands before.
    private static let cleanups = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ]

    /// The token without at most `start` of a scalar at its beginning and `stop` at its end.
    private static func stripped(_ token: [UInt8], _ content: Unicode.Scalar, start: Int, stop: Int) -> [UInt8] {
        var scalars = Array(String(decoding: token, as: UTF8.self).unicodeScalars)[...]
        for _ in 0..<max(0, min(start, scalars.count)) where scalars.first == content { scalars.removeFirst() }
        for _ in 0..<max(0, min(stop, scalars.count)) where scalars.last == content { scalars.removeLast() }
        var result: [UInt8] = []
        for scalar in scalars { UTF8Text.append(scalar, to: &result) }
        return result
    }

    /// Runs of tokens such as `<0xE4>` become the text whose bytes they are, or as many U+FFFD if they are no UTF-8.
    private static func bytesJoined(_ tokens: [[UInt8]]) -> [[UInt8]] {
        var result: [[UInt8]] = []
        var bytes: [UInt8] = []
        func flush() {
            guard !bytes.isEmpty else { return }
            if String(validating: bytes, as: UTF8.self) != nil {
                result.append(bytes)
            } else {
                result += Array(repeating: Array("\u{FFFD}".utf8), count: bytes.count)
            }
            bytes = []
        }
        for token in tokens {
            if let byte = byte(of: token) {
                bytes.append(byte)
            } else {
                flush()
                result.append(token)
            }
        }
        flush()
        return result
    }

    private static func byte(of token: [UInt8]) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else { return nil }
        return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
    }
}
