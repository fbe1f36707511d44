/// The name of `names` that a person most likely meant by `name`: at most two fifths of its letters differ.
func nearestName(to name: String, in names: [String]) -> String? {
    // Long cells of a file without a header are no names, and the distance takes time quadratic in their length.
    let limit = 64
    let wanted = Array(name.lowercased().unicodeScalars)
    guard wanted.count <= limit else { return nil }
    var best: (name: String, distance: Int)?
    for candidate in names.prefix(1000) where candidate.utf8.count <= limit {
        let distance = editDistance(wanted, Array(candidate.lowercased().unicodeScalars))
        if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    guard let best, best.distance <= max(1, wanted.count * 2 / 5) else { return nil }
    return best.name
}

/// The smallest number of insertions, deletions and replacements that make one sequence the other (Levenshtein).
private func editDistance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
    var distances = Array(0...second.count)
    for (row, scalar) in first.enumerated() {
        var diagonal = row
        distances[0] = row + 1
        for (column, other) in second.enumerated() {
            let replaced = diagonal + (scalar == other ? 0 : 1)
            diagonal = distances[column + 1]
            distances[column + 1] = min(replaced, diagonal + 1, distances[column] + 1)
        }
    }
    return distances[second.count]
}
