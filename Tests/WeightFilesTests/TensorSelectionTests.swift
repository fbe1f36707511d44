import Diagnostics
import FixtureFiles
import Foundation
import Safetensors
import Testing

@testable import WeightFiles

@Suite("Tensors are chosen")
struct TensorSelectionTests {
    @Test(
        "by patterns in which * and ? stand for characters",
        arguments: [
            ("a.b", "a.b", true), ("a.b", "a.bc", false), ("*", "", true), ("*.weight", "x.y.weight", true),
            ("*.weight", "x.weights", false), ("a*c*e", "abcde", true), ("a*c*e", "abcd", false), ("?.1", "x.1", true),
            ("?.1", ".1", false), ("**", "x", true), ("", "", true), ("", "x", false), ("*a", "aaab", false),
            ("[ab]", "a", false),
        ])
    func patterns(pattern: String, name: String, matches: Bool) {
        #expect(TensorPattern(pattern).matches(name) == matches)
    }

    @Test("in no long time, whatever the stars", .timeLimit(.minutes(1)))
    func manyStars() {
        let pattern = String(repeating: "*a", count: 200) + "b"
        #expect(!TensorPattern(pattern).matches(String(repeating: "a", count: 4_000)))
    }

    private func choose(_ patterns: [String], need: TensorSelection.Need = .matrix, all: Bool = false) throws
        -> [String]
    {
        let path = Fixture.path("tiny-bert/model.safetensors")
        let file = try SafetensorsFile(path: path)
        let tensors = file.tensorNames.compactMap { file.tensor(named: $0) }
        return try TensorSelection(patterns, among: tensors, need: need, all: all, use: "test", path: path).tensors
            .map(\.name)
    }

    @Test("matrices, where nothing is said; all, where that is meant")
    func defaults() throws {
        let matrices = try choose([])
        #expect(matrices.contains("embeddings.word_embeddings.weight") && !matrices.contains { $0.hasSuffix("bias") })
        #expect(try choose([], need: .numbers) == matrices)
        #expect(try choose([], need: .numbers, all: true).contains { $0.hasSuffix("bias") })
    }

    @Test("leaving out, under a star, what cannot be taken; refusing it where it is named")
    func vectors() throws {
        #expect(try choose(["encoder.layer.0.output.dense.*"]) == ["encoder.layer.0.output.dense.weight"])
        #expect(try choose(["*.output.dense.bias"], need: .numbers).allSatisfy { $0.hasSuffix("bias") })
        for pattern in ["encoder.layer.0.output.dense.bias", "*.bias"] {
            #expect(throws: WeightFileError.self) { try choose([pattern]) }
        }
    }

    @Test("or the nearest name is told")
    func unknown() throws {
        do {
            _ = try choose(["embeddings.word_embedings.weight"])
            Issue.record("found a tensor that is not there")
        } catch let error as WeightFileError {
            #expect(error.kind == .usage)
            #expect(error.description.contains("did you mean 'embeddings.word_embeddings.weight'?"))
        }
    }
}

@Suite("Work is dealt")
struct DealingTests {
    @Test("every piece once, the heaviest process at most one piece above the mean", arguments: 1...6)
    func balance(processes: Int) {
        let costs = (0..<50).map { Double(($0 * 37) % 101) }
        let dealt = deal(costs, processCount: processes)
        #expect(dealt.count == processes && dealt.flatMap(\.self).sorted() == Array(0..<50))
        #expect(dealt.allSatisfy { $0 == $0.sorted() })
        let loads = dealt.map { $0.reduce(0) { $0 + costs[$1] } }
        #expect((loads.max() ?? 0) <= costs.reduce(0, +) / Double(processes) + 100)
    }

    @Test("to more processes than there is work")
    func few() {
        #expect(deal([1], processCount: 3) == [[0], [], []])
        #expect(deal([], processCount: 2) == [[], []])
    }
}
