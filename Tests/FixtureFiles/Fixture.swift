public import Foundation

/// The files under `Tests/Fixtures`, and the real model and data where they have been fetched.
public enum Fixture {
    /// The package's folder.
    public static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The path of a file or folder under `Tests/Fixtures`.
    public static func path(_ name: String) -> String { package.path + "/Tests/Fixtures/" + name }

    /// A JSON file under `Tests/Fixtures`.
    public static func json<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    /// The folder that `launch/fetch-data.sh` fills, if it has: `RANKWISE_DATA`, or `data/` in the package.
    public static let data: String? = {
        let folder = ProcessInfo.processInfo.environment["RANKWISE_DATA"] ?? package.path + "/data"
        return FileManager.default.fileExists(atPath: folder + "/minilm/config.json") ? folder : nil
    }()

    /// An empty folder of its own, removed when the value goes.
    public final class TemporaryFolder: Sendable {
        public let path: String

        public init() throws {
            let url = FileManager.default.temporaryDirectory.appending(path: "rankwise-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            path = url.path
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }
}
