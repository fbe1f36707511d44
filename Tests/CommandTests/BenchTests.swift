import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("Benchmarks and forecasts", .serialized)
struct BenchTests {
    private func json(_ result: JobResult) throws -> [String: Any] {
        #expect(result.status == 0, "\(result.standardError)")
        let value = try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8))
        return try #require(value as? [String: Any])
    }

    @Test("a step's parts add up to the step, and its products alone take less", arguments: [1, 2])
    func step(processes: Int) async throws {
        let job = try TinyJob()
        let figures = try json(
            try await rankwise(
                "bench", "step", "--config", job.configPath, "--steps", "5", "--json", processes: processes))
        let step = try #require(figures["stepSeconds"] as? Double)
        let floor = try #require(figures["floorSeconds"] as? Double)
        let parts = try #require(figures["parts"] as? [[String: Any]])
        let sum = parts.compactMap { $0["seconds"] as? Double }.reduce(0, +)
        #expect(figures["processes"] as? Int == processes)
        #expect(step > 0 && floor > 0 && floor < step)
        #expect(sum > 0.1 * step && sum < 3 * step)
        #expect(!FileManager.default.fileExists(atPath: job.folder.path + "/run"), "nothing is written")
    }

    @Test("the update and the decision are timed for each of the shapes")
    func update() async throws {
        let figures = try json(try await rankwise("bench", "update", "--rank", "2", "--rounds", "2", "--json"))
        #expect(figures["entries"] as? Int == 83_016 && figures["triplets"] as? Int == 72)
        #expect(try #require(figures["updateBytesPerSecond"] as? Double) > 0)
        let select = try await rankwise("bench", "select", "--largest", "5", "--rounds", "2")
        #expect(select.status == 0)
        #expect(
            select.standardOutput.split(separator: "\n").map { $0.prefix { $0 != " " } } == ["1000", "10000", "100000"])
        #expect(try await rankwise("bench", "update", "--shapes", "gpt").status == 64)
    }

    @Test("what a forecast says is sent is what is sent")
    func traffic() async throws {
        let job = try TinyJob()
        let measured = try json(
            try await rankwise(
                "bench", "collectives", "--config", job.configPath, "--rounds", "2", "--json", processes: 3))
        let exchanges = try #require(measured["exchanges"] as? [[String: Any]])
        let bytes = exchanges.compactMap { $0["bytes"] as? Int }
        let forecast = try json(
            try await rankwise("plan", "--config", job.configPath, "--processes", "3", "--steps", "1", "--json"))
        let traffic = try #require(forecast["traffic"] as? [String: Int])
        #expect(bytes.count == 3 && bytes.allSatisfy { $0 > 0 })
        #expect(try #require(traffic["reduction"]) <= bytes[0] && #require(traffic["sharing"]) <= bytes[1])
        #expect(try await rankwise("plan", "--config", job.configPath, "--processes", "6").status == 64)
    }

    @Test("a checkpoint and what is read at the start are timed, and the folder is left empty")
    func checkpointAndLoad() async throws {
        let job = try TinyJob()
        let folder = job.folder.path + "/scratch"
        let figures = try json(
            try await rankwise(
                "bench", "checkpoint", "--config", job.configPath, "--folder", folder, "--rounds", "2", "--json",
                processes: 2))
        #expect(try #require(figures["bytes"] as? Int) > 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        #expect(
            try await rankwise("bench", "checkpoint", "--config", job.configPath, "--folder", job.folder.path).status
                == 64)
        let load = try json(try await rankwise("bench", "load", "--config", job.configPath, "--json"))
        #expect(load["samples"] as? Int == TinyJob.lines.count)
    }
}
