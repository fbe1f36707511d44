internal import Foundation

/// An executable that should have been built, but is not there.
public struct MissingExecutableError: Error, CustomStringConvertible {
    public let description: String
}

/// The path of the executable product `name` of this package, from the folder that holds the running tests, whatever
/// the scratch path.
///
/// - Throws: ``MissingExecutableError`` with the folders that were searched.
public func builtExecutable(named name: String) throws -> String {
    let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let started = URL(fileURLWithPath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let folders =
        [tests, started].flatMap {
            [$0.deletingLastPathComponent(), $0.deletingLastPathComponent().deletingLastPathComponent()]
        }
        + [sources.appending(path: ".build/debug")]
    for folder in folders {
        let file = folder.appending(path: name)
        if FileManager.default.isExecutableFile(atPath: file.path), !isFolder(file) { return file.path }
    }
    throw MissingExecutableError(
        description: "no executable \(name) in \(folders.map(\.path).joined(separator: ", ")); build the package first")
}

private func isFolder(_ file: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder) && isFolder.boolValue
}
