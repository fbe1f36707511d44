import Diagnostics
import FixtureFiles
import LinearAlgebra
import PEFTFormat
import Testing

@Suite("Adapters are made smaller")
struct ReductionTests {
    private let adapter: Adapter
    private var scale: Double { Double(adapter.settings.scale) }

    init() throws { adapter = try Adapter(path: Fixture.path("tiny-bert-adapter")) }

    private func changes(_ adapter: Adapter) -> [[[Double]]] {
        adapter.modules.map { weightChange(of: $0, scale: Double(adapter.settings.scale)) }
    }

    private func norm(_ matrix: [[Double]]) -> Double { matrix.joined().reduce(0) { $0 + $1 * $1 }.squareRoot() }

    private func difference(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
        zip(a, b).map { zip($0, $1).map { $0 - $1 } }
    }

    /// What a reduction says of its change, against ΔW formed before and after.
    private func check(_ change: Adapter.Change, _ reduced: Adapter) {
        let (before, after) = (changes(adapter), changes(reduced))
        var squares = (difference: 0.0, norm: 0.0)
        for (index, module) in change.modules.enumerated() {
            let (difference, norm) = (norm(difference(before[index], after[index])), norm(before[index]))
            // Vectors are rounded to single precision, and made anew by a decomposition.
            #expect(abs(module.difference - difference) < 1e-5 * norm, "\(module.path)")
            #expect(abs(module.norm - norm) < 1e-5 * norm, "\(module.path)")
            #expect(module.after == reduced.modules[index].rank && module.before == adapter.modules[index].rank)
            squares = (squares.difference + difference * difference, squares.norm + norm * norm)
        }
        #expect(abs(change.relative - (squares.difference / squares.norm).squareRoot()) < 1e-5)
    }

    @Test("below a threshold of |λ|: a triplet at the threshold stays, and the change is that of ΔW")
    func threshold() throws {
        let magnitudes = adapter.modules.flatMap(\.singularValues).map(\.magnitude).sorted()
        let threshold = magnitudes[magnitudes.count / 2]
        let (reduced, change) = adapter.dropping(below: threshold)
        let kept = reduced.modules.flatMap(\.singularValues)
        #expect(kept.count == magnitudes.count { $0 >= threshold })
        #expect(kept.contains { $0.magnitude == threshold })
        #expect(reduced.modules.allSatisfy { $0.pattern.count { $0 } == $0.rank })
        check(change, reduced)
        let (same, none) = adapter.dropping(below: 0)
        #expect(same == adapter && none.relative == 0)
    }

    @Test("to a budget: the change is the root of Σσ² of all that is not among the largest, which nothing can beat")
    func budget() throws {
        let values = try changes(adapter).flatMap { matrix in
            let formed = Matrix(
                rows: matrix.count, columns: matrix[0].count, elements: matrix.joined().map { Float($0) })
            defer { withExtendedLifetime(formed) {} }
            return try singularValueDecomposition(of: formed.view).singularValues.map(Double.init)
        }.sorted(by: >)
        let energy = values.reduce(0) { $0 + $1 * $1 }
        let total = adapter.modules.reduce(0) { $0 + $1.rank }
        for budget in [0, 1, total / 3, total / 2, total, 10 * total] {
            let (reduced, change) = try adapter.cut(toBudget: budget)
            #expect(reduced.modules.reduce(0) { $0 + $1.rank } == min(budget, total))
            #expect(reduced.modules.allSatisfy { $0.pattern.count == adapter.settings.initialRank })
            let lost = values.dropFirst(budget).reduce(0) { $0 + $1 * $1 }
            #expect(abs(change.relative - (lost / energy).squareRoot()) < 1e-5, "\(budget)")
            check(change, reduced)
        }
    }

    @Test("weights that are not finite are refused by the module's name")
    func notFinite() throws {
        var broken = adapter
        broken.modules[1].leftVectors[0] = .nan
        let error = try #require(throws: PEFTFormatError.self) { try broken.cut(toBudget: 3) }
        #expect(error.kind == .badData && error.description.contains(broken.modules[1].path))
    }
}
