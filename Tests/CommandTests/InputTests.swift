import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("Texts on standard input", .serialized)
struct InputTests {
    private static let single = ["--adapter", Fixture.path("tiny-bert-classifier")]

    private func predict(_ input: String, _ more: [String] = [], adapter: [String] = single) async throws -> JobResult {
        try await rankwise(["predict"] + adapter + more, input: input)
    }

    @Test(
        "JSON Lines are recognised behind a byte order mark and blank lines, and of a key that stands twice the last counts"
    )
    func recognised() async throws {
        let plain = try await predict("a bad film\n")
        #expect(plain.status == 0, "\(plain.standardError)")
        #expect(plain.standardOutput.split(separator: "\n").count == 1)
        for input in [
            #"{"text": "a bad film"}"#, "\u{FEFF}{\"text\": \"a bad film\"}\n", "\n \n{\"text\": \"a bad film\"}\n\n",
            #"{"text": "x", "text": "a bad film"}"#, "\u{FEFF}a bad film\r\n",
        ] {
            let result = try await predict(input)
            #expect(
                result.status == 0 && result.standardOutput == plain.standardOutput, "\(input): \(result.standardError)"
            )
        }
        let quoted = try await predict("\"a bad film\"\n")
        #expect(quoted.status == 0 && quoted.standardError.contains("quotes around the text"))
        let blank = try await predict("\n\na bad film\n\n")
        #expect(blank.standardOutput.split(separator: "\n").count == 4)
        #expect(try await predict("\n").standardOutput.split(separator: "\n").count == 1)
    }

    @Test(
        "JSON that is no sample is refused by its line, and not taken for a text unless --input says so",
        arguments: [
            (#"{"review": "a bad film"}"#, "\"review\""), (#"{"text": null}"#, "null"), (#"{"text": 5}"#, "a number"),
            (#"{"text": ["a"]}"#, "an array"), (#"["a bad film"]"#, "a JSON array"),
            (#"{"text": "a bad film""#, "not JSON"),
        ])
    func refused(input: String, message: String) async throws {
        for mark in ["", "\u{FEFF}"] {
            let result = try await predict(mark + input + "\n")
            #expect(result.status == 65 && result.standardOutput.isEmpty, "\(result.standardOutput)")
            #expect(result.standardError.hasPrefix("rankwise: standard input:1: "), "\(result.standardError)")
            #expect(result.standardError.contains(message) && result.standardError.contains("--input lines"))
        }
        let lines = try await predict(input + "\n", ["--input", "lines"])
        #expect(lines.status == 0 && lines.standardOutput.split(separator: "\n").count == 1)
    }

    @Test("a bad line costs no answer to the lines before it")
    func badLine() async throws {
        let good = #"{"text": "a bad film"}"# + "\n"
        let whole = try await predict(String(repeating: good, count: 39))
        let result = try await predict(String(repeating: good, count: 39) + "{\"text\": 3}\n" + good)
        #expect(result.status == 65 && result.standardError.contains("standard input:40: "), "\(result.standardError)")
        #expect(result.standardOutput == whole.standardOutput)
    }

    @Test("the columns of the training are keys of a line; pairs and single texts are not taken for each other")
    func columns() async throws {
        let job = try TinyJob()
        let rows = TinyJob.lines.map { (text, label) in "\(text)\tthe film\t\(label)\n" }.joined()
        try job.write("review\tother\tlabel\n" + rows, to: "pairs.tsv")
        let settings = ["data.train=\(job.path)/pairs.tsv", "data.test=null", "data.text=review", "total_step=20"]
            .flatMap { ["--set", $0] }
        #expect(try await job.train("single", settings).status == 0)
        #expect(try await job.train("pair", settings + ["--set", "data.text_pair=other"]).status == 0)
        let single = ["--adapter", job.path + "/single"]
        let pair = ["--adapter", job.path + "/pair"]

        let plain = try await predict("a fine film\n", adapter: single)
        #expect(
            try await predict(#"{"review": "a fine film"}"#, adapter: single).standardOutput == plain.standardOutput)
        #expect(try await predict(#"{"text": "a fine film"}"#, adapter: single).standardOutput == plain.standardOutput)
        #expect(
            try await predict(#"{"text": "x", "review": "a fine film"}"#, adapter: single).standardOutput
                == plain.standardOutput)
        let tooMany = try await predict(#"{"text": "a fine film", "text_pair": "b"}"#, adapter: single)
        #expect(tooMany.status == 65 && tooMany.standardError.contains("trained on single texts"), "\(tooMany)")

        let both = try await predict(#"{"review": "a fine film", "other": "the music"}"#, adapter: pair)
        #expect(both.status == 0, "\(both.standardError)")
        #expect(
            try await predict(#"{"text": "a fine film", "text_pair": "the music"}"#, adapter: pair).standardOutput
                == both.standardOutput)
        for input in ["a fine film", #"{"review": "a fine film"}"#, #"{"review": "a fine film", "other": null}"#] {
            let tooFew = try await predict(input + "\n", adapter: pair)
            #expect(
                tooFew.status == 65 && tooFew.standardError.contains("standard input:1: a single text"), "\(tooFew)")
        }
    }

    @Test(
        "through a pipe every line is answered before the next is written, with the bytes of a batch",
        arguments: ["predict", "tokenize"])
    func pipe(command: String) async throws {
        let arguments =
            command == "predict" ? ["predict"] + Self.single : ["tokenize", "--model", Fixture.path("tiny-bert")]
        let lines = ["a good film", "a bad film", "dull"].map { "{\"text\": \"\($0)\"}\n" }
        let batch = try await rankwise(arguments, input: lines.joined())
        #expect(batch.status == 0, "\(batch.standardError)")

        let process = Process()
        process.executableURL = URL(fileURLWithPath: try builtExecutable(named: "rankwise"))
        process.arguments = arguments
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        defer { process.terminate() }
        var answers = ""
        for line in lines {
            // In two pieces: half a line is no line.
            try input.fileHandleForWriting.write(contentsOf: Data(line.utf8.prefix(7)))
            try await Task.sleep(for: .milliseconds(50))
            try input.fileHandleForWriting.write(contentsOf: Data(line.utf8.dropFirst(7)))
            let descriptor = output.fileHandleForReading.fileDescriptor
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            try #require(poll(&ready, 1, 20_000) == 1, "no answer to \(line)")
            answers += String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        }
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(answers == batch.standardOutput)
    }
}
