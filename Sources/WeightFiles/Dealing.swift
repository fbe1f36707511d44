import Diagnostics
import Foundation
import MessagePassing

/// Deals pieces of work to the processes: the largest first, each to the process that has the least so far.
///
/// - Parameter costs: of the pieces.
/// - Returns: the pieces of each process, in order; a function of the costs alone.
package func deal(_ costs: [Double], processCount: Int) -> [[Int]] {
    var pieces = [[Int]](repeating: [], count: processCount)
    var loads = [Double](repeating: 0, count: processCount)
    for piece in costs.indices.sorted(by: { (costs[$1], $0) < (costs[$0], $1) }) {
        let process = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) } ?? 0
        pieces[process].append(piece)
        loads[process] += costs[piece]
    }
    return pieces.map { $0.sorted() }
}

extension Communicator {
    /// Does this process's pieces, and brings the results of all processes together.
    ///
    /// Collective. An error of a piece ends the work on its process, and is thrown on all: of several that of the first piece,
    /// so that it is the same whatever the number of processes.
    ///
    /// - Parameters:
    ///   - costs: of the pieces.
    ///   - work: what is done for one piece.
    ///   - finish: done by a process after its last piece.
    /// - Returns: on every process the results, in the order of the pieces.
    func share<Result: Codable>(
        _ costs: [Double], work: (Int) throws -> Result, finish: () throws -> Void = {}
    ) throws -> [Result] {
        var results: [Result] = []
        // An error of the finish comes after those of the pieces.
        var piece = costs.count
        var failure: WeightFileError?
        do {
            for own in deal(costs, processCount: processCount)[processIndex] {
                piece = own
                results.append(try work(own))
            }
            piece = costs.count
            try finish()
        } catch {
            failure = WeightFileError(of: error)
        }
        let outcomes = try allGathered([Int64(failure == nil ? -1 : piece)])
        let failed = outcomes.indices.filter { outcomes[$0] >= 0 }.min { (outcomes[$0], $0) < (outcomes[$1], $1) }
        if let failed {
            let kind = try broadcasted(
                failure.map { [UInt8(truncatingIfNeeded: $0.kind.rawValue)] } ?? [], from: failed)
            let message = try broadcasted(failure?.description ?? "", from: failed)
            throw WeightFileError(.init(rawValue: Int32(kind.first ?? 0)) ?? .computation, message)
        }
        let gathered = try allGathered(varying: [UInt8](try JSONEncoder().encode(results)))
        var all: [(piece: Int, result: Result)] = []
        for (process, pieces) in deal(costs, processCount: processCount).enumerated() {
            let part = try JSONDecoder().decode(
                [Result].self, from: Data(gathered.elements[gathered.layout.range(of: process)]))
            all += zip(pieces, part).map { (piece: $0, result: $1) }
        }
        return all.sorted { $0.piece < $1.piece }.map(\.result)
    }
}
