import Diagnostics

/// Tells how far the tokenising of a long data file is, from its first seconds on.
final class ReadingProgress {
    private let tells: Bool
    private var next = ContinuousClock.now + .seconds(5)

    /// - Parameter tells: whether to; one process of a job does.
    init(tells: Bool) { self.tells = tells }

    func show(_ done: Int) {
        guard tells, ContinuousClock.now >= next else { return }
        next = ContinuousClock.now + .seconds(15)
        tellUser("reading the training data: \(done) samples tokenised")
    }
}
