import Foundation
import Safetensors

/// One process's arrays, in a safetensors file: float32 runs over the shard's elements.
public enum CheckpointShard {
    /// Writes a shard and waits until it is on the disk.
    ///
    /// - Parameters:
    ///   - index: of the shard among the processes.
    ///   - arrays: name and values, as many as the range has elements.
    public static func write(
        folder: String, index: Int, rows: Range<Int>, elements: Range<Int>,
        arrays: [(name: String, values: [Float])]
    ) throws -> CheckpointManifest.Shard {
        let file = CheckpointManifest.shardName(index)
        let path = folder + "/" + file
        let tensors = arrays.map { TensorToWrite(name: $0.name, shape: [elements.count], values: $0.values) }
        try SafetensorsWriter.write(
            tensors,
            metadata: [
                "first_row": "\(rows.lowerBound)", "end_row": "\(rows.upperBound)",
                "first_element": "\(elements.lowerBound)", "end_element": "\(elements.upperBound)",
            ], to: path)
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber
        return CheckpointManifest.Shard(
            file: file, bytes: size?.intValue ?? 0, sha256: try FileDigest.hexadecimal(ofFile: path), rows: rows,
            elements: elements)
    }

    /// Reads a range of elements of one array out of whichever shards hold it.
    ///
    /// - Parameters:
    ///   - folder: of a checkpoint that was verified.
    ///   - target: [elements].
    public static func read(
        _ name: String, elements: Range<Int>, folder: String, manifest: CheckpointManifest,
        into target: UnsafeMutablePointer<Float>
    ) throws {
        for shard in manifest.shards {
            let held = shard.firstElement..<shard.endElement
            let wanted = held.clamped(to: elements)
            guard !wanted.isEmpty else { continue }
            let file = try SafetensorsFile(path: folder + "/" + shard.file)
            let values = try file.floats(of: name, shape: [held.count])
            values.withUnsafeBufferPointer { source in
                guard let base = source.baseAddress else { return }
                (target + wanted.lowerBound - elements.lowerBound)
                    .update(from: base + wanted.lowerBound - held.lowerBound, count: wanted.count)
            }
        }
    }
}
