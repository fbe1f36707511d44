import Diagnostics
import Foundation

/// A reader with every fault that the harness looks for, each at one index: what tests the harness itself. It is not part of
/// the product and runs only when it is named.
struct FaultyReader: FileReader {
    static let name = "faulty"
    static let share = 1

    /// The index at which each fault shows.
    enum Fault: Int {
        case wrongVerdict = 1
        case trap = 10
        case endlessLoop = 20
        case foreignError = 30
        case severalLines = 40
        case brokenPromise = 50
        case slow = 60
    }

    private struct Foreign: Error {}

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        seeds = [
            try workshop.seed("good", file: "x.txt", text: "a: 1\n", format: .lines),
            try workshop.seed("bad", file: "x.txt", text: "a: 2\n", format: .lines, verdict: .refused),
        ]
    }

    func read(_ input: Input) throws {
        switch Fault(rawValue: input.index) {
        case nil, .wrongVerdict: return
        case .trap: preconditionFailure("a trap, on purpose")
        case .endlessLoop: while true { sleep(1) }
        case .foreignError: throw Foreign()
        case .severalLines: throw TwoLines()
        case .brokenPromise: throw BrokenPromise("on purpose")
        case .slow:
            let start = ProcessorTime.now
            while ProcessorTime.now - start < 2.2 {}
        }
    }
}

/// A refusal that is not on one line.
private struct TwoLines: Diagnosis {
    var kind: FailureKind { .badData }
    var description: String { "two\nlines" }
}
