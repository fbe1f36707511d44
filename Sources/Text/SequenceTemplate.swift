/// Where the special tokens stand around one text, or around two; and how much of the texts a length leaves.
///
/// Hugging Face's `TemplateProcessing`, and its truncation `longest_first`.
struct SequenceTemplate: Sendable, Equatable {
    enum Element: Sendable, Equatable {
        case special(ids: [Int32], typeID: Int32)
        /// The first text, or the only one.
        case first(typeID: Int32)
        case second(typeID: Int32)
    }

    var single: [Element]
    var pair: [Element]
    /// Truncation takes tokens from the start of a text instead of from its end.
    var truncatesStart = false

    /// BERT's `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`.
    static func bert(classification: Int32, separator: Int32) -> SequenceTemplate {
        let single: [Element] = [
            .special(ids: [classification], typeID: 0), .first(typeID: 0), .special(ids: [separator], typeID: 0),
        ]
        return SequenceTemplate(
            single: single, pair: single + [.second(typeID: 1), .special(ids: [separator], typeID: 1)])
    }

    /// The number of special tokens around one text, or around a pair.
    func specialTokenCount(isPair: Bool) -> Int {
        (isPair ? pair : single).reduce(0) { count, element in
            if case .special(let ids, _) = element { count + ids.count } else { count }
        }
    }

    /// The numbers of the special tokens.
    var specialIDs: [Int32] {
        (single + pair).flatMap { element -> [Int32] in
            if case .special(let ids, _) = element { ids } else { [] }
        }
    }

    /// The sequence of one text or of a pair, with at most `maxLength` tokens unless the special ones alone are more.
    func assembled(_ first: [Int32], _ second: [Int32]?, maxLength: Int?) -> TokenizedText {
        var lengths = (first: first.count, second: second?.count ?? 0)
        if let maxLength {
            let room = max(0, max(0, maxLength) - specialTokenCount(isPair: second != nil))
            lengths = Self.truncated(lengths, to: room)
        }
        var result = TokenizedText(ids: [], typeIDs: [])
        func append(_ ids: ArraySlice<Int32>, _ typeID: Int32) {
            result.ids.append(contentsOf: ids)
            result.typeIDs.append(contentsOf: repeatElement(typeID, count: ids.count))
        }
        for element in second == nil ? single : pair {
            switch element {
            case .special(let ids, let typeID): append(ids[...], typeID)
            case .first(let typeID): append(kept(first, lengths.first), typeID)
            case .second(let typeID): append(kept(second ?? [], lengths.second), typeID)
            }
        }
        return result
    }

    private func kept(_ ids: [Int32], _ count: Int) -> ArraySlice<Int32> {
        truncatesStart ? ids.suffix(count) : ids.prefix(count)
    }

    /// The lengths of two texts after `longest_first` (the second is 0 where there is none): the longer one is cut to the
    /// shorter one's length first, then both to half of the room, an odd token going to the longer one.
    static func truncated(_ lengths: (first: Int, second: Int), to room: Int) -> (first: Int, second: Int) {
        guard lengths.first > room || lengths.second > room - lengths.first else { return lengths }
        let firstIsLonger = lengths.first > lengths.second
        var shorter = min(lengths.first, lengths.second)
        var longer = shorter > room ? shorter : max(shorter, room - shorter)
        if shorter > room - longer {
            shorter = room / 2
            longer = shorter + room % 2
        }
        return firstIsLonger ? (longer, shorter) : (shorter, longer)
    }
}
