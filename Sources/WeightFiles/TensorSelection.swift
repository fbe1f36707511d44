import Diagnostics
import Safetensors

/// Which tensors of a file are meant.
struct TensorSelection {
    enum Need {
        /// Rows and columns.
        case matrix
        /// Numbers of any shape.
        case numbers
    }

    /// In the order of the file.
    let tensors: [TensorDescription]

    /// - Parameters:
    ///   - patterns: names, in which `*` stands for any characters and `?` for one; none means every matrix, or all.
    ///   - need: what a tensor must be. One that a pattern names outright is refused if it is not; those that a pattern with `*`
    ///     or `?` meets as well are left out.
    ///   - all: whether no pattern means tensors of any shape, not matrices alone.
    ///   - use: what the tensors are for, in messages.
    init(
        _ patterns: [String], among candidates: [TensorDescription], need: Need, all: Bool = false, use: String,
        path: String
    ) throws(WeightFileError) {
        func fault(_ tensor: TensorDescription, _ need: Need) -> String? {
            if !tensor.elementType.isConvertible {
                return "has dtype \(tensor.elementType.rawValue), \(use) needs F32, F16, BF16 or F64"
            }
            if tensor.count == 0 { return "has shape \(tensor.shape), no elements" }
            if need == .matrix, tensor.shape.count < 2 {
                return "has shape \(tensor.shape), \(use) needs a matrix (two dimensions or more)"
            }
            return nil
        }
        guard !patterns.isEmpty else {
            tensors = candidates.filter { fault($0, all ? .numbers : .matrix) == nil }
            guard !tensors.isEmpty else {
                throw WeightFileError(
                    .badData,
                    "\(path): \(candidates.count) tensors, none a matrix of floating point that \(use) could take")
            }
            return
        }
        var chosen = Set<String>()
        for pattern in patterns {
            let matches = candidates.filter { TensorPattern(pattern).matches($0.name) }
            guard let first = matches.first else {
                let letters = pattern.filter { $0 != "*" && $0 != "?" }
                let near = nearestName(to: letters, among: candidates.map(\.name))
                throw WeightFileError(
                    .usage,
                    "\(path): no tensor matches '\(pattern)'; "
                        + (near.map { "did you mean '\($0)'?" }
                            ?? "the file has \(candidates.count) tensors"
                            + (candidates.first.map { ", for instance '\($0.name)'" } ?? "")))
            }
            let suitable = matches.filter { fault($0, need) == nil }
            if let outright = matches.first(where: { $0.name == pattern }) ?? (suitable.isEmpty ? first : nil),
                let fault = fault(outright, need)
            {
                throw WeightFileError(
                    .badData, "\(path): tensor '\(outright.name)' \(fault); choose others by --tensors")
            }
            chosen.formUnion(suitable.map(\.name))
        }
        tensors = candidates.filter { chosen.contains($0.name) }
    }
}

/// A name in which `*` stands for any characters, dots too, and `?` for any one.
struct TensorPattern {
    private let pattern: [UInt8]

    init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

    func matches(_ name: String) -> Bool {
        let name = Array(name.utf8)
        var (place, position) = (0, 0)
        // Where the latest star stands, and how far it reaches: going back to it alone keeps the time quadratic at worst.
        var star: (place: Int, position: Int)?
        while position < name.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                star = (place, position)
                place += 1
            } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") || pattern[place] == name[position] {
                place += 1
                position += 1
            } else if let latest = star {
                star = (latest.place, latest.position + 1)
                place = latest.place + 1
                position = latest.position + 1
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

extension TensorDescription {
    /// The tensor as a matrix: its first dimension by all others, one row where it has one dimension or none.
    var matrixShape: (rows: Int, columns: Int) {
        guard count > 0, shape.count > 1 else { return (min(count, 1), count) }
        return (shape[0], count / shape[0])
    }
}
