/// BERT's normalisation: clean-up, spaces around ideographs, accent stripping, lower-casing, in this order.
struct BertNormalization: Sendable, Equatable {
    /// Remove control characters and turn every white space into U+0020.
    var cleansText = true
    var spacesIdeographs = true
    /// nil: as `lowercases` says.
    var stripsAccents: Bool?
    var lowercases = true

    func normalized(_ text: AlignedText) -> AlignedText {
        var text = cleaned(text)
        if stripsAccents ?? lowercases, text.asciiEnd < text.bytes.count {
            text = Normalizer.filtered(NormalizationForm.nfd.normalized(text)) { !UnicodeClasses.isNonspacingMark($0) }
        }
        return lowercases ? Normalizer.lowercased(text) : text
    }

    /// The clean-up and the spaces around ideographs, each of which looks at one scalar alone.
    private func cleaned(_ text: AlignedText) -> AlignedText {
        guard cleansText || spacesIdeographs, !isClean(text.bytes) else { return text }
        var result = AlignedText(derivedFrom: text)
        text.forEachScalar { scalar, range in
            var scalar = scalar
            if cleansText {
                if UnicodeClasses.isRemovedByCleanup(scalar) { return }
                if UnicodeClasses.isWhiteSpace(scalar) { scalar = " " }
            }
            let isSpaced = spacesIdeographs && UnicodeClasses.isIdeograph(scalar)
            if isSpaced { result.append(" ", from: text, at: range.lowerBound) }
            result.append(scalar, from: text, at: range.lowerBound)
            if isSpaced { result.append(" ", from: text, at: range.lowerBound) }
        }
        return result
    }

    /// Whether all bytes are printable ASCII, as most texts' are.
    private func isClean(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F } }
}
