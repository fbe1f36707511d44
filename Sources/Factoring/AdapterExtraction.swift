import AdaLoRA
import Diagnostics
import Foundation
import LinearAlgebra
public import MessagePassing
public import PEFTFormat
import Safetensors
import WeightFiles

/// An adapter that comes as near as its budget allows to what fine-tuning has changed in the linear layers of a model.
///
/// Of the difference ΔW of every linear layer the singular value decomposition is taken, and of all layers' singular values
/// together the greatest stay, ties to the lower layer and triplet: no adapter with as many triplets has a smaller
/// Σ ‖ΔW − ΔW'‖²_F (Eckart and Young 1936, over all layers at once).
public struct AdapterExtraction {
    /// A linear layer's part.
    public struct Layer: Sendable, Encodable {
        public let path: String
        public let outputs: Int
        public let inputs: Int
        /// Triplets kept.
        public let rank: Int
        /// ‖ΔW‖_F.
        public let norm: Double
        /// σ1 of ΔW.
        public let largest: Double
        /// ‖ΔW − ΔW'‖_F by the singular values left out.
        public let error: Double
    }

    /// What differs and cannot be carried.
    public struct Loss: Sendable, Encodable {
        public let name: String
        /// ‖difference‖_F / ‖base‖_F; nil where the shapes differ.
        public let relativeChange: Double?
    }

    public let adapter: Adapter
    public let task: TaskDescription
    /// All linear layers.
    public let layers: [Layer]
    public let losses: [Loss]

    /// Takes the difference apart. Collective; the same result for any number of processes.
    ///
    /// - Parameters:
    ///   - budget: triplets of the adapter, in all.
    ///   - maximumRank: of a layer; nil sets no bound.
    ///   - progress: is told what this process has done.
    /// - Throws: ``FactoringError``; `LinearAlgebraError`.
    public init(
        _ pair: CheckpointPair, budget: Int, maximumRank: Int?, _ communicator: borrowing Communicator,
        progress: (String) -> Void = { _ in }
    ) throws {
        guard budget >= 1, maximumRank ?? 1 >= 1 else {
            throw FactoringError(
                .usage, "a budget of \(budget) triplets; expected 1 at least, and a greatest rank from 1")
        }
        func most(_ linear: CheckpointPair.Linear) -> Int {
            min(min(linear.outputs, linear.inputs), min(budget, maximumRank ?? .max))
        }
        try requireAgreement(on: pair.description, "the tensors of the two models", communicator)
        // What every process computes of its own layers, for all to know.
        let owners = Self.owners(of: pair.linears, processCount: communicator.processCount)
        let own = pair.linears.indices.filter { owners[$0] == communicator.processIndex }
        var values: [Double] = []
        var triplets: [Int: Triplets] = [:]
        for (number, index) in own.enumerated() {
            progress("singular values of \(number) of \(own.count) layers of this process")
            let linear = pair.linears[index]
            let difference = try pair.difference(of: linear)
            let squares = difference.sumOfSquares
            values.append(squares)
            guard squares > 0 else {
                values += repeatElement(0, count: min(linear.outputs, linear.inputs))
                continue
            }
            let whole = try singularValueDecomposition(of: difference)
            values += whole.singularValues
            triplets[index] = Triplets(whole, count: most(linear))
        }
        try communicator.idleBarrier()
        let gathered = try communicator.allGathered(varying: values)
        var cursors = gathered.layout.displacements
        var squares: [Double] = []
        var singularValues: [[Double]] = []
        for (index, linear) in pair.linears.enumerated() {
            let start = cursors[owners[index]]
            let count = min(linear.outputs, linear.inputs)
            squares.append(gathered.elements[start])
            singularValues.append(Array(gathered.elements[(start + 1)..<(start + 1 + count)]))
            cursors[owners[index]] = start + 1 + count
        }
        let candidates = pair.linears.indices.map { squares[$0] > 0 ? most(pair.linears[$0]) : 0 }
        let available = candidates.reduce(0, +)
        guard available > 0 else {
            throw FactoringError(.badData, "no linear layer differs; there is nothing to extract")
        }
        guard budget <= available else {
            throw FactoringError(
                .usage,
                "a budget of \(budget) triplets; the \(candidates.count { $0 > 0 }) layers that differ have \(available)"
                    + (maximumRank.map { " within a rank of \($0)" } ?? ""))
        }
        let scores = zip(singularValues, candidates).flatMap { $0.prefix($1).map { Float($0) } }
        let kept = Selection(scores: scores, budget: budget).kept
        var ranks: [Int] = []
        var first = 0
        for count in candidates {
            ranks.append(kept[first..<first + count].count { $0 })
            first += count
        }
        let vectors = try Self.gatherVectors(
            triplets, of: pair.linears, ranks: ranks, owners: owners, own: own, communicator)
        layers = pair.linears.enumerated().map { index, linear in
            Layer(
                path: linear.path, outputs: linear.outputs, inputs: linear.inputs, rank: ranks[index],
                norm: squares[index].squareRoot(), largest: singularValues[index].first ?? 0,
                error: singularValues[index].dropFirst(ranks[index]).reduce(0) { $0 + $1 * $1 }.squareRoot())
        }
        let head = try pair.head()
        adapter = Self.adapter(
            pair, ranks: ranks, singularValues: singularValues, vectors: vectors, head: head, budget: budget)
        task = pair.task(outputCount: adapter.outputCount)
        losses = try pair.losses()
    }

