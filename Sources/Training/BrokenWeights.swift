import Foundation
import Safetensors

/// Looks for the cause of numbers that are not finite in the weights that were read: a damaged download, or a conversion that
/// went over the range of half precision. It is done after the failure, so that a sound model costs nothing.
public enum BrokenWeights {
    /// Names the first tensor with a value that is not finite, and its file; nil if there is none.
    ///
    /// - Parameter folders: of safetensors files; those that a run leaves in it count as a folder's own.
    public static func sentence(in folders: [String]) -> String? {
        let files = folders.flatMap { folder in
            ["", "/adapter", "/model"].flatMap { part in
                let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + part)) ?? []
                return names.filter { $0.hasSuffix(".safetensors") }.sorted().map { "\(folder)\(part)/\($0)" }
            }
        }
        for path in files {
            guard let file = try? SafetensorsFile(path: path) else { continue }
            for name in file.tensorNames {
                guard let shape = file.tensor(named: name)?.shape,
                    let values = try? file.floats(of: name, shape: shape), !values.allSatisfy(\.isFinite)
                else { continue }
                return "\(path): tensor '\(name)' has values that are not finite; download it, or convert it, again"
            }
        }
        return nil
    }
}
