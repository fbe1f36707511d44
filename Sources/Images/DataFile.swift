import CZlib
import Diagnostics
import Foundation

/// The bytes of a file, inflated if it is gzipped, and never more of them than the reader asks for.
struct DataFile {
    let path: String
    private let stored: Data

    /// - Throws: ``ImagesError`` if there is no such file, or it cannot be read.
    init(path: String) throws(ImagesError) {
        let type = (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
        guard let type else { throw ImagesError(.missingInput, "\(path): no such file") }
        // A link's own type says nothing of what it leads to; a pipe would be waited for without end.
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let target = (try? FileManager.default.attributesOfItem(atPath: resolved))?[.type] as? FileAttributeType
        guard (target ?? type) == .typeRegular else {
            throw ImagesError(.badData, "\(path): not a regular file, expected a file of images or labels")
        }
        do {
            stored = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        } catch {
            throw ImagesError(.inputOutput, "\(path): cannot be read: \(plainReason(error))")
        }
        if let complaint = GitLFSPointer.complaint(about: stored) {
            throw ImagesError(.badData, "\(path): \(complaint)")
        }
        self.path = path
    }

    private var isGzipped: Bool { stored.starts(with: [0x1F, 0x8B]) }

    /// The first bytes, at most `count`.
    ///
    /// - Throws: ``ImagesError`` if the file is gzipped and damaged.
    func prefix(_ count: Int) throws(ImagesError) -> [UInt8] {
        guard isGzipped else { return [UInt8](stored.prefix(count)) }
        var inflated = [UInt8](repeating: 0, count: count)
        let length = try inflate(into: &inflated)
        return Array(inflated.prefix(length))
    }

    /// All bytes, at most `limit`.
    ///
    /// - Throws: ``ImagesError`` if there are more, or the file is gzipped and damaged.
    func contents(limit: Int) throws(ImagesError) -> [UInt8] {
        guard isGzipped else {
            guard stored.count <= limit else { throw tooLong(limit) }
            return [UInt8](stored)
        }
        // A larger room is tried only when the file has filled the one before.
        var size = min(max(4 * stored.count, 4_096), limit + 1)
        while true {
            var inflated = [UInt8](repeating: 0, count: size)
            let length = try inflate(into: &inflated)
            if length < size { return Array(inflated[..<length]) }
            guard size <= limit else { throw tooLong(limit) }
            size = min(4 * size, limit + 1)
        }
    }

    private func tooLong(_ limit: Int) -> ImagesError {
        ImagesError(
            .badData, "\(path): more than \(limit) bytes, which is more than its header says or a file may have")
    }

    /// Inflates until the file or the room ends; one gzip member after the other.
    private func inflate(into target: inout [UInt8]) throws(ImagesError) -> Int {
        var stream = z_stream()
        guard zlib_begin_gzip(&stream) == Z_OK else {
            throw ImagesError(.inputOutput, "\(path): zlib cannot start; is there memory?")
        }
        defer { inflateEnd(&stream) }
        var written = 0
        var isDamaged = false
        target.withUnsafeMutableBytes { target in
            stored.withUnsafeBytes { stored in
                guard let output = target.bindMemory(to: UInt8.self).baseAddress,
                    let input = stored.bindMemory(to: UInt8.self).baseAddress
                else { return }
                var read = 0
                while written < target.count {
                    let (given, room) = (min(stored.count - read, 1 << 30), min(target.count - written, 1 << 30))
                    stream.next_in = UnsafeMutablePointer(mutating: input + read)
                    stream.avail_in = UInt32(given)
                    stream.next_out = output + written
                    stream.avail_out = UInt32(room)
                    let result = CZlib.inflate(&stream, Z_NO_FLUSH)
                    read += given - Int(stream.avail_in)
                    written += room - Int(stream.avail_out)
                    if result == Z_STREAM_END {
                        guard read < stored.count else { return }
                        inflateReset(&stream)
                    } else if result != Z_OK || (given == 0 && written < target.count) {
                        isDamaged = true
                        return
                    }
                }
            }
        }
        if isDamaged {
            throw ImagesError(
                .badData, "\(path): gzipped and damaged or cut off after \(written) bytes; fetch it again")
        }
        return written
    }
}
