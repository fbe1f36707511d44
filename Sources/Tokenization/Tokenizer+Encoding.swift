import Diagnostics

extension Tokenizer {
    /// The tokens of a text, or of a pair of texts, with the special tokens around them.
    ///
    /// - Parameters:
    ///   - pair: the second text; an empty one still has its separator.
    ///   - truncation: nil: nothing is cut.
    ///   - addsSpecialTokens: put the special tokens around the texts. Those that are written in a text are found anyway.
    ///   - keepsOffsets: fill in the encoding's `offsets`, `words` and `sequences`.
    /// - Throws: `badData` if a text has a character that the vocabulary lacks and nothing stands for it; `usage` if the
    ///   truncation cannot be done.
    public func encode(
        _ text: String, pair: String? = nil, truncation: Truncation? = nil, addsSpecialTokens: Bool = true,
        keepsOffsets: Bool = false
    ) throws(TokenizationError) -> Encoding {
        var (first, second) = try runs(text, pair, keepsOffsets: keepsOffsets)
        if let truncation {
            let special = addsSpecialTokens ? specialTokenCount(isPair: pair != nil) : 0
            let counts = try truncation.counts(first.ids.count, second?.ids.count, special: special)
            first = truncation.shortened(first, to: counts.first)
            if let run = second, let count = counts.second { second = truncation.shortened(run, to: count) }
        }
        return postProcessor.assembled(first, second, addsSpecial: addsSpecialTokens, keepsOffsets: keepsOffsets)
    }

    /// The same as several encodings, if one would be too long: each has a window of the text that is too long, and
    /// `truncation.stride` tokens in common with the one before.
    ///
    /// - Throws: as ``encode(_:pair:truncation:addsSpecialTokens:keepsOffsets:)``; `usage` if both texts of a pair would have to be
    ///   cut, or the stride is not smaller than a window.
    public func encodeWindows(
        _ text: String, pair: String? = nil, truncation: Truncation, addsSpecialTokens: Bool = true,
        keepsOffsets: Bool = false
    ) throws(TokenizationError) -> [Encoding] {
        let (first, second) = try runs(text, pair, keepsOffsets: keepsOffsets)
        let special = addsSpecialTokens ? specialTokenCount(isPair: pair != nil) : 0
        let counts = try truncation.counts(first.ids.count, second?.ids.count, special: special)
        let firsts = try truncation.windows(of: first.ids.count, length: counts.first)
        let seconds = try second.map { run throws(TokenizationError) in
            try truncation.windows(of: run.ids.count, length: counts.second ?? run.ids.count)
        }
        guard firsts.count == 1 || (seconds?.count ?? 1) == 1 else {
            throw TokenizationError(.usage, "windows over both texts of a pair; choose the one to be cut")
        }
        var result: [Encoding] = []
        for range in firsts {
            for other in seconds ?? [0..<0] {
                result.append(
                    postProcessor.assembled(
                        first[range], second?[other], addsSpecial: addsSpecialTokens, keepsOffsets: keepsOffsets))
            }
        }
        return result
    }

    private func runs(
        _ text: String, _ pair: String?, keepsOffsets: Bool
    ) throws(TokenizationError) -> (TokenRun, TokenRun?) {
        let memory = memories.take()
        defer { memories.put(memory) }
        let first = try run(of: text, keepsOffsets: keepsOffsets, memory)
        guard let pair else { return (first, nil) }
        return (first, try run(of: pair, keepsOffsets: keepsOffsets, memory))
    }

    /// The tokens of one text.
    private func run(
        of text: String, keepsOffsets: Bool, _ memory: ModelMemory
    ) throws(TokenizationError) -> TokenRun {
        // A piece's place is asked for by what puts a space before the first one only; if the text was changed, by its origin.
        let keepsOrigins = keepsOffsets || (normalizer != nil && preTokenizer?.needsOrigins == true)
        let whole = AlignedText(Array(text.utf8), keepsOrigins: keepsOrigins)
        var run = TokenRun()
        run.ids.reserveCapacity(whole.bytes.count / 3 + 4)
        var word: Int32 = 0
        func append(_ text: AlignedText, _ part: AddedTokenSearch.Part, _ id: Int32) {
            run.ids.append(id)
            if keepsOffsets {
                run.origins.append(text.origin(of: part.range))
                run.words.append(word)
                run.spaces.append(postProcessor.spaces(around: text.bytes[part.range]))
            }
            word += 1
        }
        for part in writtenTokens.parts(of: whole.bytes) {
            if let id = part.id {
                append(whole, part, id)
                continue
            }
            let slice = whole.slice(part.range)
            let normalized = normalizer?.normalized(slice) ?? slice
            for part in normalizedTokens.parts(of: normalized.bytes) {
                if let id = part.id {
                    append(normalized, part, id)
                } else {
                    try self.append(normalized.slice(part.range), to: &run, &word, keepsOffsets: keepsOffsets, memory)
                }
            }
        }
        return run
    }

    /// Appends the tokens of a text that has no added ones.
    private func append(
        _ text: AlignedText, to run: inout TokenRun, _ word: inout Int32, keepsOffsets: Bool, _ memory: ModelMemory
    ) throws(TokenizationError) {
        var cut = CutText(text)
        preTokenizer?.cut(&cut)
        for piece in cut.pieces {
            memory.tokens.removeAll(keepingCapacity: true)
            try model.append(cut.text.bytes, piece, to: &memory.tokens, memory)
            for token in memory.tokens {
                run.ids.append(token.id)
                guard keepsOffsets else { continue }
                let range = piece.lowerBound + Int(token.start)..<piece.lowerBound + Int(token.end)
                run.origins.append(cut.text.origin(of: range))
                run.words.append(word)
                run.spaces.append(postProcessor.spaces(around: model.vocabulary.token(token.id) ?? []))
            }
            word += 1
        }
    }
}

extension Truncation {
    fileprivate func shortened(_ run: TokenRun, to count: Int) -> TokenRun {
        guard count < run.ids.count else { return run }
        return truncatesStart ? run[run.ids.count - count..<run.ids.count] : run[0..<count]
    }
}

extension Tokenizer {
    /// The text of tokens. Numbers that no token has are passed over.
    ///
    /// - Parameter skipsSpecialTokens: leave out the special ones.
    public func decode(_ ids: [Int32], skipsSpecialTokens: Bool = true) -> String {
        var tokens: [[UInt8]] = []
        for id in ids {
            guard let spelling = spelling(id).map(Array.init) else { continue }
            if skipsSpecialTokens, specialContents.contains(spelling) { continue }
            tokens.append(spelling)
        }
        guard let decoder else { return String(decoding: Array(tokens.joined(separator: [0x20])), as: UTF8.self) }
        return String(decoding: Array(decoder.decoded(tokens).joined()), as: UTF8.self)
    }
}
