import Diagnostics
import LinearAlgebra
import Models
import NeuralNetwork
import PEFTFormat

/// A layer to be adapted, with its number of triplets.
public struct AdaptedModule: Sendable, Equatable {
    public let path: String
    public let rank: Int
    /// Paths of further layers of its shape that use the same triplets.
    public let sharers: [String]

    public init(path: String, rank: Int, sharers: [String] = []) {
        self.path = path
        self.rank = rank
        self.sharers = sharers
    }
}

/// Adapters on frozen linear layers of a network, and a head on top: where their parameters lie, and how the layers use them.
public struct Adaptation: Sendable {
    /// In the order of the network's linear layers.
    public let modules: [AdaptedModule]
    /// Paths of layers that are trained in full instead: those that the model's files lack, or an adapter brings. The head
    /// need not be among them.
    public let denseLayers: [String]
    /// s = lora_alpha / (init_r + 1e-5).
    public let scale: Float
    /// Of the adapters' input.
    public let dropout: Double

    public init(modules: [AdaptedModule], denseLayers: [String] = [], scale: Float, dropout: Double) {
        self.modules = modules
        self.denseLayers = denseLayers
        self.scale = scale
        self.dropout = dropout
    }

    /// A head alone.
    static let none = Adaptation(modules: [], scale: 1, dropout: 0)

    /// What a configuration adapts among a network's layers: nothing under `method: head`.
    ///
    /// - Parameter denseLayers: which are not adapted, but trained in full.
    /// - Throws: ``TrainingError`` and `ConfigurationError` for names that match no layer, and numbers that do not fit them.
    init(
        _ configuration: TrainingConfiguration, among linears: [AdaptedLinear], denseLayers: [String] = []
    ) throws {
        guard configuration.method != .head else {
            self.init(modules: [], denseLayers: denseLayers, scale: 1, dropout: 0)
            return
        }
        let targets = try TargetModules.matching(configuration.adapter, among: linears)
        let modules = try SharedModules.grouped(
            targets.filter { !denseLayers.contains($0.path) },
            by: configuration.adapter.sharedModules, rank: configuration.adapter.initialRank)
        guard !modules.isEmpty else {
            throw TrainingError(
                .usage,
                "adapter.target_modules names '\(targets.map(\.path).joined(separator: ", "))' alone, which is trained in full as it is; "
                    + "name further layers, or set method to head")
        }
        try configuration.validate(moduleCount: modules.count)
        self.init(
            modules: modules, denseLayers: denseLayers, scale: configuration.adapterSettings.scale,
            dropout: configuration.adapter.dropout)
    }

    // Sites of dropout beyond those of any network's own.
    private static let headSite: UInt32 = 0x70_0000
    private static let firstAdapterSite: UInt32 = 0x80_0000

    /// Triplets first, then what is trained in full.
    ///
    /// - Throws: ``TrainingError`` if the network lacks a module.
    func layout(
        linears: [AdaptedLinear], trained: [TrainedTensors.Tensor]
    ) throws(TrainingError) -> ParameterLayout {
        var layout = ParameterLayout()
        for module in modules {
            guard let linear = linears.first(where: { $0.path == module.path }) else {
                throw TrainingError(
                    .badData,
                    "the adapter has a module '\(module.path)' that the model lacks; is this the base model it was trained on?"
                )
            }
            layout.appendTriplets(
                name: module.path, sharers: module.sharers, count: module.rank, outputs: linear.outputs,
                inputs: linear.inputs)
        }
        for tensor in trained { layout.append(tensor) }
        return layout
    }

    /// Weight and bias of a head of one layer.
    static func headTensors(_ name: String, outputs: Int, features: Int) -> [TrainedTensors.Tensor] {
        [.init(name: "\(name).weight", shape: [outputs, features]), .init(name: "\(name).bias", shape: [outputs])]
    }

    /// Has layers use their adapters where they lie.
    func attach(_ layout: ParameterLayout, parameters: Matrix, to linears: [AdaptedLinear]) {
        let readers = Dictionary(linears.map { ($0.path, max($0.readers, 1)) }) { first, _ in first }
        let blocks = Dictionary(
            layout.blocks.filter { $0.isTriplets && !$0.rows.isEmpty }.flatMap { block in
                block.uses.map { ($0, block) }
            }
        ) { first, _ in first }
        for (index, linear) in linears.enumerated() {
            linear.adapter = blocks[linear.path].map { block in
                LinearAdapter(
                    block: block, parameters: parameters.pointer, scale: scale,
                    dropout: Dropout(site: Self.firstAdapterSite + UInt32(index), probability: dropout),
                    readers: block.uses.reduce(0) { $0 + (readers[$1] ?? 1) })
            }
        }
    }

    /// The head, where it lies.
    static func head(of layout: ParameterLayout, parameters: Matrix, dropout: Double) -> DenseHead {
        let dense = layout.blocks.suffix(2)
        return DenseHead(
            weight: dense[dense.startIndex], bias: dense[dense.startIndex + 1], parameters: parameters.pointer,
            dropout: Dropout(site: headSite, probability: dropout))
    }
}

extension ParameterLayout {
    /// The same without the triplets that `mask` does not keep.
    func removingTriplets(keeping mask: [Bool]) -> ParameterLayout {
        var layout = ParameterLayout()
        for block in blocks {
            switch block.kind {
            case .triplets(let outputs, let inputs):
                layout.appendTriplets(
                    name: block.name, sharers: Array(block.uses.dropFirst()), count: mask[block.rows].count { $0 },
                    outputs: outputs, inputs: inputs)
            case .dense:
                layout.appendDense(
                    name: block.name, rows: block.rows.count, columns: block.rowWidth, shape: block.shape)
            case .vector: layout.appendVector(name: block.name, count: block.rowWidth)
            }
        }
        return layout
    }

    /// The parameters that are left when triplets are removed: [1, elements of the layout that is left].
    func parameters(_ all: Matrix, keeping mask: [Bool]) -> Matrix {
        let kept = Matrix(rows: 1, columns: removingTriplets(keeping: mask).elementCount)
        var target = kept.pointer
        for row in OwnedRow.all(of: self, in: 0..<rowCount) where !row.block.isTriplets || mask[row.index] {
            target.update(from: all.pointer + row.elements.lowerBound, count: row.elements.count)
            target += row.elements.count
        }
        return kept
    }
}
