import AdaLoRA
import Foundation
import LinearAlgebra
import NeuralNetwork

/// Times what a masking step does to the adapter on one process: clipping, sensitivity, importance, AdamW, scores, and the
/// decision.
package struct UpdateBenchmark: Codable, Sendable {
    package let shapes: String
    package let modules: Int
    package let triplets: Int
    package let entries: Int
    /// Medians.
    package let updateSeconds: Double
    package let decisionSeconds: Double
    package let wholeSeconds: Double
    /// Of the update: six arrays read and five written.
    package let updateBytesPerSecond: Double
    /// Of a copy of the same bytes, read and written, timed in turns with the update.
    package let copyBytesPerSecond: Double
    package let ratioToCopy: Double

    /// The adapted modules of a network.
    package enum Shapes: String, CaseIterable, Sendable {
        /// all-MiniLM-L6: 6 layers, 384 wide, 1,536 in between.
        case minilm
        /// A Llama of 7 billion weights: 32 layers, 4,096 wide, 11,008 in between.
        case llama

        var linears: [(outputs: Int, inputs: Int)] {
            switch self {
            case .minilm:
                Array(repeating: Array(repeating: (384, 384), count: 4) + [(1_536, 384), (384, 1_536)], count: 6)
                    .flatMap(\.self)
            case .llama:
                Array(
                    repeating: Array(repeating: (4_096, 4_096), count: 4) + [
                        (11_008, 4_096), (11_008, 4_096), (4_096, 11_008),
                    ], count: 32
                ).flatMap(\.self)
            }
        }
    }

    /// - Parameter rounds: update, copy and decision in turns.
    package static func run(_ shapes: Shapes, rank: Int, rounds: Int) -> UpdateBenchmark {
        var layout = ParameterLayout()
        for (index, linear) in shapes.linears.enumerated() {
            layout.appendTriplets(name: "\(index)", count: rank, outputs: linear.outputs, inputs: linear.inputs)
        }
        let count = layout.elementCount
        let values = Matrix(rows: 1, columns: count)
        let gradient = Matrix(rows: 1, columns: count)
        for index in 0..<count {
            values.pointer[index] = Float(index % 1_021) / 1_021 - 0.5
            gradient.pointer[index] = Float(index % 509) / 50_900 - 0.005
        }
        let state = OwnedState(elements: 0..<count)
        let pointers = StatePointers(state)
        let rows = OwnedRow.all(of: layout, in: 0..<layout.rowCount)
        let importance = Importance(measure: .ipt, beta1: 0.85, beta2: 0.85)
        let optimizer = AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01)
        // Half of the bytes that the update moves, to be read and written.
        let (source, target) = (Matrix(rows: 1, columns: count * 11 / 2), Matrix(rows: 1, columns: count * 11 / 2))
        var (updates, decisions, copies) = ([Double](), [Double](), [Double]())
        for step in 0..<rounds + 2 {
            let update = RowUpdate(
                optimizer: optimizer.update(step: step, learningRate: 1e-3, gradientFactor: 0.5),
                importance: importance, point: .gradient)
            let updateTime = seconds {
                for row in rows {
                    update.apply(
                        to: values.pointer + row.offset, gradient: gradient.pointer + row.offset, state: pointers,
                        offset: row.offset, count: row.elements.count, isImportant: true)
                }
            }
            let decisionTime = seconds {
                let scores = rows.map { row in
                    importance.score(
                        values: values.pointer + row.offset, smoothed: pointers.smoothedSensitivity + row.offset,
                        uncertainty: pointers.uncertainty + row.offset, outputs: row.block.outputs ?? 0,
                        inputs: row.block.inputs ?? 0)
                }
                let selection = Selection(scores: scores, budget: layout.rowCount / 3)
                for row in rows where !selection.kept[row.index] {
                    values.pointer[row.offset + (row.block.outputs ?? 0)] = 0
                }
            }
            let copyTime = seconds { target.pointer.update(from: source.pointer, count: source.columns) }
            guard step >= 2 else { continue }
            updates.append(updateTime)
            decisions.append(decisionTime)
            copies.append(copyTime)
        }
        let moved = Double(count * 11 * MemoryLayout<Float>.size)
        withExtendedLifetime((values, gradient, state, source, target)) {}
        return UpdateBenchmark(
            shapes: shapes.rawValue, modules: layout.blocks.count, triplets: layout.rowCount, entries: count,
            updateSeconds: updates.median, decisionSeconds: decisions.median,
            wholeSeconds: zip(updates, decisions).map(+).median, updateBytesPerSecond: moved / updates.median,
            copyBytesPerSecond: moved / copies.median, ratioToCopy: zip(copies, updates).map { $0 / $1 }.median)
    }
}

/// The wall-clock time of a piece of work.
package func seconds(_ work: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try work()
    return start.duration(to: .now).inSeconds
}
