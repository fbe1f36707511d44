/// A file to start from: it lies in a folder of its own, among the files that belong to it, and its contents are replaced by
/// what the mutations make of them.
struct Seed: Sendable {
    /// How the bytes are put together, which decides how they are changed.
    enum Format: Sendable {
        case json
        /// YAML, tables and lists: one thing a line.
        case lines
        case safetensors
        /// Anything else.
        case bytes
    }

    /// What the reader must do with the seed as it is.
    enum Verdict: String, Sendable {
        case accepted
        case refused
    }

    let folder: String
    let file: String
    let contents: [UInt8]
    let format: Format
    let verdict: Verdict

    var path: String { folder + "/" + file }
}

/// What a reader is given.
struct Input {
    let seed: Seed
    let contents: [UInt8]
    /// Its number among the reader's inputs, for readers that can be asked in several ways.
    let index: Int

    var isUnchanged: Bool { contents == seed.contents }
}

/// A reader of the product that did something that it must not do, whatever the file holds.
struct BrokenPromise: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
