import Foundation
import MultiProcessTesting
import Testing

/// Runs the harness of `hostile-files` as anyone would.
@Suite("Hostile files")
struct HostileFilesTests {
    @Test("no reader traps, hangs or breaks a promise on 4,000 mutated files")
    func everyReader() throws {
        let (status, output) = try run("--inputs", "4000", "--seed", "2026")
        #expect(status == 0, "\(output)")
    }

    @Test("the harness finds each kind of failure that it looks for")
    func harnessItself() throws {
        let (status, output) = try run("--inputs", "70", "--reader", "faulty", "--hang-after", "4")
        #expect(status == 70)
        for index in [1, 10, 20, 30, 40, 50, 60] {
            #expect(output.contains("--only \(index):"), "the failure at \(index) was not found: \(output)")
        }
        #expect(output.contains("still reading after 4 s"))
    }

    private func run(_ arguments: String...) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try builtExecutable(named: "hostile-files"))
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }
}
