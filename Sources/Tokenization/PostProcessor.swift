/// What is put around the tokens of a text, or of a pair, and how offsets are made up.
struct PostProcessor: Sendable {
    /// One part of a sequence.
    enum Part: Sendable, Equatable {
        case text(isSecond: Bool, typeID: Int32)
        case special(id: Int32, typeID: Int32)
    }

    /// Takes the spaces at a token's ends out of its offsets.
    struct OffsetTrimming: Sendable, Equatable {
        /// The first token's space was put there by the tokenizer.
        var addsPrefixSpace: Bool
    }

    var single: [Part] = [.text(isSecond: false, typeID: 0)]
    var pair: [Part] = [.text(isSecond: false, typeID: 0), .text(isSecond: true, typeID: 1)]
    var trimming: [OffsetTrimming] = []

    /// How many special tokens there are around one text, or around a pair.
    func specialCount(isPair: Bool) -> Int {
        (isPair ? pair : single).count { if case .special = $0 { true } else { false } }
    }

    func assembled(
        _ first: TokenRun, _ second: TokenRun?, addsSpecial: Bool, keepsOffsets: Bool
    ) -> Encoding {
        let (first, second) = (trimmed(first), second.map(trimmed))
        var result = Encoding()
        for part in second == nil ? single : pair {
            switch part {
            case .text(let isSecond, let typeID):
                guard let run = isSecond ? second : first else { continue }
                result.append(run, typeID: typeID, sequence: isSecond ? 1 : 0, keepsOffsets: keepsOffsets)
            case .special(let id, let typeID):
                if addsSpecial { result.append(special: id, typeID: typeID, keepsOffsets: keepsOffsets) }
            }
        }
        return result
    }

    /// The spaces at a token's ends, if they matter.
    func spaces(around token: ArraySlice<UInt8>) -> TokenRun.Spaces {
        guard !trimming.isEmpty else { return TokenRun.Spaces() }
        let scalars = Array(String(decoding: token, as: UTF8.self).unicodeScalars)
        return TokenRun.Spaces(
            leading: Int32(scalars.prefix(while: ByteAlphabet.isSpace).count),
            trailing: Int32(scalars.reversed().prefix(while: ByteAlphabet.isSpace).count))
    }

    /// Takes the spaces out of the offsets of a text's tokens.
    private func trimmed(_ run: TokenRun) -> TokenRun {
        guard !trimming.isEmpty, !run.origins.isEmpty else { return run }
        var run = run
        for options in trimming {
            for index in run.origins.indices {
                Self.trim(&run.origins[index], run.spaces[index], isFirst: index == 0, options)
            }
        }
        return run
    }

    private static func trim(
        _ origin: inout Origin, _ spaces: TokenRun.Spaces, isFirst: Bool, _ options: OffsetTrimming
    ) {
        var leading = spaces.leading
        if leading > 0 {
            // The one space before the first token was put there, so there is none in the text.
            if isFirst || origin.start == 0, options.addsPrefixSpace, leading == 1 { leading = 0 }
            origin.start = min(origin.start + leading, origin.end)
        }
        if spaces.trailing > 0, origin.end >= spaces.trailing {
            origin.end = max(origin.end - spaces.trailing, origin.start)
        }
    }
}
