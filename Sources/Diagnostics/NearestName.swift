/// The candidate that was probably meant by `name`, if one is near: the fewest insertions, deletions and replacements,
/// at most two fifths of the name's last part (one at least), or the same last part in another section. Of several equally
/// near the one with the fewest changes, and of these the first.
public func nearestName(to name: String, among candidates: [String]) -> String? {
    let written = name.prefix(80).lowercased()
    let leaf = lastPart(of: written)
    let limit = max(1, leaf.count * 2 / 5)
    var best: (distance: Int, changes: Int, name: String)?
    // The distance takes time quadratic in the length, and a data file's header can hold anything.
    for candidate in candidates.prefix(1_000) where candidate.utf8.count <= 80 {
        let known = candidate.lowercased()
        let knownLeaf = lastPart(of: known)
        let changes = editDistance(Array(written.utf8), Array(known.utf8))
        var distance = changes
        if distance > 0, leaf == knownLeaf { distance = 1 }
        if distance > limit, leaf.count >= 3, knownLeaf.hasPrefix(leaf) { distance = limit }
        if distance <= limit, (distance, changes) < (best?.distance ?? .max, best?.changes ?? .max) {
            best = (distance, changes, candidate)
        }
    }
    return best?.name
}

/// What follows the last dot.
private func lastPart(of key: String) -> Substring {
    key.split(separator: ".", omittingEmptySubsequences: false).last ?? ""
}

/// Levenshtein's distance, over bytes, in one row of memory.
private func editDistance(_ first: [UInt8], _ second: [UInt8]) -> Int {
    var row = Array(0...second.count)
    for (i, a) in first.enumerated() {
        var diagonal = i
        row[0] = i + 1
        for (j, b) in second.enumerated() {
            let replaced = diagonal + (a == b ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
        }
    }
    return row[second.count]
}
