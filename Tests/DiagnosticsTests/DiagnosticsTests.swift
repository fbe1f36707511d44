import Diagnostics
import Testing

@Suite("Messages and hostile text")
struct DiagnosticsTests {
    @Test("a thousand marks in a row are found, however they are written; a page of Chinese is not")
    func unsortableText() {
        let limit = UnsortableText.longestStretch
        let marks = String(repeating: "\u{301}", count: limit)
        #expect(UnsortableText.offset(in: ("name" + marks).utf8) == 4)
        #expect(UnsortableText.offset(in: String(repeating: #"\u0301"#, count: limit).utf8) == 0)
        #expect(UnsortableText.offset(in: String(repeating: #"\U00000301"#, count: limit).utf8) == 0)
        #expect(UnsortableText.offset(in: String(repeating: "影评。很好 ", count: limit).utf8) == nil)
        #expect(UnsortableText.offset(in: String(repeating: "0123 ", count: limit).utf8) == nil)
        #expect(UnsortableText.offset(in: String(repeating: #"\\n"#, count: limit).utf8) == nil)
        #expect(UnsortableText.offset(in: String(repeating: "a\u{301}", count: limit).utf8) == nil)
    }

    @Test("a message that quotes a file stays one line that a person reads")
    func messagesOfOneLine() {
        #expect(oneLine("plain") == "plain")
        #expect(oneLine("two\nlines\u{2028}and\u{7}") == "two\\nlines\\u{2028}and\\u{07}")
        let long = oneLine(String(repeating: "a", count: 100_000) + "end")
        #expect(long.utf8.count < 3_000 && long.hasSuffix("end"))
    }

    @Test("the nearest name is one that a typing error leads to, or none")
    func nearest() {
        #expect(nearestName(to: "lora_alhpa", among: ["lora_alpha", "lora_dropout"]) == "lora_alpha")
        #expect(nearestName(to: "something", among: ["lora_alpha"]) == nil)
    }
}
