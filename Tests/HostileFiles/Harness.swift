import Foundation

/// Starts workers, one after another, and reports what came of them.
struct Harness {
    /// A worker reads so many inputs at most; then another starts with fresh memory.
    private static let inputsOfWorker = 2_500
    /// A reader that fails so often needs no further proof.
    private static let failuresOfReader = 25

    let options: HostileFiles.Options
    let folder: String

    private struct Outcome {
        var tally = Tally()
        var traps = 0
        var failures: [(index: Int, what: String)] = []
    }

    /// Tries every reader and prints the report.
    ///
    /// - Returns: whether nothing failed.
    func run() throws -> Bool {
        let start = ContinuousClock.now
        let readers =
            options.reader == FaultyReader.name
            ? [FaultyReader.self] : fileReaders.filter { options.reader == nil || $0.name == options.reader }
        let shares = readers.reduce(0) { $0 + $1.share }
        var total = Outcome()
        print(
            Self.row(
                "reader", "inputs", "accepted", "refused", "traps", "failures", "slowest ms", "longest kB", "memory kB")
        )
        for reader in readers {
            let count = max(1, (options.inputs * reader.share + shares - 1) / max(shares, 1))
            let indices = options.only.map { $0..<$0 + 1 } ?? 0..<count
            let outcome = try run(reader.name, indices)
            print(Self.row(reader.name, outcome))
            for (index, what) in outcome.failures { print("  \(repeating(reader.name, index)): \(what)") }
            total.tally.add(outcome.tally)
            total.traps += outcome.traps
            total.failures += outcome.failures
        }
        print(Self.row("total", total))
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        print(
            "seed \(options.seed), \(String(format: "%.0f", seconds)) s; memory: most that was resident beyond the start"
        )
        return total.failures.isEmpty
    }

    /// The command that gives one input again.
    private func repeating(_ reader: String, _ index: Int) -> String {
        "--reader \(reader) --seed \(options.seed) --longest \(options.longest) --only \(index)"
    }

    private func run(_ reader: String, _ indices: Range<Int>) throws -> Outcome {
        var outcome = Outcome()
        var next = indices.lowerBound
        while next < indices.upperBound, outcome.failures.count < Self.failuresOfReader {
            let end = min(next + Self.inputsOfWorker, indices.upperBound)
            let (tally, lines, ending) = try work(reader, next..<end)
            outcome.tally.add(tally)
            for line in lines where line.kind == "failed" { outcome.failures.append((line.index, line.what)) }
            for line in lines where line.kind == "note" { print("  input \(line.index): \(line.what)") }
            if options.only != nil { print("  the input is under \(folder)/\(reader)") }
            if tally.growth > Worker.memoryAllowed(longest: tally.longest) {
                outcome.failures.append((tally.index, "up to here, took \(tally.growth) bytes of memory"))
            }
            next = end
            guard let ending else { continue }
            outcome.traps += 1
            outcome.tally.failed += 1
            outcome.failures.append((tally.index, ending))
            next = tally.index + 1
        }
        return outcome
    }

    private typealias Line = (index: Int, kind: Substring, what: String)

    /// One worker: what it counted, what it said, and how it ended if it did not end by itself.
    private func work(_ reader: String, _ indices: Range<Int>) throws -> (Tally, [Line], String?) {
        let tallyPath = folder + "/tally.json"
        try? FileManager.default.removeItem(atPath: tallyPath)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [
            "--worker", folder, "--worker-from", "\(indices.lowerBound)", "--worker-to", "\(indices.upperBound)",
            "--reader", reader, "--seed", "\(options.seed)", "--longest", "\(options.longest)", "--hang-after",
            "\(options.hangAfter)", "--package", options.package,
        ]
        if let only = options.only { process.arguments? += ["--only", "\(only)"] }
        // A trap is expected to be quick, and threads of the linear algebra are nothing to these readers.
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["SWIFT_BACKTRACE": "enable=no", "OPENBLAS_NUM_THREADS": "1"]) { _, new in new }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()

        let lines = text.split(separator: "\n").compactMap { line -> Line? in
            let parts = line.split(separator: "\t", maxSplits: 2)
            guard parts.count == 3, let index = Int(parts[0]) else { return nil }
            return (index, parts[1], String(parts[2]))
        }
        guard let data = FileManager.default.contents(atPath: tallyPath) else {
            throw BrokenPromise("the reader '\(reader)' could not be prepared (status \(process.terminationStatus))")
        }
        let tally = try JSONDecoder().decode(Tally.self, from: data)
        if process.terminationReason == .exit, process.terminationStatus == 0 { return (tally, lines, nil) }
        let ending =
            process.terminationReason == .uncaughtSignal
            ? process.terminationStatus == SIGALRM
                ? "still reading after \(options.hangAfter) s" : "ended by signal \(process.terminationStatus)"
            : "ended with status \(process.terminationStatus)"
        return (tally, lines, ending)
    }
}

extension Harness {
    private static func row(_ name: String, _ outcome: Outcome) -> String {
        let tally = outcome.tally
        return row(
            name, "\(tally.tried)", "\(tally.accepted)", "\(tally.refused)", "\(outcome.traps)",
            "\(outcome.failures.count)", milliseconds(tally.slowestSeconds),
            "\(tally.longest / 1_000)", "\(tally.growth / 1_000)")
    }

    /// A line of the report: the name, then columns that end at the same places.
    private static func row(_ name: String, _ columns: String...) -> String {
        name.padding(toLength: 14, withPad: " ", startingAt: 0)
            + columns.map { String(repeating: " ", count: max(1, 11 - $0.count)) + $0 }.joined()
    }
}
