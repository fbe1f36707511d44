import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Texts on standard input: a line each, plain or as a JSON object with `text` and perhaps `text_pair`.
enum InputLines {
    struct Text: Decodable {
        let text: String
        let textPair: String?

        enum CodingKeys: String, CodingKey {
            case text
            case textPair = "text_pair"
        }
    }

    /// Gives the lines in groups: of `size`, or one by one where a person types them.
    static func forEachGroup(of size: Int, _ body: ([(number: Int, line: String)]) throws -> Void) throws {
        let size = isatty(STDIN_FILENO) == 1 ? 1 : size
        var group: [(Int, String)] = []
        var number = 0
        while let line = readLine(strippingNewline: true) {
            number += 1
            group.append((number, line))
            if group.count == size {
                try body(group)
                group = []
            }
        }
        if !group.isEmpty { try body(group) }
    }

    /// A line that must be a JSON object.
    static func object(_ line: String, number: Int) throws(InputError) -> Text {
        do {
            return try JSONDecoder().decode(Text.self, from: Data(line.utf8))
        } catch {
            throw InputError(
                "standard input:\(number): \(line.prefix(60).debugDescription), expected a JSON object such as "
                    + "{\"text\": \"A wonderful film.\"}")
        }
    }
}

/// A line of standard input that cannot be used.
struct InputError: Diagnosis {
    var kind: FailureKind { .badData }
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Writes a line to standard output at once.
func printLine(_ line: String) throws {
    try writeToStandardOutput(Data((line + "\n").utf8))
}

/// JSON on one line.
func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
