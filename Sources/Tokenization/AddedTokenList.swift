import Diagnostics

/// Added tokens as they get their numbers.
///
/// As in the tokenizers library, a token that the vocabulary has keeps its number there, and another gets the next number that
/// is free, whatever a file says; a file that this library wrote says the same.
struct AddedTokenList {
    private(set) var tokens: [AddedToken] = []
    private let model: TokenModel
    private var ids: [[UInt8]: Int32] = [:]
    private var largest: Int?

    init(_ model: TokenModel) { self.model = model }

    func contains(_ content: String) -> Bool { ids[Array(content.utf8)] != nil }

    /// Adds a token, or gives the one with the same content its properties.
    ///
    /// - Parameter isNumbered: the token's number is one that a file says; a token that is new must get it.
    mutating func update(_ token: AddedToken, isNumbered: Bool, path: String) throws(TokenizationError) {
        if let index = tokens.lastIndex(where: { $0.content.utf8.elementsEqual(token.content.utf8) }) {
            let id = tokens[index].id
            tokens[index] = token
            tokens[index].id = id
            return
        }
        try append(token, path: path)
        guard isNumbered, let last = tokens.last, last.id != token.id else { return }
        throw TokenizationError(
            .badData,
            "\(path): the added token \(TokenizationError.quoted(token.content)) has the number \(token.id), but gets \(last.id) "
                + "behind those of the vocabulary; the files belong to different models")
    }

    /// Adds a token, whose number is not looked at; one without content is passed over.
    ///
    /// - Throws: `badData` if no number is free; `path` names the file in the message.
    mutating func append(_ token: AddedToken, path: String) throws(TokenizationError) {
        let content = Array(token.content.utf8)
        guard !content.isEmpty else { return }
        let free = largest.map { $0 >= model.size || model.size == 0 ? $0 + 1 : model.size } ?? model.size
        let number = (ids[content] ?? model.vocabulary.id(of: content)).map(Int.init) ?? free
        guard let id = Int32(exactly: number) else {
            throw TokenizationError(
                .badData, "\(path): no number is free for the added token \(TokenizationError.quoted(content))")
        }
        var numbered = token
        numbered.id = id
        ids[content] = id
        largest = max(largest ?? 0, number)
        tokens.append(numbered)
    }
}
