/// Byte-pair encoding: of all neighbours that may be merged, those that were learned first are, until none are left.
struct BytePairEncoding: Sendable {
    struct Options: Sendable {
        var unknown: [UInt8]?
        var continuationPrefix: [UInt8] = []
        var wordSuffix: [UInt8] = []
        /// Unknown characters in a row are one token.
        var fusesUnknown = false
        /// An unknown character is spelled as its bytes' tokens.
        var fallsBackToBytes = false
        /// A piece that is a token as a whole is that token.
        var takesWholePieces = false
    }

    let vocabulary: Vocabulary
    private let options: Options
    private let unknown: Int32?
    private let merges: MergeTable
    /// The tokens of the scalars of one and two bytes; -1 for those that are none.
    private let shortScalars: [Int32]
    private let byteTokens: [Int32]?

    /// A piece with at most so many symbols is merged by looking through all of them.
    private static let shortWord = 24

    /// Symbols with their lengths in bytes, and room for merging.
    struct Workspace {
        fileprivate var symbols: [Symbol] = []
        fileprivate var ranks: [UInt32] = []
        fileprivate var queue: [UInt64] = []
    }

    fileprivate struct Symbol {
        var id: Int32
        var length: Int32
        var previous: Int32 = 0
        var next: Int32 = 0
    }

