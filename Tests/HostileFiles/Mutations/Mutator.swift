/// Makes a reader's inputs out of its seeds.
struct Mutator {
    let seeds: [Seed]
    /// Bytes that an input has at most.
    let longest: Int

    /// The input of an index: first every seed as it is, then seeds with one to a few changes.
    func input(_ index: Int, _ numbers: inout RepeatableNumbers) -> Input {
        if index < seeds.count { return Input(seed: seeds[index], contents: seeds[index].contents, index: index) }
        let seed = numbers.one(of: seeds)
        var contents = seed.contents
        // One change shows best what a reader does with it; several reach combinations.
        let count = numbers.oneIn(2) ? 1 : 2 + numbers.index(below: 3)
        for _ in 0..<count { change(&contents, of: seed, &numbers) }
        if contents.count > longest { contents.removeSubrange(longest...) }
        return Input(seed: seed, contents: contents, index: index)
    }

    private func change(_ contents: inout [UInt8], of seed: Seed, _ numbers: inout RepeatableNumbers) {
        if !numbers.oneIn(3) {
            switch seed.format {
            case .bytes: break
            case .safetensors:
                TensorFileMutation.apply(to: &contents, longest: longest, &numbers)
                return
            case .json where numbers.oneIn(4), .lines where numbers.oneIn(4):
                NumberMutation.apply(to: &contents, in: 0..<contents.count, &numbers)
                return
            case .json:
                numbers.one(of: JSONMutation.allCases)
                    .apply(to: &contents, in: 0..<contents.count, longest: longest, &numbers)
                return
            case .lines:
                numbers.one(of: LineMutation.allCases).apply(to: &contents, longest: longest, &numbers)
                return
            }
        }
        var mutation = numbers.one(of: ByteMutation.allCases)
        // Long inputs take a hundred times as long as others; a few are enough.
        if mutation == .inflate, !numbers.oneIn(8) { mutation = .flipBit }
        mutation.apply(to: &contents, other: numbers.one(of: seeds).contents, longest: longest, &numbers)
    }
}
