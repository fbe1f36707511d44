/// A message that may quote what stands in a file, on one line: control characters and line ends are shown as escapes, and
/// of a message that is longer than a person reads only the beginning and the end stay.
public func oneLine(_ message: String) -> String {
    let (head, tail) = (1_500, 500)
    if message.utf8.count <= head + tail, message.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return message }
    var shown = String.UnicodeScalarView()
    func show(_ scalars: some Sequence<Unicode.Scalar>) {
        for scalar in scalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator:
                shown.append(contentsOf: scalar.escaped(asASCII: true).unicodeScalars)
            default: shown.append(scalar)
            }
        }
    }
    let scalars = message.unicodeScalars
    // Far fewer than all scalars need be walked over: a message may quote a name of megabytes.
    guard let limit = scalars.index(scalars.startIndex, offsetBy: head + tail, limitedBy: scalars.endIndex),
        limit < scalars.endIndex
    else {
        show(scalars)
        return String(shown)
    }
    show(scalars.prefix(head))
    shown.append(contentsOf: " … ".unicodeScalars)
    show(scalars.suffix(tail))
    return String(shown)
}

/// A value from a file as it is shown in a message: quoted, on one line, not longer than a person reads.
public func quoted(_ value: String) -> String {
    let limit = 60
    var shown = ""
    for scalar in value.unicodeScalars.prefix(limit) { shown += scalar.escaped(asASCII: false) }
    return "\"\(shown)\"" + (value.unicodeScalars.count > limit ? "…" : "")
}