    /// Which process takes which layer, by the work of its decomposition.
    private static func owners(of linears: [CheckpointPair.Linear], processCount: Int) -> [Int] {
        let costs = linears.map { Double($0.outputs) * Double($0.inputs) * Double(min($0.outputs, $0.inputs)) }
        var owners = [Int](repeating: 0, count: linears.count)
        for (process, layers) in deal(costs, processCount: processCount).enumerated() {
            for layer in layers { owners[layer] = process }
        }
        return owners
    }

    /// The leading singular vectors of one layer, a row for each triplet.
    private struct Triplets {
        var left: [Float] = []  // [count, outputs]
        var right: [Float] = []  // [count, inputs]

        init(_ whole: DoubleSingularValueDecomposition, count: Int) {
            let (leftVectors, rightVectors) = (whole.leftVectors, whole.rightVectors)
            for triplet in 0..<count {
                for output in 0..<leftVectors.rows { left.append(Float(leftVectors[output, triplet])) }
                for input in 0..<rightVectors.columns { right.append(Float(rightVectors[triplet, input])) }
            }
        }
    }

    /// The kept vectors of all layers, on every process.
    private static func gatherVectors(
        _ triplets: [Int: Triplets], of linears: [CheckpointPair.Linear], ranks: [Int], owners: [Int], own: [Int],
        _ communicator: borrowing Communicator
    ) throws -> [(left: [Float], right: [Float])] {
        var part: [Float] = []
        for index in own {
            guard let layer = triplets[index] else { continue }
            part += layer.left.prefix(ranks[index] * linears[index].outputs)
            part += layer.right.prefix(ranks[index] * linears[index].inputs)
        }
        let gathered = try communicator.allGathered(varying: part)
        var cursors = gathered.layout.displacements
        return linears.indices.map { index in
            let start = cursors[owners[index]]
            let middle = start + ranks[index] * linears[index].outputs
            let end = middle + ranks[index] * linears[index].inputs
            cursors[owners[index]] = end
            return (Array(gathered.elements[start..<middle]), Array(gathered.elements[middle..<end]))
        }
    }

    private static func adapter(
        _ pair: CheckpointPair, ranks: [Int], singularValues: [[Double]], vectors: [(left: [Float], right: [Float])],
        head: [HeadTensor], budget: Int
    ) -> Adapter {
        let largest = ranks.max() ?? 1
        let keptLayers = pair.linears.indices.filter { ranks[$0] > 0 }
        var settings = AdapterSettings(
            initialRank: largest, targetRank: max(budget / max(keptLayers.count, 1), 1), initialSteps: 0, finalSteps: 0,
            interval: 1, beta1: 0.85, beta2: 0.85, orthogonalityWeight: 0.1, totalSteps: 1, alpha: Double(largest),
            dropout: 0, targetModules: keptLayers.map { pair.linears[$0].path }, baseModel: pair.basePath)
        settings.taskType = pair.taskType
        let scale = Double(settings.scale)
        let modules = keptLayers.map { index in
            AdapterModule(
                path: pair.linears[index].path, outputs: pair.linears[index].outputs,
                inputs: pair.linears[index].inputs,
                leftVectors: vectors[index].left,
                // The scale is not quite 1: PEFT divides by init_r + 1e-5.
                singularValues: singularValues[index].prefix(ranks[index]).map { Float($0 / scale) },
                rightVectors: vectors[index].right, pattern: (0..<largest).map { $0 < ranks[index] })
        }
        return Adapter(modules: modules, head: head, settings: settings)
    }
}
