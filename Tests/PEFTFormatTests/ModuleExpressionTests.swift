import Foundation
import JSONText
import Testing

@testable import PEFTFormat

@Suite("Expressions over modules' paths")
struct ModuleExpressionTests {
    /// What Python says; see Tests/goldens/make_adapter_goldens.py.
    private struct Golden: Decodable {
        let paths: [String]
        /// A 1 for each of the paths that an expression matches.
        let expressions: [String: String]
        let refused: [String]
    }

    private let golden: Golden

    init() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        golden = try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: folder.appending(path: "Fixtures/module-expressions.json")))
    }

    private func pattern(_ json: String) throws -> ModulePattern {
        let bytes = Array(json.utf8)
        return try ModulePattern(try JSONParser.parse(bytes, in: bytes.indices).members ?? [], place: "file: pattern")
    }

    @Test("match the paths that PEFT matches")
    func matches() throws {
        #expect(golden.expressions.count > 50)
        for (text, expected) in golden.expressions {
            let expression = try ModuleExpression(text)
            let found = golden.paths.map { path in
                var effort = 1_000_000
                return expression.matches(Array(path.unicodeScalars), effort: &effort) ? "1" : "0"
            }
            #expect(found.joined() == expected, "\(text)")
        }
    }

    @Test("that are none, or of which Python's meaning is not kept, are refused")
    func refused() {
        for text in golden.refused {
            #expect(throws: ModuleExpressionError.self, "\(text)") { try ModuleExpression(text) }
        }
    }

    @Test("the first in the file that matches gives the number, and a key that stands twice has its first place")
    func order() throws {
        let first = try pattern(#"{"query": 1, "self.query": 2, ".*": 3}"#)
        #expect(try first.values(for: ["a.self.query", "a.key", "query"]) == [1, 3, 1])
        let second = try pattern(#"{"self.query": 2, "query": 1}"#)
        #expect(try second.values(for: ["a.self.query", "a.key", "query"]) == [2, nil, 1])
        #expect(try pattern(#"{"query": 1, "self.query": 2, "query": 4}"#).values(for: ["a.self.query"]) == [4])
    }

    @Test(
        "that keep Python busy for ever are followed, or given up, at once",
        arguments: [
            "(.*)*x", "((.*)*)*x", "(a*)*(b*)*(a|b|ab)*x", "(?=(.*(?=.*(?=.*x))))y", "((a|){1000}){1000}",
            "(((a*)+)+)+b",
        ])
    func hostile(text: String) throws {
        let module = String(repeating: "ab", count: 500)
        let clock = ContinuousClock()
        let time = clock.measure {
            do {
                #expect(try pattern("{\"\(text)\": 1}").values(for: [module]) == [nil])
            } catch {
                #expect("\(error)".contains("takes too long"), "\(error)")
            }
        }
        // Generous: a machine may be busy, and a debug build takes many times what is needed.
        #expect(time < .seconds(60), "\(text)")
    }
}
