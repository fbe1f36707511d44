import FixtureFiles
import Foundation
import MultiProcessTesting
import Testing

@Suite("Replaying PEFT's allocator")
struct AllocateTests {
    private struct Replay: Decodable {
        struct Step: Decodable {
            let step: Int
            let budget: Int?
            let kept: [String: [Bool]]?
            let scores: [String: [Double]]
        }

        let steps: [Step]
    }

    @Test("every decision equals PEFT's, every score within 1e-5")
    func trace() async throws {
        let result = try await rankwise(
            "allocate", "--trace", Fixture.path("trace-small.safetensors"), "--output", "-")
        #expect(result.status == 0, "\(result.standardError)")
        let found = try JSONDecoder().decode(Replay.self, from: Data(result.standardOutput.utf8))
        let expected = try JSONDecoder().decode(
            Replay.self, from: Data(contentsOf: URL(fileURLWithPath: Fixture.path("trace-small.expected.json"))))
        #expect(found.steps.count == 40)
        var decisions = 0
        for (step, peft) in zip(found.steps, expected.steps) {
            #expect(step.step == peft.step && step.budget == peft.budget)
            #expect(step.kept == peft.kept, "step \(step.step)")
            decisions += step.kept == nil ? 0 : 1
            for (module, scores) in peft.scores {
                for (a, b) in zip(step.scores[module] ?? [], scores) { #expect(abs(a - b) <= 1e-5 * abs(b)) }
                #expect(step.scores[module]?.count == scores.count)
            }
        }
        #expect(decisions == 7)
    }
}
