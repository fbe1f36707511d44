import Diagnostics
import FixtureFiles
import Foundation
import Testing

@testable import Safetensors

@Suite("Durable files")
struct DurableFileTests {
    private let folder: Fixture.TemporaryFolder
    private var path: String { folder.path + "/file" }

    init() throws { folder = try Fixture.TemporaryFolder() }

    private var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] }

    @Test("hold what was written, nothing and much", arguments: [0, 1, 3_000_000])
    func write(count: Int) throws {
        let contents = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try DurableFile.write(Data("older and longer".utf8), to: path)
        try DurableFile.write(contents, to: path)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == contents)
        try DurableFile.replace(path, with: contents + [1])
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == contents + [1])
        #expect(names == ["file"])
    }

    @Test("a reader never sees a part of a file that is replaced")
    func wholeOrNotAtAll() async throws {
        let path = path
        let versions = (0..<2).map { Data(repeating: UInt8($0), count: 1_000_000 + $0) }
        try DurableFile.replace(path, with: versions[0])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for turn in 1...20 { try DurableFile.replace(path, with: versions[turn % 2]) }
            }
            for _ in 0..<50 { #expect(versions.contains(try Data(contentsOf: URL(fileURLWithPath: path)))) }
            try await group.waitForAll()
        }
        #expect(names == ["file"])
    }

    @Test("one that must be new never takes another's place, and appears whole or not at all")
    func create() throws {
        try DurableFile.create(path) { try DurableFile.write(Data("new".utf8), to: $0) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("new".utf8))
        let error = #expect(throws: SafetensorsError.self) {
            try DurableFile.create(path) { try DurableFile.write(Data("newer".utf8), to: $0) }
        }
        #expect(error?.kind == .usage)
        // One that comes while the body writes.
        #expect(throws: SafetensorsError.self) {
            try DurableFile.create(path + "2") { partial in
                try DurableFile.write(Data("late".utf8), to: partial)
                try DurableFile.write(Data("first".utf8), to: path + "2")
            }
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path + "2")) == Data("first".utf8))
        #expect(throws: CancellationError.self) {
            try DurableFile.create(path + "3") { partial in
                try DurableFile.write(Data("half".utf8), to: partial)
                throw CancellationError()
            }
        }
        #expect(names.sorted() == ["file", "file2"])
    }

    @Test("a replacement that fails leaves the old file and nothing else")
    func failedReplacement() throws {
        // A folder that is not empty cannot be replaced by a file.
        try FileManager.default.createDirectory(atPath: path + "/inside", withIntermediateDirectories: true)
        let error = #expect(throws: SafetensorsError.self) { try DurableFile.replace(path, with: Data("new".utf8)) }
        #expect(error?.kind == .inputOutput)
        #expect(error?.description.contains("\(path): cannot be replaced") == true)
        #expect(names == ["file"])
        #expect(FileManager.default.fileExists(atPath: path + "/inside"))
    }

    @Test("a folder that is not there is a failure of output")
    func missingFolder() throws {
        for body in [
            { try DurableFile.write(Data(), to: "/nowhere/file") },
            { try DurableFile.replace("/nowhere/file", with: Data()) },
            { try DurableFile.synchronizeFolder("/nowhere") },
        ] {
            let error = #expect(throws: SafetensorsError.self) { try body() }
            #expect(error?.kind == .inputOutput)
            #expect(error?.description.contains("/nowhere") == true)
        }
    }

    @Test("a full disk is a failure of output that says so")
    func fullDisk() throws {
        let error = #expect(throws: SafetensorsError.self) {
            try DurableFile.write(Data("some".utf8), to: "/dev/full")
        }
        #expect(error?.kind == .inputOutput)
        #expect(error?.description.contains("No space left") == true)
    }

    @Test("a name without a folder is in the working directory")
    func relativeName() throws { try DurableFile.synchronizeFolder("") }
}
