import Diagnostics
import Yams

/// A YAML text as the flat list of its keys and values, each with the place to name in a message.
struct ConfigurationDocument {
    /// One key with its value.
    struct Entry {
        /// The key, with its section: `adapter.init_r`.
        let key: String
        let value: Node
        /// `run.yaml:4`, or the command-line option.
        let place: String
    }

    private(set) var entries: [Entry] = []
    private let path: String
    /// Where each key was given first.
    private var places: [String: String] = [:]

    /// - Parameters:
    ///   - text: the YAML.
    ///   - path: the file that it came from, for messages.
    init(text: String, path: String) throws(ConfigurationError) {
        self.path = path
        if let offset = UnsortableText.offset(in: text.utf8) {
            throw Self.failure(path, UnsortableText.complaint(offset: offset))
        }
        guard let root = try Self.node(text, place: path, hasLines: true), !root.isNull else { return }
        guard case .mapping(let mapping) = root else {
            throw Self.failure(place(root), "expected keys with values (model: …), found \(root.quoted)")
        }
        try append(mapping, section: nil)
    }

    private func place(_ node: Node) -> String { node.mark.map { "\(path):\($0.line)" } ?? path }

    private mutating func append(_ mapping: Node.Mapping, section: String?) throws(ConfigurationError) {
        for (keyNode, value) in mapping {
            guard let name = keyNode.scalar?.string else {
                throw Self.failure(place(keyNode), "expected the name of a key, found \(keyNode.quoted)")
            }
            if section == nil, ConfigurationField.sections.contains(where: { $0.name == name && !name.isEmpty }) {
                try appendSection(name, value)
                continue
            }
            let key = section.map { "\($0).\(name)" } ?? name
            if let first = places.updateValue(place(keyNode), forKey: key) {
                throw Self.failure(
                    place(keyNode), "duplicate key '\(key.shortened.oneLine)', given at \(first); remove one")
            }
            entries.append(Entry(key: key, value: value, place: place(keyNode)))
        }
    }

    private mutating func appendSection(_ name: String, _ value: Node) throws(ConfigurationError) {
        switch value {
        case .mapping(let mapping): try append(mapping, section: name)
        case _ where value.isNull: break
        default: throw Self.failure(place(value), "\(name): expected keys with values, found \(value.quoted)")
        }
    }

    /// The entry that `--set KEY=VALUE` stands for.
    static func override(_ option: String) throws(ConfigurationError) -> Entry {
        let place = "--set \(option.shortened.oneLine)"
        guard let equals = option.firstIndex(of: "="), equals > option.startIndex else {
            throw failure(place, "expected KEY=VALUE, such as --set adapter.target_r=4")
        }
        let key = String(option[..<equals])
        if ConfigurationField.sections.contains(where: { $0.name == key }) {
            throw failure(place, "'\(key)' is a section; set one of its keys, such as \(key).…=VALUE")
        }
        let text = option[option.index(after: equals)...]
        let value = try node(String(text), place: place, hasLines: false)
        // Nobody comments a command line: what YAML takes for a comment is the end of a name or a path.
        if text.contains(/(^|\s)#/), value.map({ $0.plainText != nil }) ?? true {
            throw failure(
                place,
                "'#' after a space, or at the start, begins a comment in YAML; put the value in double quotes inside "
                    + "those of the shell")
        }
        return Entry(key: key, value: value ?? Node(""), place: place)
    }

    private static func failure(_ place: String, _ message: String) -> ConfigurationError {
        ConfigurationError(.usage, "\(place): \(message)")
    }
}

extension ConfigurationDocument {
    /// Bytes that a configuration may have: many times the longest list of modules.
    static let maximumBytes = 256 * 1024
    private static let maximumAliases = 16

    /// The root of a YAML text; `nil` where it holds nothing.
    ///
    /// Tags stay unresolved (`.basic`): each key knows its own type. Nesting is bounded by the parser itself (1,000
    /// levels); aliases are few enough here that no combination of them grows large.
    private static func node(_ text: String, place: String, hasLines: Bool) throws(ConfigurationError) -> Node? {
        guard text.utf8.count <= maximumBytes else {
            throw failure(place, "the text is longer than \(maximumBytes) bytes; this is not a configuration")
        }
        guard aliasCount(text) <= maximumAliases else {
            throw failure(place, "more than \(maximumAliases) aliases (*name); write the values out")
        }
        do {
            return try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
        } catch let error as YamlError {
            let (line, message) = error.located
            throw failure(hasLines ? line.map { "\(place):\($0)" } ?? place : place, message)
        } catch {
            throw failure(place, "not YAML: \(String(describing: error).oneLine)")
        }
    }

    /// An upper bound of the aliases in a text: asterisks that begin a word. Those in comments and quoted text count, too.
    private static func aliasCount(_ text: String) -> Int {
        var count = 0
        var previous = UInt8(ascii: " ")
        for byte in text.utf8 {
            if byte == UInt8(ascii: "*"), previous <= 0x20 || "[]{},:-?".utf8.contains(previous) { count += 1 }
            previous = byte
        }
        return count
    }
}

extension YamlError {
    /// The line, where the error has one, and a message of one line.
    fileprivate var located: (line: Int?, message: String) {
        switch self {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let around = context.map { " (\($0.text) from line \($0.mark.line))" } ?? ""
            return (mark.line, "not YAML: \(problem)\(around)")
        case .reader(let problem, let offset, _, let yaml):
            return (offset.map { yaml.prefix($0).count(where: \.isNewline) + 1 }, "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.map { "'\($0.shortened.oneLine)'" }.joined(separator: ", ")
            return (context.mark.line, "duplicate key \(names); give it once")
        default:
            return (nil, "not YAML: \(description.oneLine)")
        }
    }
}
