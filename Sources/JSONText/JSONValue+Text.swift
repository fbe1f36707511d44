extension JSONValue {
    /// The value as JSON over several lines, members sorted by their keys; numbers as they were spelled, since some readers
    /// take 2 and 2.0 for different types.
    package var text: String {
        var text = ""
        write(to: &text, indentation: "")
        return text
    }

    private func write(to text: inout String, indentation: String) {
        func list<Item>(_ items: [Item], _ brackets: (String, String), _ write: (Item, String) -> Void) {
            guard !items.isEmpty else {
                text += brackets.0 + brackets.1
                return
            }
            let inner = indentation + "  "
            for (index, item) in items.enumerated() {
                text += (index == 0 ? brackets.0 : ",") + "\n" + inner
                write(item, inner)
            }
            text += "\n" + indentation + brackets.1
        }
        switch self {
        case .object(let members):
            list(members.sorted { $0.key < $1.key }, ("{", "}")) { member, inner in
                text += Self.quoted(member.key) + " : "
                member.value.write(to: &text, indentation: inner)
            }
        case .array(let values): list(values, ("[", "]")) { $0.write(to: &text, indentation: $1) }
        case .string(let string): text += Self.quoted(string)
        case .number(let spelling): text += spelling
        case .boolean(let value): text += value ? "true" : "false"
        case .null: text += "null"
        }
    }

    private static func quoted(_ string: String) -> String {
        var result = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case ..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
