import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("Data of real users", .serialized)
struct DataFileTests {
    @Test(
        "a split that cannot be used ends the run before its first step, and a dry run, with the place",
        arguments: [
            ("text\tlabel\na good film\t-1\n", Int32(65), "split.tsv:2: the label \"-1\" is outside the classes"),
            ("text\na good film\n", 65, "split.tsv:1: the header has no column \"label\""),
            ("text\tlabel\n", 65, "no rows"), ("", 65, "empty"), (nil, 66, "no such file"),
        ] as [(String?, Int32, String)])
    func splits(contents: String?, status: Int32, message: String) async throws {
        let job = try TinyJob()
        if let contents { try job.write(contents, to: "split.tsv") }
        for kind in ["test", "validation"] {
            for option in [["--dry-run"], []] {
                let result = try await job.train("run", ["--set", "data.\(kind)=\(job.path)/split.tsv"] + option)
                #expect(result.status == status && result.standardError.contains(message), "\(result.standardError)")
                #expect(!FileManager.default.fileExists(atPath: job.path + "/run/metrics.jsonl"))
            }
        }
    }

    @Test("unused classes and quotes in a .tsv file are told of; one class alone is refused")
    func remarks() async throws {
        let job = try TinyJob()
        let rows = TinyJob.lines.enumerated().map { index, line in (line.text, String(1 + index % 2)) }
        try job.write(TinyJob.table(rows), to: "numbers.tsv")
        try job.write(TinyJob.table(rows + [("\"it is \"\"good\"\" film\"", "1")]), to: "quoted.tsv")
        try job.write(TinyJob.table(rows.map { ($0.0, "1") }), to: "one.tsv")
        func run(_ name: String, _ output: String) async throws -> JobResult {
            try await job.train(output, "--set", "data.train=\(job.path)/\(name)", "--set", "data.test=null")
        }
        let numbers = try await run("numbers.tsv", "a")
        #expect(
            numbers.status == 0 && numbers.standardError.contains("no sample has \"0\""), "\(numbers.standardError)")
        let quoted = try await run("quoted.tsv", "b")
        #expect(quoted.status == 0 && quoted.standardError.contains("quoted.tsv:42: a cell in quotes"))
        let one = try await run("one.tsv", "c")
        #expect(one.status == 65 && one.standardError.contains("every label is \"1\""), "\(one.standardError)")
        // Of a task with the labels 1 and 2, and of a file that has some of the classes alone.
        let perfect = try await rankwise(
            "evaluate", "--adapter", job.path + "/a", "--data", job.path + "/numbers.tsv", "--json")
        #expect(perfect.status == 0)
    }

    @Test("blank lines between rows are passed over, and later errors name the file's line")
    func blankLines() async throws {
        let job = try TinyJob()
        let lines = TinyJob.lines.prefix(8)
        let files = [
            "blank.tsv": "\n" + TinyJob.table(Array(lines.prefix(4))) + "\n  \n"
                + lines.dropFirst(4).map { "\($0.text)\t\($0.label)\n" }.joined(),
            "blank.csv": "\ntext,label\n" + lines.map { "\"\($0.text)\",\($0.label)\n\n" }.joined(),
            "blank.jsonl": lines.map { "{\"text\": \"\($0.text)\", \"label\": \"\($0.label)\"}\n  \n" }.joined(),
        ]
        for (name, text) in files {
            try job.write(text, to: name)
            let result = try await job.train("run", "--dry-run", "--set", "data.train=\(job.path)/\(name)")
            #expect(result.standardOutput.contains("# training samples: 8,"), "\(name): \(result.standardError)")
            let bad = name.hasSuffix("jsonl") ? "{\"text\": 5}\n" : "one cell\n"
            try job.write(text + bad, to: name)
            let line = (text + bad).split(separator: "\n", omittingEmptySubsequences: false).count - 1
            let refused = try await job.train("run", "--dry-run", "--set", "data.train=\(job.path)/\(name)")
            #expect(
                refused.status == 65 && refused.standardError.contains("\(name):\(line):"), "\(refused.standardError)")
        }
    }

    @Test("a quoted cell with a tab or a line break in a .tsv file is refused with what to do; a pipe as data, too")
    func refusals() async throws {
        let job = try TinyJob()
        for text in ["\"a\nfilm\"\tgood\n", "\"a\tfilm\"\tgood\n"] {
            try job.write("text\tlabel\n" + text, to: "bad.tsv")
            let result = try await job.train("run", "--dry-run", "--set", "data.train=\(job.path)/bad.tsv")
            #expect(
                result.status == 65 && result.standardError.contains("use .csv or .jsonl"), "\(result.standardError)")
        }
        #expect(mkfifo(job.path + "/pipe.tsv", 0o600) == 0)
        let pipe = try await job.train("run", "--dry-run", "--set", "data.train=\(job.path)/pipe.tsv")
        #expect(pipe.status == 65 && pipe.standardError.contains("a pipe or a device"), "\(pipe.standardError)")
        let comment = try await job.train("run", "--dry-run", "--set", "data.text=a #b")
        #expect(
            comment.status == 64 && comment.standardError.contains("# begins a comment"), "\(comment.standardError)")
    }
}

