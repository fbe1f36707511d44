/// Text whose comparison could take minutes.
///
/// Swift compares and hashes text by canonical equivalence, for which it sorts the marks that follow a letter; its time grows
/// with the square of their number. Names and classes need no thousands of marks, so readers refuse text that could hold
/// them before they compare any.
public enum UnsortableText {
    /// Bytes in a row that may stand for marks: about a thousand marks take less than a millisecond.
    public static let longestStretch = 4_096

    /// Where more such bytes than allowed begin: a stretch outside ASCII, or of escapes such as `\u0301`.
    ///
    /// - Parameter bytes: UTF-8, as it stands in a file.
    public static func offset(in bytes: some Sequence<UInt8>) -> Int? {
        var (position, start) = (0, 0)
        // Bytes of an escape that are still to come: the letter and its digits.
        var escaped = 0
        for byte in bytes {
            defer { position += 1 }
            if byte >= 0x80 {
                escaped = 0
            } else if byte == UInt8(ascii: "\\") {
                escaped = 9
            } else if escaped > 0, isEscape(byte, isLetter: escaped == 9) {
                escaped -= 1
            } else {
                escaped = 0
                start = position + 1
            }
            if position - start >= longestStretch { return start }
        }
        return nil
    }

    private static func isEscape(_ byte: UInt8, isLetter: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            !isLetter
        case UInt8(ascii: "u"), UInt8(ascii: "U"), UInt8(ascii: "x"): isLetter
        default: false
        }
    }

    /// What is wrong with a file that holds such text, to be put behind its path.
    public static func complaint(offset: Int) -> String {
        "byte \(offset): more than \(longestStretch) bytes without a plain letter, digit or sign; the file is damaged"
    }
}
