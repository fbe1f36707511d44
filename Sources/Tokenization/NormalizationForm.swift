/// Unicode's normal forms, with where each scalar comes from.
enum NormalizationForm: Sendable {
    case nfc
    case nfd
    case nfkc
    case nfkd

    private var isCompatible: Bool { self == .nfkc || self == .nfkd }
    private var composes: Bool { self == .nfc || self == .nfkc }

    /// No scalar below is changed by the form, or touched by what follows it when nothing above stands in the text.
    private var firstChanged: UInt32 {
        switch self {
        case .nfc: 0x300
        case .nfd: 0xC0
        case .nfkc, .nfkd: 0xA0
        }
    }

    func normalized(_ text: AlignedText) -> AlignedText {
        var needsWork = false
        text.forEachScalar { scalar, _ in if scalar.value >= firstChanged { needsWork = needsWork || !isInert(scalar) }
        }
        guard needsWork else { return text }
        var changes = decomposed(text)
        if composes { changes = Self.composed(changes) }
        return text.applying(changes)
    }

    /// Scripts that no form changes and that nothing composes with, so that most texts need no work: unified ideographs and
    /// most of Cyrillic, Greek apart.
    private func isInert(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF: true
        case 0xAC00...0xD7A3, 0x3041...0x3096, 0x30A1...0x30FA, 0x400...0x482, 0x2010...0x2015, 0x2018...0x201F:
            self == .nfc
        default: false
        }
    }

    /// The decomposition, with the marks behind each scalar in their order.
    private func decomposed(_ text: AlignedText) -> [AlignedText.Change] {
        typealias Change = AlignedText.Change
        let tables = CanonicalTables.shared
        var result: [Change] = []
        result.reserveCapacity(text.bytes.count)
        var marks: [(order: UInt8, change: Change)] = []
        text.forEachScalar { scalar, _ in
            var isFirst = true
            tables.decompose(scalar, isCompatible: isCompatible) { part in
                let change = Change(scalar: part, change: isFirst ? 0 : 1)
                isFirst = false
                let order = CanonicalTables.combiningClass(part)
                if order == 0 {
                    Self.flush(&marks, into: &result)
                    result.append(change)
                } else {
                    marks.append((order, change))
                }
            }
        }
        Self.flush(&marks, into: &result)
        return result
    }

    private static func flush(
        _ marks: inout [(order: UInt8, change: AlignedText.Change)], into result: inout [AlignedText.Change]
    ) {
        guard !marks.isEmpty else { return }
        if marks.count > 1 {
            // Equal classes keep their order.
            let order = marks.indices.sorted { (marks[$0].order, $0) < (marks[$1].order, $1) }
            for index in order { result.append(marks[index].change) }
        } else {
            result.append(marks[0].change)
        }
        marks.removeAll(keepingCapacity: true)
    }

    /// The canonical composition of a decomposed text.
    private static func composed(_ changes: [AlignedText.Change]) -> [AlignedText.Change] {
        let tables = CanonicalTables.shared
        var result: [AlignedText.Change] = []
        result.reserveCapacity(changes.count)
        /// Where the last starter stands in the result.
        var starter: Int?
        var lastClass: UInt8?
        for item in changes {
            let order = CanonicalTables.combiningClass(item.scalar)
            let isBlocked = lastClass.map { $0 >= order } ?? false
            if let index = starter, !isBlocked, let both = tables.composition(result[index].scalar, item.scalar) {
                result[index].scalar = both
                result[index].change += item.change - 1
                continue
            }
            if order == 0 {
                starter = result.count
                lastClass = nil
            } else if starter != nil {
                lastClass = order
            }
            result.append(item)
        }
        return result
    }
}
