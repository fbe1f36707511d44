import Diagnostics
import Foundation
import Safetensors

extension Adapter {
    /// The shapes in which an adapter can be written.
    public enum Format: String, Sendable, CaseIterable {
        /// PEFT's ADALORA: kept rows, with the pattern of ranks.
        case adalora
        /// PEFT's LORA with a rank for each module; modules of rank 0 are left out.
        case lora
        /// PEFT's LORA with one rank for all modules, padded with zeros, for servers that know one rank only.
        case loraPadded = "lora-padded"
    }

    /// Writes a folder that PEFT loads.
    ///
    /// - Parameters:
    ///   - folder: created; must not exist, or be empty.
    /// - Throws: ``PEFTFormatError``, `SafetensorsError`.
    public func write(_ format: Format, to folder: String, task: TaskDescription) throws {
        let kept = modules.filter { $0.rank > 0 }
        guard format == .adalora || !kept.isEmpty else {
            throw PEFTFormatError(
                .usage, "no triplet is kept, so a LoRA adapter would be empty; export it as adalora or merged")
        }
        try OutputFolder.create(folder)
        let largest = kept.map(\.rank).max() ?? 0
        let headTensors = head.map { TensorToWrite(name: Self.prefix + $0.name, shape: $0.shape, values: $0.values) }
        let moduleTensors =
            switch format {
            case .adalora: modules.flatMap(\.adaloraTensors)
            case .lora: kept.flatMap { $0.loraTensors(scale: settings.scale, rank: $0.rank) }
            case .loraPadded: kept.flatMap { $0.loraTensors(scale: settings.scale, rank: largest) }
            }
        try SafetensorsWriter.write(
            moduleTensors + headTensors, metadata: ["format": "pt"], to: folder + "/" + Self.weightsName)
        let configuration =
            switch format {
            case .adalora: adaloraConfiguration
            case .lora: loraConfiguration(kept, largest, patterns: true)
            case .loraPadded: loraConfiguration(kept, largest, patterns: false)
            }
        try JSONFile.write(configuration, to: folder + "/" + AdapterConfiguration.fileName)
        var task = task
        task.weightsDigest = try FileDigest.hexadecimal(ofFile: folder + "/" + Self.weightsName)
        try task.write(toFolder: folder)
        try DurableFile.synchronizeFolder(folder)
    }

    private var commonConfiguration: [String: Any] {
        [
            "base_model_name_or_path": settings.baseModel, "bias": "none", "fan_in_fan_out": false,
            "inference_mode": true, "lora_dropout": settings.dropout, "task_type": settings.taskType,
            "modules_to_save": Set(head.map(\.module)).sorted(),
        ]
    }

    private var adaloraConfiguration: [String: Any] {
        let pattern = Dictionary(modules.map { ($0.path + ".lora_E", $0.pattern) }) { first, _ in first }
        return commonConfiguration.merging([
            "peft_type": "ADALORA", "init_r": settings.initialRank, "r": settings.initialRank,
            "target_r": settings.targetRank, "tinit": settings.initialSteps, "tfinal": settings.finalSteps,
            "deltaT": settings.interval, "beta1": settings.beta1, "beta2": settings.beta2,
            "orth_reg_weight": settings.orthogonalityWeight, "total_step": settings.totalSteps,
            "lora_alpha": Self.wholeIfPossible(settings.alpha), "target_modules": targetModules,
            "rank_pattern": pattern,
        ]) { first, _ in first }
    }

    /// The names that the adapter was trained with, if they are those of its modules; otherwise (PEFT reads expressions and
    /// `all-linear` as well) every module's.
    private var targetModules: [String] {
        let fits = modules.allSatisfy { module in
            settings.targetModules.contains { module.path == $0 || module.path.hasSuffix("." + $0) }
        }
        return fits ? settings.targetModules : modules.map(\.path)
    }

    private func loraConfiguration(_ kept: [AdapterModule], _ largest: Int, patterns: Bool) -> [String: Any] {
        let ranks = Dictionary(kept.map { ($0.path, $0.rank) }) { first, _ in first }
        return commonConfiguration.merging([
            "peft_type": "LORA", "r": largest, "lora_alpha": largest, "target_modules": kept.map(\.path),
            "rank_pattern": patterns ? ranks : [:], "alpha_pattern": patterns ? ranks : [:], "init_lora_weights": true,
        ]) { first, _ in first }
    }

    private static func wholeIfPossible(_ number: Double) -> Any { Int(exactly: number).map { $0 as Any } ?? number }
}

extension AdapterModule {
    /// PEFT's `lora_B`, [outputs, rank], from the rows of P by triplet, each times a factor, padded with zeros.
    fileprivate func leftMatrix(rank: Int, factor: (Int) -> Float) -> [Float] {
        var matrix = [Float](repeating: 0, count: outputs * rank)
        for triplet in 0..<self.rank {
            let factor = factor(triplet)
            for output in 0..<outputs {
                matrix[output * rank + triplet] = leftVectors[triplet * outputs + output] * factor
            }
        }
        return matrix
    }

    fileprivate var adaloraTensors: [TensorToWrite] {
        let name = Adapter.prefix + path
        return [
            TensorToWrite(name: name + ".lora_A", shape: [rank, inputs], values: rightVectors),
            TensorToWrite(name: name + ".lora_B", shape: [outputs, rank], values: leftMatrix(rank: rank) { _ in 1 }),
            TensorToWrite(name: name + ".lora_E", shape: [rank, 1], values: singularValues),
        ]
    }

    fileprivate func loraTensors(scale: Float, rank: Int) -> [TensorToWrite] {
        let name = Adapter.prefix + path
        let padding = [Float](repeating: 0, count: (rank - self.rank) * inputs)
        return [
            TensorToWrite(name: name + ".lora_A.weight", shape: [rank, inputs], values: rightVectors + padding),
            TensorToWrite(
                name: name + ".lora_B.weight", shape: [outputs, rank],
                values: leftMatrix(rank: rank) { singularValues[$0] * scale }),
        ]
    }
}

/// Folders that are written anew.
enum OutputFolder {
    static func create(_ path: String) throws(PEFTFormatError) {
        if FileManager.default.fileExists(atPath: path) {
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: path), names.isEmpty else {
                throw PEFTFormatError(
                    .usage, "\(path): exists and is not an empty folder; nothing was written, name a new folder")
            }
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw PEFTFormatError(
                .inputOutput,
                "\(path): cannot be created (\(plainReason(error))); check its parent and permissions")
        }
    }
}
