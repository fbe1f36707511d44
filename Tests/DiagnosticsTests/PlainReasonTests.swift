import Diagnostics
import Foundation
import Testing

@Suite("Reasons of the system in plain words")
struct PlainReasonTests {
    private func reason(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return plainReason(error)
        }
    }

    @Test("are the system's own, whatever Foundation wraps around them")
    func foundation() {
        let manager = FileManager.default
        #expect(
            reason { _ = try Data(contentsOf: URL(fileURLWithPath: "/nowhere/at/all")) } == "No such file or directory")
        #expect(
            reason { try manager.createDirectory(atPath: "/dev/null/below", withIntermediateDirectories: true) }
                == "Not a directory")
        #expect(reason { try manager.removeItem(atPath: "/nowhere/at/all") } == "No such file or directory")
        #expect(reason { _ = try Data(contentsOf: URL(fileURLWithPath: "/")) } == "Is a directory")
    }
}
