extension Decoder {
    /// Reads the `decoder` of `tokenizer.json`.
    init(_ json: JSONReader) throws(TokenizationError) {
        switch try json.type() {
        case "ByteLevel": self = .byteLevel
        case "WordPiece":
            self = .wordPiece(
                prefix: try json.optionalBytes("prefix") ?? Array("##".utf8),
                cleansUp: try json.boolean("cleanup", or: true))
        case "Metaspace":
            let options = try Metaspace(json)
            self = .metaspace(replacement: options.replacement, dropsFirst: options.prepends != .never)
        case "Replace": self = .replace(try Pattern(json), with: try json.replacement())
        case "Fuse": self = .fuse
        case "ByteFallback": self = .byteFallback
        case "Strip":
            let content = try json.text("content").unicodeScalars
            guard content.count == 1, let scalar = content.first else {
                throw json.error("\"content\" is not one character")
            }
            self = .strip(content: scalar, start: try json.count("start", or: 0), stop: try json.count("stop", or: 0))
        case "BPEDecoder": self = .wordSuffix(try json.optionalBytes("suffix") ?? Array("</w>".utf8))
        case "Sequence":
            var parts: [Decoder] = []
            for part in try json.elements("decoders") { parts.append(try Decoder(part)) }
            self = .sequence(parts)
        case let type: throw json.unknown(type, "a decoder")
        }
    }
}
