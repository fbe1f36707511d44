import Foundation
import Testing

@testable import Training

/// The keys without a default.
let requiredKeys = """
    model: minilm/
    data: { train: train.tsv }
    output: runs/reviews

    """

/// The three required keys, then `more`, which begins at line 4.
func configuration(_ more: String, _ overrides: String...) throws(ConfigurationError) -> TrainingConfiguration {
    try TrainingConfiguration(yaml: requiredKeys + more, path: "run.yaml", overrides: overrides)
}

/// The error that loading `text` after the required keys throws.
func refusal(
    of text: String, _ overrides: String..., sourceLocation: SourceLocation = #_sourceLocation
) throws -> ConfigurationError {
    try #require(throws: ConfigurationError.self, sourceLocation: sourceLocation) {
        try TrainingConfiguration(yaml: requiredKeys + text, path: "run.yaml", overrides: overrides)
    }
}

/// A repeatable generator (SplitMix64).
struct RepeatableGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// A folder for one test, removed after it.
func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "configuration-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
}
