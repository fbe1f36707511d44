import Checkpointing
import Diagnostics
import Foundation
import MessagePassing
import Synchronization

/// Writes checkpoints beside the training: a step waits for the copy of the state alone.
///
/// Every process writes its shard in the background. When all have, which they learn from the agreement of a later step,
/// process 0 commits, in the background as well. One checkpoint is finished before the next begins. A failure to write is
/// said, and the run goes on: the last good checkpoint stays, and the next one is tried when it is due.
final class CheckpointWriter {
    /// Where the shard at hand is; the raw values go through the agreement.
    enum Progress: Double {
        case none = 0
        case writing = 1
        case written = 2
    }

    private let store: CheckpointStore
    private let kept: Int
    private let queue = DispatchQueue(label: "rankwise.checkpoint")
    private let outcome = Outcome()
    /// The manifest of the checkpoint at hand, without its shards.
    private var pending: CheckpointManifest?
    /// The longest that a step has waited for `begin`, in seconds.
    private(set) var longestStall = 0.0

    /// What the background thread has to say.
    private final class Outcome: Sendable {
        let shard = Mutex<ShardOutcome?>(nil)
        let commitFailure = Mutex<String?>(nil)
    }

    /// A shard that was written, or why it was not.
    private struct ShardOutcome: Codable {
        var shard: CheckpointManifest.Shard?
        var failure: String?
    }

    init(store: CheckpointStore, kept: Int) {
        self.store = store
        self.kept = kept
    }

    /// What this process tells the others in each step.
    var progress: Progress {
        pending == nil ? .none : outcome.shard.withLock { $0 == nil ? .writing : .written }
    }

    /// Copies the state and starts to write it. Collective.
    ///
    /// - Parameters:
    ///   - manifest: of the checkpoint, without shards.
    ///   - rows, elements: of this process's shard.
    ///   - arrays: the shard's arrays, which may change as soon as this returns.
    func begin(
        _ manifest: CheckpointManifest, rows: Range<Int>, elements: Range<Int>,
        arrays: [(name: String, values: UnsafePointer<Float>)], _ communicator: borrowing Communicator
    ) throws {
        let start = ContinuousClock.now
        defer { longestStall = max(longestStall, start.duration(to: .now).inSeconds) }
        if pending != nil { _ = try finish(communicator) }
        var failed: Int32 = 0
        if communicator.processIndex == 0 {
            // The commit of the checkpoint before may still be under way.
            queue.sync {}
            do throws(CheckpointError) {
                _ = try store.begin(step: manifest.step)
            } catch {
                Self.sayFailure(manifest.step, plainReason(error))
                failed = 1
            }
        }
        guard try communicator.allReduced(failed, .maximum) == 0 else {
            outcome.commitFailure.withLock { $0 = "its folder could not be created" }
            return
        }
        // Only process 0 learns how the commit went; the others have no say in it.
        if communicator.processIndex != 0 { outcome.commitFailure.withLock { $0 = nil } }
        let copies = arrays.map { array in
            (name: array.name, values: Array(UnsafeBufferPointer(start: array.values, count: elements.count)))
        }
        pending = manifest
        outcome.shard.withLock { $0 = nil }
        let (folder, index, outcome) = (store.partialPath(manifest.step), communicator.processIndex, outcome)
        queue.async {
            let result: ShardOutcome
            do {
                result = ShardOutcome(
                    shard: try CheckpointShard.write(
                        folder: folder, index: index, rows: rows, elements: elements, arrays: copies))
            } catch {
                result = ShardOutcome(failure: plainReason(error))
            }
            outcome.shard.withLock { $0 = result }
        }
    }

    /// Commits the checkpoint whose shards all processes have written, or gives it up if one could not. Collective.
    func settle(_ communicator: borrowing Communicator) throws {
        guard var manifest = pending else { return }
        pending = nil
        let own = outcome.shard.withLock { $0 } ?? ShardOutcome(failure: "nothing was written")
        let gathered = try communicator.allGathered(varying: [UInt8](try JSONEncoder().encode(own)))
        guard communicator.processIndex == 0 else { return }
        let outcomes = try (0..<communicator.processCount).map {
            try JSONDecoder().decode(ShardOutcome.self, from: Data(gathered.elements[gathered.layout.range(of: $0)]))
        }
        for (process, outcome) in outcomes.enumerated() {
            guard let failure = outcome.failure else { continue }
            Self.sayFailure(manifest.step, "process \(process): \(failure)")
            self.outcome.commitFailure.withLock { $0 = failure }
            let (store, step) = (store, manifest.step)
            queue.async { store.abandon(step: step) }
            return
        }
        manifest.shards = outcomes.compactMap(\.shard)
        let (store, kept, complete, outcome) = (store, kept, manifest, outcome)
        queue.async {
            do throws(CheckpointError) {
                try store.commit(complete)
            } catch {
                outcome.commitFailure.withLock { $0 = plainReason(error) }
                Self.sayFailure(complete.step, plainReason(error))
                store.abandon(step: complete.step)
                return
            }
            outcome.commitFailure.withLock { $0 = nil }
            do throws(CheckpointError) {
                try store.prune(keep: kept, upTo: complete.step)
            } catch {
                tellUser("\(error); the run goes on")
            }
        }
    }

    /// Waits until the checkpoint at hand is on the disk, or has failed. Collective.
    ///
    /// - Returns: whether the latest checkpoint was committed.
    func finish(_ communicator: borrowing Communicator) throws -> Bool {
        queue.sync {}
        try settle(communicator)
        queue.sync {}
        let failed: Int32 = outcome.commitFailure.withLock { $0 == nil ? 0 : 1 }
        return try communicator.allReduced(failed, .maximum) == 0
    }

    private static func sayFailure(_ step: Int, _ reason: String) {
        tellUser(
            "the checkpoint of step \(step) could not be written: \(reason); the run goes on, the last good checkpoint stays"
        )
    }
}
