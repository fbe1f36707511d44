import Diagnostics

/// A value of a JSON file with where it stands, so that a complaint can say so.
struct JSONReader {
    let value: JSON
    let path: String
    /// The keys that lead to it, such as `model.vocab`.
    let place: String

    init(_ value: JSON, path: String, place: String = "") {
        self.value = value
        self.path = path
        self.place = place
    }

    /// An error about this value.
    func error(_ message: String) -> TokenizationError {
        TokenizationError(.badData, "\(path): \(place.isEmpty ? "" : "\"\(place)\": ")\(message)")
    }

    private func place(of key: String) -> String { place.isEmpty ? key : "\(place).\(key)" }

    /// The member with a key; nil if it is absent or null.
    subscript(key: String) -> JSONReader? {
        value[key].map { JSONReader($0, path: path, place: place(of: key)) }
    }

    /// The `type` of a part of the pipeline.
    func type() throws(TokenizationError) -> String {
        guard case .object = value else { throw error("\(value.kindName), expected an object with a type") }
        return try text("type")
    }

    /// The member with a key, converted; nil if it is absent or null.
    private func member<Value>(
        _ key: String, _ expected: String, _ convert: (JSON) -> Value?
    ) throws(TokenizationError) -> Value? {
        guard let member = self[key] else { return nil }
        guard let value = convert(member.value) else {
            throw member.error("\(member.value.kindName), expected \(expected)")
        }
        return value
    }

    private func required<Value>(_ key: String, _ value: Value?) throws(TokenizationError) -> Value {
        guard let value else { throw error("\"\(key)\" is missing") }
        return value
    }

    func optionalBytes(_ key: String) throws(TokenizationError) -> [UInt8]? {
        try member(key, "a string") { $0.bytes.map(Array.init) }
    }

    func bytes(_ key: String) throws(TokenizationError) -> [UInt8] { try required(key, try optionalBytes(key)) }

    func optionalText(_ key: String) throws(TokenizationError) -> String? { try member(key, "a string", \.text) }

    func text(_ key: String) throws(TokenizationError) -> String { try required(key, try optionalText(key)) }

    func optionalBoolean(_ key: String) throws(TokenizationError) -> Bool? {
        try member(key, "true or false", \.boolean)
    }

    func boolean(_ key: String, or standard: Bool) throws(TokenizationError) -> Bool {
        try optionalBoolean(key) ?? standard
    }

    func optionalInteger(_ key: String) throws(TokenizationError) -> Int? {
        try member(key, "a whole number", \.integer)
    }

    /// A count, which is not negative and fits 32 bits.
    func count(_ key: String, or standard: Int) throws(TokenizationError) -> Int {
        guard let value = try optionalInteger(key) else { return standard }
        guard (0...Int(Int32.max)).contains(value) else {
            throw error("\"\(key)\" is \(value), expected a number from 0 to \(Int32.max)")
        }
        return value
    }

    /// The elements of the array with a key.
    func elements(_ key: String) throws(TokenizationError) -> [JSONReader] {
        let elements = try required(key, try member(key, "an array", \.elements))
        return elements.enumerated().map { JSONReader($1, path: path, place: "\(place(of: key))[\($0)]") }
    }

    /// The members of the object with a key.
    func members(_ key: String) throws(TokenizationError) -> [JSON.Member] {
        try required(key, try member(key, "an object", \.members))
    }

    /// A token's number: of this value, from 0 to what 32 bits hold.
    func tokenID(_ value: JSON, of token: some Sequence<UInt8>) throws(TokenizationError) -> Int32 {
        guard let number = value.integer, let id = Int32(exactly: number), id >= 0 else {
            throw error(
                "the number of \(TokenizationError.quoted(token)) is \(value.kindName), expected one from 0 to \(Int32.max)"
            )
        }
        return id
    }
}
