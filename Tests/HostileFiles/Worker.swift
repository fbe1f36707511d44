import Diagnostics
import Foundation

/// Has one reader read a range of inputs, in a process of its own that may well end in the middle of it.
///
/// Before each input the tally so far goes into a file, so that the parent knows which input the process did not survive. A
/// failure that the process survives is a line on standard output: the index, a tab, and what happened.
struct Worker {
    /// Processor time after which an input counts as a hang.
    static let secondsAllowed = 2.0
    /// Bytes of memory that reading may take: what is loaded once, and a multiple of the file.
    static func memoryAllowed(longest: Int) -> Int { (32 << 20) + 64 * longest }
    /// Bytes of address space that a reader may take in all.
    private static let memoryLimit: UInt = 4 << 30
    /// A message that is longer, in characters, is not one that a person reads.
    private static let longestMessage = 4_096

    let reader: any FileReader
    let options: HostileFiles.Options
    let tallyPath: String

    /// - Parameter indices: of the inputs.
    func run(_ indices: Range<Int>) throws {
        ProcessMemory.limit(to: Self.memoryLimit)
        unblockAlarm()
        let mutator = Mutator(seeds: reader.seeds, longest: options.longest)
        // Code and tables that are loaded on first use are none of an input's memory.
        for seed in reader.seeds where seed.verdict == .accepted {
            try? reader.read(Input(seed: seed, contents: seed.contents, index: 0))
        }
        var tally = Tally()
        tally.baseline = ProcessMemory.peak
        for index in indices {
            var numbers = RepeatableNumbers(seed: options.seed, reader: type(of: reader).name, index: index)
            let input = mutator.input(index, &numbers)
            tally.index = index
            tally.longest = max(tally.longest, input.contents.count)
            try save(tally)
            alarm(options.hangAfter)
            let start = ProcessorTime.now
            let failure = failure(of: input, &tally)
            let seconds = ProcessorTime.now - start
            alarm(0)
            if seconds > tally.slowestSeconds { (tally.slowestSeconds, tally.slowestIndex) = (seconds, index) }
            if let failure {
                tally.failed += 1
                report(index, failure)
            } else if seconds > Self.secondsAllowed {
                report(index, "took \(milliseconds(seconds)) ms, expected at most \(milliseconds(Self.secondsAllowed))")
            }
        }
        tally.growth = max(0, ProcessMemory.peak - tally.baseline)
        try save(tally)
    }

    /// A process inherits the signals that its parent's thread had blocked.
    private func unblockAlarm() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGALRM)
        sigprocmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Reads an input and counts it; what is wrong with how the reader behaved, if anything is.
    private func failure(of input: Input, _ tally: inout Tally) -> String? {
        let verdict: Seed.Verdict
        do {
            try reader.read(input)
            verdict = .accepted
        } catch let error as any Diagnosis {
            if let fault = Self.fault(in: error.description) { return fault }
            verdict = .refused
            // The reason is worth knowing where one input is looked at.
            if options.only != nil { report(input.index, "refused: \(error.description)", isFailure: false) }
        } catch {
            return "threw \(type(of: error)), which is no Diagnosis: \(oneLine("\(error)"))"
        }
        if input.index < reader.seeds.count, verdict != input.seed.verdict {
            return
                "the seed \(input.seed.path) was \(verdict.rawValue), expected that it is \(input.seed.verdict.rawValue)"
        }
        if verdict == .accepted { tally.accepted += 1 } else { tally.refused += 1 }
        return nil
    }

    /// What keeps a message from being the one line that it should be.
    private static func fault(in message: String) -> String? {
        let count = message.unicodeScalars.count
        if count > longestMessage || count == 0 { return "threw a message of \(count) characters: \(oneLine(message))" }
        return message.unicodeScalars.contains { isControl($0) }
            ? "threw a message with control characters: \(oneLine(message))" : nil
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private func save(_ tally: Tally) throws { try Array(JSONEncoder().encode(tally)).write(to: tallyPath) }

    private func report(_ index: Int, _ what: String, isFailure: Bool = true) {
        FileHandle.standardOutput.write(Data("\(index)\t\(isFailure ? "failed" : "note")\t\(what)\n".utf8))
    }
}

/// Seconds as milliseconds, for people.
func milliseconds(_ seconds: Double) -> String { String(format: "%.1f", seconds * 1_000) }