@Suite("Predictions", .serialized)
struct PredictTests {
    private func trained(_ settings: String...) async throws -> TinyJob {
        let job = try TinyJob()
        let lines = TinyJob.lines.map {
            "{\"review\": \"\($0.text)\", \"other\": \"the end\", \"label\": \"\($0.label)\"}"
        }
        try job.write(lines.joined(separator: "\n") + "\n", to: "train.jsonl")
        let options = ["data.train=\(job.path)/train.jsonl", "data.text=review", "data.test=null"] + settings
        let result = try await job.train("run", options.flatMap { ["--set", $0] })
        #expect(result.status == 0, "\(result.standardError)")
        return job
    }

    @Test("JSON Lines are known as such after a mark, blank lines, and by the run's own column")
    func jsonLines() async throws {
        let job = try await trained()
        func predict(_ input: String) async throws -> JobResult {
            try await rankwise("predict", "--adapter", job.path + "/run", input: input)
        }
        let expected = try await predict("a good film\n").standardOutput
        for input in [
            "{\"text\": \"a good film\"}\n", "\u{FEFF}{\"text\": \"a good film\"}\n",
            "\n  \n{\"text\": \"a good film\"}\n",
            "{\"review\": \"a good film\"}", "{\"review\": \"a good film\", \"label\": 3}\r\n", "\u{FEFF}a good film\n",
            "{\"review\": \"first\", \"review\": \"a good film\"}\n",
        ] {
            let result = try await predict(input)
            #expect(result.status == 0 && result.standardOutput == expected, "\(input): \(result.standardError)")
        }
        for input in [
            "{\"text\": null}\n", "{\"text\": 5}\n", "[\"a good film\"]\n", "{\"other\": \"a good film\"}\n",
            "\u{FEFF}{\"txt\": \"a\"}\n", "{\"text\": \"a\", \"text_pair\": \"b\"}\n",
        ] {
            let result = try await predict(input)
            #expect(result.status == 65 && result.standardOutput.isEmpty, "\(input): \(result.standardOutput)")
            #expect(result.standardError.contains("standard input:1:"), "\(result.standardError)")
        }
        // Blank lines are texts among texts, and what comes before a bad line is answered.
        #expect(try await predict("\na good film\n\n").standardOutput.split(separator: "\n").count == 3)
        let broken = try await predict(
            String(repeating: "{\"text\": \"a good film\"}\n", count: 40) + "{\"text\": 5}\n{\"text\": \"x\"}\n")
        #expect(broken.status == 65 && broken.standardError.contains("standard input:41:"))
        #expect(broken.standardOutput == String(repeating: expected, count: 40))
    }

    @Test("a model of pairs is given pairs")
    func pairs() async throws {
        let job = try await trained("data.text_pair=other")
        let single = try await rankwise("predict", "--adapter", job.path + "/run", input: "a good film\n")
        #expect(single.status == 65 && single.standardError.contains("trained on pairs"), "\(single.standardError)")
        let pair = try await rankwise(
            "predict", "--adapter", job.path + "/run", input: "{\"review\": \"a good film\", \"other\": \"the end\"}\n")
        #expect(pair.status == 0, "\(pair.standardError)")
        let plain = try await rankwise(
            "predict", "--adapter", job.path + "/run",
            input: "{\"text\": \"a good film\", \"text_pair\": \"the end\"}\n")
        #expect(plain.standardOutput == pair.standardOutput)
    }

    @Test(
        "each line is answered before the next is written, with the bytes of a batch",
        arguments: ["predict", "tokenize"])
    func pipe(command: String) async throws {
        let job = try await trained()
        let options =
            command == "predict"
            ? ["predict", "--adapter", job.path + "/run"] : ["tokenize", "--model", Fixture.path("tiny-bert")]
        let texts = ["a good film", "a bad film", "the end"].map { "{\"text\": \"\($0)\"}\n" }
        let batch = try await rankwise(options, input: texts.joined())
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: try builtExecutable(named: "rankwise"))
        process.arguments = options
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        // If no answer comes, the process is ended, and the read below with it.
        let timeout = Task.detached {
            try await Task.sleep(for: .seconds(60))
            kill(process.processIdentifier, SIGKILL)
        }
        var answers = ""
        for text in texts {
            try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
            let lines = answers.split(separator: "\n").count
            while answers.split(separator: "\n").count == lines || !answers.hasSuffix("\n") {
                let data = output.fileHandleForReading.availableData
                guard !data.isEmpty else { break }
                answers += String(decoding: data, as: UTF8.self)
            }
            #expect(answers.split(separator: "\n").count == lines + 1)
        }
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        timeout.cancel()
        #expect(process.terminationStatus == 0)
        #expect(answers == batch.standardOutput)
    }
}
