extension PostProcessor {
    /// Reads the `post_processor` of `tokenizer.json`.
    init(_ json: JSONReader) throws(TokenizationError) {
        self.init()
        switch try json.type() {
        case "BertProcessing": self = try .bert(json.specialToken("cls"), json.specialToken("sep"))
        case "RobertaProcessing":
            self = try .roberta(json.specialToken("cls"), json.specialToken("sep"))
            trimming = try json.trimming()
        case "ByteLevel": trimming = try json.trimming()
        case "TemplateProcessing":
            let special = try Self.specialTokens(json)
            single = try Self.parts(json, "single", special)
            pair = try Self.parts(json, "pair", special)
        case "Sequence":
            var isTemplateKnown = false
            for part in try json.elements("processors") {
                let processor = try PostProcessor(part)
                trimming += processor.trimming
                guard try part.type() != "ByteLevel" else { continue }
                guard !isTemplateKnown else { throw part.error("a second template in one sequence is not known here") }
                (single, pair) = (processor.single, processor.pair)
                isTemplateKnown = true
            }
        case let type: throw json.unknown(type, "a post-processor")
        }
    }

    /// The numbers of a template's special tokens, by their names.
    private static func specialTokens(_ json: JSONReader) throws(TokenizationError) -> [(name: [UInt8], ids: [Int32])] {
        var result: [(name: [UInt8], ids: [Int32])] = []
        for member in try json.members("special_tokens") {
            let token = JSONReader(member.value, path: json.path, place: json.place + ".special_tokens")
            var ids: [Int32] = []
            for id in try token.elements("ids") { ids.append(try token.tokenID(id.value, of: member.key)) }
            result.append((Array(member.key), ids))
        }
        return result
    }

    private static func parts(
        _ json: JSONReader, _ key: String, _ special: [(name: [UInt8], ids: [Int32])]
    ) throws(TokenizationError) -> [Part] {
        var parts: [Part] = []
        for piece in try json.elements(key) {
            if let text = piece["Sequence"] {
                let name = try text.text("id")
                guard name == "A" || name == "B", key == "pair" || name == "A" else {
                    throw text.error("a sequence \(TokenizationError.quoted(name)), expected A, or B in \"pair\"")
                }
                parts.append(.text(isSecond: name == "B", typeID: try text.typeID()))
            } else if let token = piece["SpecialToken"] {
                let name = try token.bytes("id")
                guard let ids = special.last(where: { $0.name == name })?.ids else {
                    throw token.error(
                        "the special token \(TokenizationError.quoted(name)) is not in \"special_tokens\"")
                }
                let typeID = try token.typeID()
                parts += ids.map { .special(id: $0, typeID: typeID) }
            } else {
                throw piece.error("\(piece.value.kindName), expected a Sequence or a SpecialToken")
            }
        }
        // A template that leaves a text out, or has one twice, would change texts without a word.
        for isSecond in key == "pair" ? [false, true] : [false] {
            let count = parts.count { if case .text(isSecond, _) = $0 { true } else { false } }
            guard count == 1 else {
                throw json.error(
                    "\"\(key)\" has the \(isSecond ? "second" : "first") text \(count) times, expected once")
            }
        }
        return parts
    }
}

extension JSONReader {
    fileprivate func typeID() throws(TokenizationError) -> Int32 {
        Int32(truncatingIfNeeded: try count("type_id", or: 0))
    }

    /// The number of a token that is written with its text, as in `["[SEP]", 102]`.
    fileprivate func specialToken(_ key: String) throws(TokenizationError) -> Int32 {
        let parts = try elements(key)
        guard parts.count == 2, let text = parts[0].value.bytes else {
            throw error("\"\(key)\" is not a token and its number")
        }
        return try tokenID(parts[1].value, of: text)
    }

    /// What a processor says about spaces in offsets.
    fileprivate func trimming() throws(TokenizationError) -> [PostProcessor.OffsetTrimming] {
        guard try boolean("trim_offsets", or: true) else { return [] }
        return [PostProcessor.OffsetTrimming(addsPrefixSpace: try boolean("add_prefix_space", or: true))]
    }
}