    init(vocabulary: Vocabulary, merges: MergeTable, options: Options) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.options = options
        unknown = options.unknown.flatMap { vocabulary.id(of: $0) }
        byteTokens = options.fallsBackToBytes ? vocabulary.byteTokens : nil
        shortScalars = (0..<0x800).map { (value: UInt32) in
            Unicode.Scalar(value).flatMap { vocabulary.id(of: Array(String($0).utf8)) } ?? -1
        }
    }

    func append(
        _ bytes: [UInt8], _ piece: Range<Int>, to tokens: inout [ModelToken], _ workspace: inout Workspace
    ) throws(TokenizationError) {
        if options.takesWholePieces, let id = vocabulary.id(of: bytes, piece) {
            tokens.append(ModelToken(id, 0, piece.count))
            return
        }
        workspace.symbols.removeAll(keepingCapacity: true)
        try appendSymbols(bytes, piece, to: &workspace.symbols)
        if workspace.symbols.count <= Self.shortWord {
            mergeShort(&workspace)
        } else {
            mergeLong(&workspace)
        }
        var start = 0
        for symbol in workspace.symbols where symbol.length > 0 {
            tokens.append(ModelToken(symbol.id, start, start + Int(symbol.length)))
            start += Int(symbol.length)
        }
    }

    /// The symbols that a piece starts from: its scalars, and what stands for those that are no token.
    private func appendSymbols(
        _ bytes: [UInt8], _ piece: Range<Int>, to symbols: inout [Symbol]
    ) throws(TokenizationError) {
        let isPlain = options.continuationPrefix.isEmpty && options.wordSuffix.isEmpty
        var pending: Symbol?
        var position = piece.lowerBound
        while position < piece.upperBound {
            let length = UTF8Text.length(first: bytes[position])
            let range = position..<min(position + length, piece.upperBound)
            defer { position = range.upperBound }
            let affixed = isPlain ? nil : affixed(bytes, range, in: piece)
            if let id = affixed.map({ vocabulary.id(of: $0) }) ?? scalarToken(bytes, range) {
                if let waiting = pending {
                    symbols.append(waiting)
                    pending = nil
                }
                symbols.append(Symbol(id: id, length: Int32(range.count)))
                continue
            }
            let spelling = affixed?[...] ?? bytes[range]
            if let byteTokens, spelling.allSatisfy({ byteTokens[Int($0)] >= 0 }) {
                for byte in spelling { symbols.append(Symbol(id: byteTokens[Int(byte)], length: 1)) }
                continue
            }
            guard options.unknown != nil else { continue }
            guard let unknown else { throw .missingUnknown(bytes[range]) }
            if let waiting = pending {
                if options.fusesUnknown {
                    pending = Symbol(id: unknown, length: waiting.length + Int32(range.count))
                    continue
                }
                symbols.append(waiting)
            }
            pending = Symbol(id: unknown, length: Int32(range.count))
        }
        if let pending { symbols.append(pending) }
    }

    @inline(__always)
    private func scalarToken(_ bytes: [UInt8], _ range: Range<Int>) -> Int32? {
        let first = bytes[range.lowerBound]
        let id: Int32
        switch range.count {
        case 1 where first < 0x80: id = shortScalars[Int(first)]
        case 2: id = shortScalars[Int(first & 0x1F) << 6 | Int(bytes[range.lowerBound + 1] & 0x3F)]
        default: return vocabulary.id(of: bytes, range)
        }
        return id < 0 ? nil : id
    }

    /// A scalar with the prefix of all but a word's first, and the suffix of its last.
    private func affixed(_ bytes: [UInt8], _ range: Range<Int>, in piece: Range<Int>) -> [UInt8] {
        (range.lowerBound == piece.lowerBound ? [] : options.continuationPrefix) + bytes[range]
            + (range.upperBound == piece.upperBound ? options.wordSuffix : [])
    }

    /// Merges the neighbours of lowest rank, the leftmost of them, again and again.
    private func mergeShort(_ workspace: inout Workspace) {
        var count = workspace.symbols.count
        guard count > 1 else { return }
        workspace.ranks.removeAll(keepingCapacity: true)
        for index in 1..<count {
            workspace.ranks.append(rank(workspace.symbols[index - 1].id, workspace.symbols[index].id))
        }
        while count > 1 {
            var best = MergeTable.none
            var index = 0
            for candidate in 0..<count - 1 where workspace.ranks[candidate] < best {
                best = workspace.ranks[candidate]
                index = candidate
            }
            guard best != MergeTable.none else { break }
            workspace.symbols[index].id = merges.result(ofRank: best)
            workspace.symbols[index].length += workspace.symbols[index + 1].length
            for later in index + 1..<count - 1 { workspace.symbols[later] = workspace.symbols[later + 1] }
            count -= 1
            for later in index..<count - 1 { workspace.ranks[later] = workspace.ranks[later + 1] }
            if index > 0 {
                workspace.ranks[index - 1] = rank(workspace.symbols[index - 1].id, workspace.symbols[index].id)
            }
            if index < count - 1 {
                workspace.ranks[index] = rank(workspace.symbols[index].id, workspace.symbols[index + 1].id)
            }
        }
        workspace.symbols.removeLast(workspace.symbols.count - count)
    }

    @inline(__always)
    private func rank(_ left: Int32, _ right: Int32) -> UInt32 { merges.rank(left, right) }

    /// The same with a queue, for long pieces.
    private func mergeLong(_ workspace: inout Workspace) {
        let count = workspace.symbols.count
        workspace.queue.removeAll(keepingCapacity: true)
        for index in 0..<count {
            workspace.symbols[index].previous = Int32(index) - 1
            workspace.symbols[index].next = index + 1 < count ? Int32(index) + 1 : -1
            if index + 1 < count { propose(index, &workspace) }
        }
        while let top = workspace.queue.popSmallest() {
            let index = Int(top & 0xFFFF_FFFF)
            let rank = UInt32(truncatingIfNeeded: top >> 32)
            let symbol = workspace.symbols[index]
            // Something else may have been merged meanwhile.
            guard symbol.length > 0, symbol.next >= 0 else { continue }
            let next = Int(symbol.next)
            guard self.rank(symbol.id, workspace.symbols[next].id) == rank else { continue }
            workspace.symbols[index].id = merges.result(ofRank: rank)
            workspace.symbols[index].length += workspace.symbols[next].length
            let after = workspace.symbols[next].next
            workspace.symbols[index].next = after
            workspace.symbols[next].length = 0
            if after >= 0 {
                workspace.symbols[Int(after)].previous = Int32(index)
                propose(index, &workspace)
            }
            if symbol.previous >= 0 { propose(Int(symbol.previous), &workspace) }
        }
    }

    /// Puts the merge of a symbol with the next into the queue, if there is one.
    @inline(__always)
    private func propose(_ index: Int, _ workspace: inout Workspace) {
        let rank = rank(workspace.symbols[index].id, workspace.symbols[Int(workspace.symbols[index].next)].id)
        if rank != MergeTable.none { workspace.queue.pushToHeap(UInt64(rank) << 32 | UInt64(index)) }
    }
}
