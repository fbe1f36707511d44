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
