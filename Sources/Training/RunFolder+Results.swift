import Diagnostics
import Foundation
import LinearAlgebra
import NeuralNetwork
import PEFTFormat
import Safetensors
import Text

extension Trainer {
    /// The adapter as it stands, as a change of the base's weights.
    ///
    /// - Parameter singularVectors: where the adapters started as a part of the weights.
    func adapter(startedWith singularVectors: SingularVectorStart?) -> Adapter {
        let adapter = adapter()
        return singularVectors.map { adapter.subtracting($0.modules) } ?? adapter
    }

    /// The adapter as it stands: the triplets that the latest decision kept.
    func adapter() -> Adapter {
        let modules = zip(self.modules, network.tripletBlocks).flatMap { initial, block -> [AdapterModule] in
            let module = AdapterModule(
                block, parameters: network.parameters.pointer, rows: block.rows.filter { isCompact || mask[$0] },
                pattern: Array(mask[initial.rows]))
            // Other programs know no sharing: every module gets a copy.
            return block.uses.map { path in
                var use = module
                use.path = path
                return use
            }
        }
        let head = network.layout.blocks.filter { !$0.isTriplets }.map { block in
            HeadTensor(
                name: block.name,
                shape: block.shape,
                values: Array(
                    UnsafeBufferPointer(
                        start: network.parameters.pointer + block.elements.lowerBound, count: block.elements.count)))
        }
        var settings = configuration.adapterSettings
        // Other programs have no need to read what chose them.
        if settings.targetModules.isEmpty { settings.targetModules = modules.map(\.path) }
        return Adapter(modules: modules, head: head, settings: settings)
    }
}

extension AdapterModule {
    /// Some triplets of a block.
    ///
    /// - Parameters:
    ///   - parameters: of the block's layout.
    ///   - rows: of the triplets, among the rows of all blocks.
    init(_ block: ParameterLayout.Block, parameters: UnsafePointer<Float>, rows: [Int], pattern: [Bool]) {
        let (outputs, inputs) = (block.outputs ?? 0, block.inputs ?? 0)
        var (left, singular, right) = ([Float](), [Float](), [Float]())
        for row in rows {
            let values = UnsafeBufferPointer(
                start: parameters + block.elements(ofRow: row).lowerBound, count: block.rowWidth)
            left += values[..<outputs]
            singular.append(values[outputs])
            right += values[(outputs + 1)...]
        }
        self.init(
            path: block.name, outputs: outputs, inputs: inputs, leftVectors: left, singularValues: singular,
            rightVectors: right, pattern: pattern)
    }
}

extension TrainingConfiguration {
    /// What PEFT's adapter_config.json keeps of the configuration.
    var adapterSettings: PEFTFormat.AdapterSettings {
        let prunes = method == .adalora
        return PEFTFormat.AdapterSettings(
            initialRank: adapter.initialRank, targetRank: prunes ? adapter.targetRank : adapter.initialRank,
            initialSteps: prunes ? adapter.initialSteps : 0, finalSteps: prunes ? adapter.finalSteps : 0,
            interval: adapter.maskingInterval, beta1: adapter.sensitivitySmoothing,
            beta2: adapter.uncertaintySmoothing, orthogonalityWeight: adapter.orthogonalityWeight,
            totalSteps: totalSteps, alpha: adapter.alpha, dropout: adapter.dropout,
            targetModules: adapter.namedModules, baseModel: URL(fileURLWithPath: model).standardizedFileURL.path)
    }
}

extension TrainingConfiguration.AdapterSettings {
    /// The list of target modules, where nothing else takes part in choosing them; else empty.
    fileprivate var namedModules: [String] {
        guard case .list(let names) = targetModules, excludedModules == nil, layers.isEmpty else { return [] }
        return names
    }
}

extension PreparedRun {
    /// What `rankwise.json` says of the run.
    ///
    /// - Parameter labels: of the classes; nil for a regression.
    func taskDescription(_ digests: RunDigests, labels: [String]?) -> TaskDescription {
        var description = TaskDescription(
            task: configuration.task.rawValue, labels: labels,
            maximumLength: configuration.task == .imageClassification ? nil : configuration.data.maximumLength,
            textColumn: configuration.data.text, textPairColumn: configuration.data.textPair,
            labelColumn: configuration.data.label, modelDigest: digests.model)
        if configuration.adapter.initialization.isDecomposition {
            description.startingRank = configuration.adapter.initialRank
        }
        let shared = (adapterHost?.tripletBlocks ?? []).map(\.uses).filter { $0.count > 1 }
        if !shared.isEmpty { description.sharedModules = shared }
        if let bits = configuration.baseQuantization.bits {
            description.baseQuantization = .init(bits: bits, group: configuration.baseQuantization.group)
        }
        return description
    }
}

extension RunFolder {
    /// Writes a file so that it is there whole or not at all.
    func write(_ contents: Data, to path: String) throws(TrainingError) {
        do {
            try DurableFile.replace(path, with: contents)
        } catch {
            throw TrainingError(
                .inputOutput, "\(path): cannot be written (\(plainReason(error))); check space and permissions")
        }
    }

    /// Writes `summary.json`, which marks the run as complete.
    func writeSummary(
        _ trainer: Trainer, checkpointStall: Double, metrics: [(split: String, metrics: Metrics)]
    ) throws {
        struct Summary: Encodable {
            let steps: Int
            let samplesPerSecond: Double
            /// The longest that a step of this job waited for a checkpoint.
            let checkpointStallSeconds: Double
            let totalRank: Int
            let ranks: [String: Int]
            let metrics: [String: Metrics]
        }
        struct Line: Decodable { let stepSeconds: Double }
        // The times of all steps, those before a resume included.
        let log = FileManager.default.contents(atPath: metricsPath) ?? Data()
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let seconds = log.split(separator: UInt8(ascii: "\n")).reduce(0.0) { sum, line in
            sum + ((try? decoder.decode(Line.self, from: Data(line)))?.stepSeconds ?? 0)
        }
        let samples = Double(trainer.step * trainer.configuration.batchSize)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let summary = Summary(
            steps: trainer.step, samplesPerSecond: seconds > 0 ? samples / seconds : 0,
            checkpointStallSeconds: checkpointStall,
            totalRank: trainer.mask.count { $0 },
            ranks: Dictionary(trainer.ranks(of: trainer.mask).map { ($0.module, $0.rank) }) { first, _ in first },
            metrics: Dictionary(metrics.map { ($0.split, $0.metrics) }) { first, _ in first })
        try write(try encoder.encode(summary) + [UInt8(ascii: "\n")], to: summaryPath)
    }
}
