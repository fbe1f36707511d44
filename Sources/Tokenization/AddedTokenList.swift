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

    /// Adds a token with the number that a file gives it, also past a gap; or gives the one with the same content its
    /// properties.
    ///
    /// - Throws: `badData` where the vocabulary has another number for the token, or another token for the number; `path` names
    ///   the file in the message.
    mutating func update(_ token: AddedToken, path: String) throws(TokenizationError) {
        if let index = tokens.lastIndex(where: { $0.content.utf8.elementsEqual(token.content.utf8) }) {
            let id = tokens[index].id
            tokens[index] = token
            tokens[index].id = id
            guard id != token.id else { return }
            throw contradiction(token, known: id, path: path)
        }
        let content = Array(token.content.utf8)
        guard !content.isEmpty else { return }
        let known = model.vocabulary.id(of: content)
        guard known ?? token.id == token.id, known != nil || !isTaken(token.id) else {
            throw contradiction(token, known: known, path: path)
        }
        ids[content] = token.id
        largest = max(largest ?? 0, Int(token.id))
        tokens.append(token)
    }

    private func isTaken(_ id: Int32) -> Bool {
        model.vocabulary.token(id) != nil || tokens.contains { $0.id == id }
    }

    private func contradiction(_ token: AddedToken, known: Int32?, path: String) -> TokenizationError {
        TokenizationError(
            .badData,
            "\(path): the added token \(TokenizationError.quoted(token.content)) has the number \(token.id) in another file, "
                + (known.map { "here \($0)" } ?? "which is another token's here")
                + "; the files belong to different tokenizers")
    }

    /// Adds the tokens that settings name: those with numbers, those with roles, all others; one that has no number anywhere gets
    /// the next one.
    ///
    /// - Parameters:
    ///   - standard: by role, where the settings name none.
    ///   - numbersStandard: whether such a one gets a number, too.
    mutating func append(
        _ settings: TokenizerSettings, standard: [String: AddedToken] = [:], numbersStandard: Bool = true, path: String
    ) throws(TokenizationError) {
        for token in try settings.numberedTokens() { try update(token, path: path) }
        var special: [(token: AddedToken, isWritten: Bool)] = []
        for role in TokenizerSettings.roles where !settings.isNone(role) {
            if let token = try settings.token(role) {
                special.append((token, true))
            } else if let token = standard[role] {
                special.append((token, numbersStandard))
            }
        }
        for token in try settings.otherSpecialTokens() { special.append((token, true)) }
        for (token, isWritten) in special where !contains(token.content) {
            guard isWritten || model.vocabulary.id(of: Array(token.content.utf8)) != nil else { continue }
            try append(token, path: path, takesNext: true)
        }
        if try settings.splitsSpecialTokens() { tokens.removeAll(where: \.isSpecial) }
    }

    /// Adds a token, whose number is not looked at; one without content is passed over.
    ///
    /// - Parameter takesNext: a token that is new gets the number behind the largest; else the next that is free, as in the
    ///   tokenizers library.
    /// - Throws: `badData` if no number is free; `path` names the file in the message.
    mutating func append(
        _ token: AddedToken, path: String, takesNext: Bool = false
    ) throws(TokenizationError) {
        let content = Array(token.content.utf8)
        guard !content.isEmpty else { return }
        let next = max(Int(model.vocabulary.largestID), largest ?? -1) + 1
        let free =
            takesNext ? next : largest.map { $0 >= model.size || model.size == 0 ? $0 + 1 : model.size } ?? model.size
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
