import Diagnostics
public import Foundation
import Safetensors

/// What a checkpoint says of itself: everything of a run's state that is not an array, and the digest of every array's
/// file. Nothing in it depends on how many processes wrote it but the list of shards.
public struct CheckpointManifest: Codable, Sendable, Equatable {
    /// The version that this program writes, and the newest that it reads.
    public static let currentVersion = 1
    public static let fileName = "manifest.json"
    /// Bytes that a manifest may have: a million triplets and ten thousand shards have less.
    private static let longest = 64 << 20

    public struct Shard: Codable, Sendable, Equatable {
        /// Name within the checkpoint's folder.
        public let file: String
        public let bytes: Int
        public let sha256: String
        /// The rows and elements that it holds, among those of the whole layout: from first to before end.
        public let firstRow: Int
        public let endRow: Int
        public let firstElement: Int
        public let endElement: Int

        public init(
            file: String, bytes: Int, sha256: String, rows: Range<Int>, elements: Range<Int>
        ) {
            self.file = file
            self.bytes = bytes
            self.sha256 = sha256
            firstRow = rows.lowerBound
            endRow = rows.upperBound
            firstElement = elements.lowerBound
            endElement = elements.upperBound
        }
    }

    /// The computer's part in the bits of a state.
    public struct Origin: Codable, Sendable, Equatable {
        /// The processor type whose kernels BLAS used.
        public let kernelType: String
        /// SHA-256 of the program.
        public let program: String

        public init(kernelType: String, program: String) {
            self.kernelType = kernelType
            self.program = program
        }
    }

    public var formatVersion: Int
    /// Steps that are done.
    public var step: Int
    public var seed: Int
    public var gradientLanes: Int
    /// The resolved configuration, as YAML.
    public var configuration: String
    public var configurationDigest: String
    public var modelDigest: String
    public var dataDigest: String
    /// Of the adapter that the run started from, if it started from one.
    public var initialAdapterDigest: String
    /// What the state was computed with: another processor type, or another program, gives other last bits.
    public var origin: Origin
    /// Samples drawn so far from the endless stream of sample indices.
    public var dataPosition: Int
    /// Steps whose gradient was not finite and was left out.
    public var skippedSteps: Int
    /// Of these, the latest ones in a row.
    public var skippedInARow: Int
    /// One character for each triplet, in order: 1 if the latest decision kept it (or none has fallen yet).
    public var mask: String
    /// Rows and elements of the whole layout.
    public var rowCount: Int
    public var elementCount: Int
    public var shards: [Shard]
    /// Of the manifest's file, taken with this field empty.
    public var digest: String

    public init(
        step: Int, seed: Int, gradientLanes: Int, configuration: String, configurationDigest: String,
        modelDigest: String, dataDigest: String, initialAdapterDigest: String, origin: Origin, dataPosition: Int,
        skippedSteps: Int, skippedInARow: Int, mask: [Bool], rowCount: Int, elementCount: Int,
        shards: [Shard]
    ) {
        formatVersion = Self.currentVersion
        self.step = step
        self.seed = seed
        self.gradientLanes = gradientLanes
        self.configuration = configuration
        self.configurationDigest = configurationDigest
        self.modelDigest = modelDigest
        self.dataDigest = dataDigest
        self.initialAdapterDigest = initialAdapterDigest
        self.origin = origin
        self.dataPosition = dataPosition
        self.skippedSteps = skippedSteps
        self.skippedInARow = skippedInARow
        self.mask = String(mask.map { $0 ? "1" : "0" })
        self.rowCount = rowCount
        self.elementCount = elementCount
        self.shards = shards
        digest = ""
    }

    /// The mask by triplet.
    public var keptTriplets: [Bool] { mask.map { $0 == "1" } }

    private static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return encoder
    }

    /// How the digest stands in the file, before and after its value.
    private static let digestField = (before: Data("\"digest\" : \"".utf8), after: UInt8(ascii: "\""))

    /// The file's contents, with the digest filled in.
    public func encoded() throws(CheckpointError) -> Data {
        var copy = self
        copy.digest = ""
        guard var contents = try? Self.encoder().encode(copy),
            let field = contents.firstRange(of: Self.digestField.before)
        else { throw CheckpointError(.inputOutput, "the manifest of step \(step) cannot be encoded") }
        contents.insert(contentsOf: FileDigest.hexadecimal(of: contents).utf8, at: field.upperBound)
        return contents
    }

    /// Whether the digest in the file's contents is that of its contents without it. Every byte counts, also where JSON
    /// would not care.
    private static func digestMatches(_ contents: Data) -> Bool {
        guard let field = contents.firstRange(of: digestField.before),
            let end = contents[field.upperBound...].firstIndex(of: digestField.after)
        else { return false }
        var rest = contents
        rest.removeSubrange(field.upperBound..<end)
        return contents[field.upperBound..<end] == Data(FileDigest.hexadecimal(of: rest).utf8)
    }

    /// - Parameter path: of the file, for messages.
    public init(contents: Data, path: String) throws(CheckpointError) {
        guard contents.count <= Self.longest, UnsortableText.offset(in: contents) == nil else {
            throw CheckpointError(.badData, "\(path): not a manifest; the checkpoint is damaged")
        }
        struct Version: Decodable { let formatVersion: Int }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let version = try? decoder.decode(Version.self, from: contents).formatVersion else {
            throw CheckpointError(.badData, "\(path): not a manifest; the checkpoint is damaged")
        }
        guard version == Self.currentVersion else {
            throw CheckpointError(
                .badData,
                "\(path): format version \(version), this program reads \(Self.currentVersion); use a newer version of it"
            )
        }
        guard Self.digestMatches(contents) else {
            throw CheckpointError(
                .badData, "\(path): its digest differs from what it says; the file was edited or is damaged")
        }
        guard let manifest = try? decoder.decode(CheckpointManifest.self, from: contents) else {
            throw CheckpointError(
                .badData, "\(path): a field is missing or of the wrong type; the checkpoint is damaged")
        }
        self = manifest
        try checkConsistency(path)
    }

    private func checkConsistency(_ path: String) throws(CheckpointError) {
        var (row, element, total) = (0, 0, 0)
        for (index, shard) in shards.enumerated() {
            guard shard.file == Self.shardName(index), shard.firstRow == row, shard.firstElement == element,
                shard.endRow >= row, shard.endElement >= element
            else {
                throw CheckpointError(
                    .badData, "\(path): shard \(index) ('\(shard.file)') does not continue the one before it")
            }
            (row, element) = (shard.endRow, shard.endElement)
            let sum = total.addingReportingOverflow(shard.bytes)
            guard shard.bytes >= 0, !sum.overflow else {
                throw CheckpointError(.badData, "\(path): shard \(index) has \(shard.bytes) bytes")
            }
            total = sum.partialValue
        }
        guard row == rowCount, element == elementCount, step >= 0, dataPosition >= 0, skippedSteps >= 0,
            skippedInARow >= 0,
            mask.allSatisfy({ $0 == "0" || $0 == "1" })
        else {
            throw CheckpointError(
                .badData,
                "\(path): its shards hold \(row) rows and \(element) elements, expected \(rowCount) and \(elementCount)"
            )
        }
    }

    /// Bytes of all shards.
    public var byteCount: Int { shards.reduce(0) { $0 + $1.bytes } }

    /// The file name of a shard.
    public static func shardName(_ index: Int) -> String {
        let digits = String(index)
        return "shard-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits + ".safetensors"
    }
}
