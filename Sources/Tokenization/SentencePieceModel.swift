import Diagnostics

/// What a SentencePiece model's file holds: pieces with their scores, and how texts are normalised.
struct SentencePieceModel {
    enum Kind: Int {
        case unigram = 1
        case bytePairs = 2
    }

    /// What a piece is for.
    enum Role: Int {
        case normal = 1
        case unknown = 2
        case control = 3
        case userDefined = 4
        case unused = 5
        case byte = 6
    }

    struct Piece {
        var text: ArraySlice<UInt8> = []
        var score: Float = 0
        var role = Role.normal
    }

    private(set) var pieces: [Piece] = []
    private(set) var kind = Kind.unigram
    private(set) var unknownID = 0
    private(set) var unknownPiece: [UInt8] = Array("<unk>".utf8)
    private(set) var fallsBackToBytes = false
    /// Empty: texts are not changed.
    private(set) var characterMap: [UInt8] = []

    /// Reads the protocol buffer `ModelProto` of SentencePiece.
    init(_ file: SourceFile) throws(TokenizationError) {
        do {
            var message = ProtocolBuffer(file.bytes[...])
            while let field = try message.next() {
                switch field {
                case (1, .bytes(let bytes)): pieces.append(try Self.piece(bytes))
                case (2, .bytes(let bytes)): try readTraining(bytes)
                case (3, .bytes(let bytes)): try readNormalization(bytes)
                default: break
                }
            }
        } catch {
            throw TokenizationError(
                .badData, "\(file.path): \(error.message); expected a model of SentencePiece, so the file is damaged")
        }
        guard pieces.indices.contains(unknownID) else {
            throw TokenizationError(
                .badData, "\(file.path): the unknown piece is number \(unknownID) of \(pieces.count) pieces")
        }
    }

    private static func piece(_ bytes: ArraySlice<UInt8>) throws(ProtocolBufferError) -> Piece {
        var piece = Piece()
        var message = ProtocolBuffer(bytes)
        while let field = try message.next() {
            switch field {
            case (1, .bytes(let text)):
                guard String(validating: text, as: UTF8.self) != nil else {
                    throw ProtocolBufferError(message: "a piece is not UTF-8")
                }
                // Byte-pair encoding looks at every way to cut a piece in two.
                guard text.count <= 4_096 else { throw ProtocolBufferError(message: "a piece of more than 4096 bytes") }
                piece.text = text
            case (2, .fixed32(let bits)):
                piece.score = Float(bitPattern: bits)
                guard piece.score.isFinite else { throw ProtocolBufferError(message: "a piece's score is not finite") }
            case (3, .number(let number)):
                guard let role = Role(rawValue: Int(clamping: number)) else {
                    throw ProtocolBufferError(message: "a piece is of an unknown type")
                }
                piece.role = role
            default: break
            }
        }
        return piece
    }

    private mutating func readTraining(_ bytes: ArraySlice<UInt8>) throws(ProtocolBufferError) {
        var message = ProtocolBuffer(bytes)
        while let field = try message.next() {
            switch field {
            case (3, .number(let number)):
                guard let kind = Kind(rawValue: Int(clamping: number)) else {
                    throw ProtocolBufferError(message: "the model is neither Unigram nor BPE")
                }
                self.kind = kind
            case (35, .number(let number)): fallsBackToBytes = number != 0
            case (40, .number(let number)): unknownID = Int(truncatingIfNeeded: number)
            case (45, .bytes(let text)): unknownPiece = Array(text)
            default: break
            }
        }
    }

    private mutating func readNormalization(_ bytes: ArraySlice<UInt8>) throws(ProtocolBufferError) {
        var message = ProtocolBuffer(bytes)
        while let field = try message.next() {
            if case (2, .bytes(let blob)) = field { characterMap = Array(blob) }
        }
    }
}

/// Why bytes are no protocol buffer of the kind that was expected.
struct ProtocolBufferError: Error { let message: String }

/// Reads the fields of a message of Protocol Buffers, one after the other.
struct ProtocolBuffer {
    enum Value {
        case number(UInt64)
        case fixed64(UInt64)
        case bytes(ArraySlice<UInt8>)
        case fixed32(UInt32)
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next field's number and value; nil at the end.
    mutating func next() throws(ProtocolBufferError) -> (number: Int, value: Value)? {
        guard !rest.isEmpty else { return nil }
        let key = try number()
        let field = Int(truncatingIfNeeded: key >> 3 & 0x1FFF_FFFF)
        switch key & 7 {
        case 0: return (field, .number(try number()))
        case 1: return (field, .fixed64(try fixed(8)))
        case 2:
            let length = try number()
            guard length <= UInt64(rest.count) else { throw Self.unfinished }
            defer { rest = rest.dropFirst(Int(length)) }
            return (field, .bytes(rest.prefix(Int(length))))
        case 5: return (field, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
        default: throw ProtocolBufferError(message: "a field of an unknown kind")
        }
    }

    private static let unfinished = ProtocolBufferError(message: "a field that ends behind the end")

    private mutating func number() throws(ProtocolBufferError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { throw Self.unfinished }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw ProtocolBufferError(message: "a number of more than 64 bits")
    }

    private mutating func fixed(_ count: Int) throws(ProtocolBufferError) -> UInt64 {
        guard rest.count >= count else { throw Self.unfinished }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
