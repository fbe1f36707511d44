import Testing

@testable import Text

@Suite struct SequenceTemplateTests {
    /// `longest_first` as transformers describes it: token by token from the longer text, from the second where both are
    /// equally long. Its fast tokenizers give the odd token to the text that was longer, and to the second one where both
    /// were equally long; so what is compared is the whole and the difference.
    private static func slowly(_ lengths: (first: Int, second: Int), to room: Int) -> (Int, Int) {
        var (first, second) = lengths
        while first + second > room {
            if first > second { first -= 1 } else { second -= 1 }
        }
        return (first, second)
    }

    @Test("truncation leaves what taking token by token from the longer text leaves, but for who has an odd token")
    func longestFirst() {
        for first in 0..<12 {
            for second in 0..<12 {
                for room in 0..<24 {
                    let fast = SequenceTemplate.truncated((first, second), to: room)
                    let slow = Self.slowly((first, second), to: room)
                    #expect(fast.first + fast.second == slow.0 + slow.1)
                    #expect(abs(fast.first - slow.0) <= 1)
                    #expect((0...first).contains(fast.first) && (0...second).contains(fast.second))
                }
            }
        }
    }

    @Test("both kinds of sequence have their special tokens and type numbers")
    func assembled() {
        let template = SequenceTemplate.bert(classification: 1, separator: 2)
        #expect(
            template.assembled([5, 6], nil, maxLength: nil) == TokenizedText(ids: [1, 5, 6, 2], typeIDs: [0, 0, 0, 0]))
        #expect(
            template.assembled([5], [], maxLength: nil) == TokenizedText(ids: [1, 5, 2, 2], typeIDs: [0, 0, 0, 1]))
    }
}
