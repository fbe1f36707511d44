import Foundation
import Models
import NeuralNetwork

/// The head that a model's files bring, and whether a task can start with it.
struct StoredHead {
    /// Whether it is there and fits.
    let isKept: Bool
    /// What a user should be told of it.
    let remarks: [String]

    /// - Parameters:
    ///   - labels: the classes, or nil for a regression.
    ///   - folder: of the model.
    /// - Throws: `ModelError` if config.json cannot be read.
    init(of encoder: TextEncoder, labels: [String]?, folder: String) throws {
        let outputs = labels?.count ?? 1
        let last = type(of: encoder.family).classifier
        guard let shape = encoder.storedShape(of: last + ".weight") else {
            (isKept, remarks) = (false, [])
            return
        }
        let inner = encoder.tensors.filter { $0.role == .head }
        let hasAll =
            inner.allSatisfy { encoder.storedShape(of: $0.name) == $0.tensor.shape }
            && encoder.storedShape(of: last + ".bias") == [shape.first ?? 0]
        let names = try Self.names(folder: folder)
        let subject = labels.map { "\($0.count) classes" } ?? "a number"
        if !hasAll || shape != [outputs, encoder.featureWidth] {
            isKept = false
            remarks = [
                "\(folder): its head has \(shape.first ?? 0) outputs, which does not fit \(subject); a new one is drawn from the seed"
            ]
        } else if let labels, let names, names != labels {
            isKept = false
            remarks = [
                "\(folder): its head tells \(names.joined(separator: ", ")) apart, the data has \(labels.joined(separator: ", ")); "
                    + "a new head is drawn from the seed"
            ]
        } else {
            (isKept, remarks) = (true, ["\(folder): its head for \(subject) is kept as the start"])
        }
    }

    /// The classes' names in config.json; nil where they say nothing.
    private static func names(folder: String) throws -> [String]? {
        guard let labels = try ModelFolder.readConfiguration(path: folder)["id2label"] as? [String: Any] else {
            return nil
        }
        let names = (0..<labels.count).compactMap { labels[String($0)] as? String }
        let saysNothing = names.enumerated().allSatisfy { $1 == "LABEL_\($0)" }
        return names.count < labels.count || saysNothing ? nil : names
    }
}
