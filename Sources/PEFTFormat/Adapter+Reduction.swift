import Diagnostics
import LinearAlgebra

extension Adapter {
    /// By how much a reduction changed ΔW.
    public struct Change: Sendable, Equatable {
        /// What happened to one module.
        public struct Module: Sendable, Equatable {
            public let path: String
            /// Triplets before and after.
            public let before: Int
            public let after: Int
            /// ‖ΔW‖_F before.
            public let norm: Double
            /// ‖ΔW after − ΔW before‖_F.
            public let difference: Double

            /// The difference as a part of the norm; 0 where nothing was there to change.
            public var relative: Double { norm > 0 ? difference / norm : 0 }
        }

        public let modules: [Module]

        /// Of all modules as one vector.
        public var relative: Double {
            let norm = modules.reduce(0) { $0 + $1.norm * $1.norm }
            return norm > 0 ? (modules.reduce(0) { $0 + $1.difference * $1.difference } / norm).squareRoot() : 0
        }
    }

    /// Leaves out the triplets with |λ| below a threshold.
    ///
    /// - Parameter threshold: a triplet with |λ| equal to it stays.
    public func dropping(below threshold: Float) -> (adapter: Adapter, change: Change) {
        var result = self
        var changes: [Change.Module] = []
        for (index, module) in modules.enumerated() {
            let kept = module.singularValues.map { $0.magnitude >= threshold }
            result.modules[index] = module.keeping(kept)
            changes.append(
                .init(
                    path: module.path, before: module.rank, after: kept.count { $0 },
                    norm: module.norm(scale: settings.scale),
                    difference: module.keeping(kept.map { !$0 }).norm(scale: settings.scale)))
        }
        return (result, Change(modules: changes))
    }

    /// Cuts ΔW down to `budget` triplets over all modules, those that change it least.
    ///
    /// Every ΔW is decomposed into its singular triplets; the largest singular values of all modules together stay, ties going to
    /// the earlier module. No other choice of so many triplets, of these or of any others, has a smaller ‖change‖_F (Eckart and
    /// Young 1936, over the modules as the blocks of one matrix).
    ///
    /// - Throws: ``PEFTFormatError`` for weights that are not finite.
    public func cut(toBudget budget: Int) throws(PEFTFormatError) -> (adapter: Adapter, change: Change) {
        var decomposed: [AdapterModule] = []
        for module in modules {
            do {
                decomposed.append(try module.decomposed())
            } catch {
                throw PEFTFormatError(.badData, "the adapter's module '\(module.path)': \(error)")
            }
        }
        var candidates: [(value: Float, module: Int, triplet: Int)] = []
        for (index, module) in decomposed.enumerated() {
            candidates += module.singularValues.enumerated().map { ($0.element, index, $0.offset) }
        }
        candidates.sort { ($1.value, $0.module, $0.triplet) < ($0.value, $1.module, $1.triplet) }
        let ranks = candidates.prefix(max(budget, 0)).reduce(into: [Int](repeating: 0, count: modules.count)) {
            $0[$1.module] += 1
        }
        var result = self
        var changes: [Change.Module] = []
        for (index, module) in decomposed.enumerated() {
            let kept = (0..<module.rank).map { $0 < ranks[index] }
            var smaller = module.keeping(kept)
            smaller.pattern = (0..<settings.initialRank).map { $0 < ranks[index] }
            result.modules[index] = smaller
            changes.append(
                .init(
                    path: module.path, before: modules[index].rank, after: ranks[index],
                    norm: module.norm(scale: settings.scale),
                    difference: module.keeping(kept.map { !$0 }).norm(scale: settings.scale)))
        }
        return (result, Change(modules: changes))
    }
}

extension AdapterModule {
    /// Some of the triplets.
    ///
    /// - Parameter kept: a flag for each triplet.
    func keeping(_ kept: [Bool]) -> AdapterModule {
        var (left, singular, right) = ([Float](), [Float](), [Float]())
        for triplet in kept.indices where kept[triplet] {
            left += leftVectors[triplet * outputs..<(triplet + 1) * outputs]
            singular.append(singularValues[triplet])
            right += rightVectors[triplet * inputs..<(triplet + 1) * inputs]
        }
        var remaining = kept.makeIterator()
        return AdapterModule(
            path: path, outputs: outputs, inputs: inputs, leftVectors: left, singularValues: singular,
            rightVectors: right, pattern: pattern.map { $0 && remaining.next() == true })
    }

    /// ‖scale·PΛQ‖_F from inner products of the vectors: Σ_ij λ_i·λ_j·(P_i·P_j)·(Q_i·Q_j).
    func norm(scale: Float) -> Double {
        func dot(_ values: [Float], _ i: Int, _ j: Int, _ count: Int) -> Double {
            var sum = 0.0
            for index in 0..<count { sum += Double(values[i * count + index]) * Double(values[j * count + index]) }
            return sum
        }
        var sum = 0.0
        for i in 0..<rank {
            for j in 0...i {
                let product =
                    Double(singularValues[i]) * Double(singularValues[j]) * dot(leftVectors, i, j, outputs)
                    * dot(rightVectors, i, j, inputs)
                sum += i == j ? product : 2 * product
            }
        }
        return Double(scale) * max(sum, 0).squareRoot()
    }

    /// The singular triplets of PΛQ, largest first: P = U, Λ = Σ, Q = Vᵀ. From two thin QR decompositions and the SVD
    /// of the small product of their triangles.
    fileprivate func decomposed() throws -> AdapterModule {
        var module = self
        let count = min(rank, outputs, inputs)
        module.pattern = [Bool](repeating: true, count: count)
        (module.leftVectors, module.singularValues, module.rightVectors) = ([], [], [])
        guard count > 0 else { return module }
        let (left, right) = (Matrix(rows: outputs, columns: rank), Matrix(rows: inputs, columns: rank))
        for triplet in 0..<rank {
            for output in 0..<outputs {
                left[output, triplet] = leftVectors[triplet * outputs + output] * singularValues[triplet]
            }
            for input in 0..<inputs { right[input, triplet] = rightVectors[triplet * inputs + input] }
        }
        let (leftFactors, rightFactors) = (try qrDecomposition(of: left.view), try qrDecomposition(of: right.view))
        let core = Matrix(rows: leftFactors.r.rows, columns: rightFactors.r.rows)
        multiply(leftFactors.r.view, .none, rightFactors.r.view, .transposed, into: core.mutableView)
        let svd = try singularValueDecomposition(of: core.view)
        let (newLeft, newRight) = (
            Matrix(rows: svd.leftVectors.columns, columns: outputs),
            Matrix(rows: svd.rightVectors.rows, columns: inputs)
        )
        multiply(svd.leftVectors.view, .transposed, leftFactors.q.view, .transposed, into: newLeft.mutableView)
        multiply(svd.rightVectors.view, .none, rightFactors.q.view, .transposed, into: newRight.mutableView)
        withExtendedLifetime((left, right, core, leftFactors, rightFactors, svd)) {}
        module.leftVectors = Array(newLeft.elements.prefix(count * outputs))
        module.singularValues = Array(svd.singularValues.prefix(count))
        module.rightVectors = Array(newRight.elements.prefix(count * inputs))
        return module
    }
}
