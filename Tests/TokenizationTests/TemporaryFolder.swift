import Foundation

let fixtures = Fixture.folder

/// A folder of its own for one test, with the files that the test writes; removed with it.
final class TemporaryFolder {
    private let url = FileManager.default.temporaryDirectory.appendingPathComponent(
        "tokenizer-tests-\(UUID().uuidString)")
    var path: String { url.path }

    init() throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    convenience init(_ files: [String: String]) throws {
        try self.init()
        for (name, content) in files { try write(Array(content.utf8), to: name) }
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = url.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file.path
    }

    func copyFixture(_ fixture: String, as name: String) throws {
        try FileManager.default.copyItem(
            at: fixtures.appendingPathComponent(fixture), to: url.appendingPathComponent(name))
    }
}
