import Foundation

/// BERT's normalisation of text before it is cut into words: clean-up, spaces around ideographs, accent stripping, lower-casing.
///
/// Hugging Face's `BertNormalizer`, step for step in its order.
struct BertNormalizer: Sendable {
    struct Options: Sendable, Equatable {
        /// Remove control characters and turn every white space into U+0020.
        var cleansText = true
        var spacesIdeographs = true
        /// nil: as `lowercases` says.
        var stripsAccents: Bool?
        var lowercases = true
    }

    private let options: Options
    private let stripsAccents: Bool
    /// What each ASCII character becomes; nil: nothing.
    private let ascii: [Unicode.Scalar?]

    /// No scalar below this one has a decomposition or is a mark.
    private static let firstDecomposable: UInt32 = 0xC0

    init(_ options: Options) {
        self.options = options
        stripsAccents = options.stripsAccents ?? options.lowercases
        ascii = (0..<128).map { (value: UInt8) in
            let scalar = Unicode.Scalar(value)
            guard let cleaned = options.cleansText ? Self.cleaned(scalar) : scalar else { return nil }
            return options.lowercases && (0x41...0x5A).contains(value) ? Unicode.Scalar(value | 0x20) : cleaned
        }
    }

    /// The normalised scalars of a part of a text.
    func normalized(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        for (index, scalar) in zip(text.indices, text) {
            guard scalar.value < 128 else {
                // ASCII is never changed by what follows it, so only the rest has to go through each step as a whole.
                return result + normalizedStepwise(text[index...])
            }
            if let mapped = ascii[Int(scalar.value)] { result.append(mapped) }
        }
        return result
    }

    private func normalizedStepwise(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(text.count)
        for scalar in text {
            guard let cleaned = options.cleansText ? Self.cleaned(scalar) : scalar else { continue }
            if options.spacesIdeographs, BertCharacters.isIdeograph(cleaned) {
                scalars += [" ", cleaned, " "]
            } else {
                scalars.append(cleaned)
            }
        }
        if stripsAccents { scalars = Self.withoutAccents(scalars) }
        if options.lowercases { scalars = Self.lowercased(scalars) }
        return scalars
    }

    private static func cleaned(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        if BertCharacters.isRemoved(scalar) { return nil }
        return BertCharacters.isWhiteSpace(scalar) ? " " : scalar
    }

    /// The time to sort marks grows with the square of their number. Text has no thousand of them in a row; where a file has,
    /// the order of those that are kept may differ from the tokenizers library's.
    private static let longestRun = 1_000

    /// The canonical decomposition (NFD) without its nonspacing marks.
    private static func withoutAccents(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(scalars.count)
        // Marks are reordered only within a run of scalars that the decomposition knows.
        var run = String.UnicodeScalarView()
        var runLength = 0
        func flush() {
            guard !run.isEmpty else { return }
            for scalar in String(run).decomposedStringWithCanonicalMapping.unicodeScalars
            where !BertCharacters.isNonspacingMark(scalar) {
                result.append(scalar)
            }
            run.removeAll(keepingCapacity: true)
            runLength = 0
        }
        for scalar in scalars {
            if scalar.value >= firstDecomposable, BertCharacters.isNormalizable(scalar) {
                run.append(scalar)
                runLength += 1
                if runLength == longestRun { flush() }
            } else {
                flush()
                result.append(scalar)
            }
        }
        flush()
        return result
    }

    /// Each scalar's lower-case mapping, whatever stands around it: a final sigma is none here.
    private static func lowercased(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(scalars.count)
        for scalar in scalars {
            switch scalar.value {
            case 0x41...0x5A: result.append(Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value) | 0x20))
            case 0..<0x80: result.append(scalar)
            default: result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return result
    }
}
