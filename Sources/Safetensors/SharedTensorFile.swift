import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A new safetensors file that several processes which see its folder write together, each its parts.
///
/// One creates it, under a name of its own; the others open it; all write and synchronise; when all have, one gives it its
/// final name with ``DurableFile/move(_:toNew:)``, so that what has that name is whole.
public final class SharedTensorFile {
    public let path: String
    public let layout: SafetensorsLayout
    private let descriptor: Int32

    /// Creates the file with its header, and takes the space for all its tensors.
    ///
    /// - Throws: ``SafetensorsError``, also if the disk has not enough space; nothing is left then.
    public init(creating path: String, layout: SafetensorsLayout) throws(SafetensorsError) {
        self.path = path
        self.layout = layout
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure(path, "cannot be created", errno) }
        let code = posix_fallocate(descriptor, 0, layout.byteCount)
        guard code == 0 else {
            unlink(path)
            throw Self.failure(path, "no place for \(layout.byteCount) bytes", code)
        }
        do {
            try layout.header.withUnsafeBytes { try put($0, at: 0) }
        } catch {
            unlink(path)
            throw error as? SafetensorsError
                ?? SafetensorsError(.inputOutput, "\(path): cannot be written (\(plainReason(error)))")
        }
    }

    /// Opens the file that another process created.
    public init(opening path: String, layout: SafetensorsLayout) throws(SafetensorsError) {
        self.path = path
        self.layout = layout
        descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Self.failure(path, "cannot be opened; all processes must see its folder", errno)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Writes some bytes of a tensor.
    ///
    /// - Precondition: they lie within it.
    public func write(_ bytes: UnsafeRawBufferPointer, of tensor: String, at offset: Int) throws(SafetensorsError) {
        let range = layout.range(of: tensor)
        precondition(offset >= 0 && offset + bytes.count <= range.count)
        try put(bytes, at: range.lowerBound + offset)
    }

    /// Waits until what this process wrote is on the disk.
    public func synchronize() throws(SafetensorsError) {
        guard fsync(descriptor) == 0 else { throw Self.failure(path, "cannot be synchronised", errno) }
    }

    private func put(_ bytes: UnsafeRawBufferPointer, at start: Int) throws(SafetensorsError) {
        var (rest, place) = (bytes, start)
        while !rest.isEmpty {
            let written = pwrite(descriptor, rest.baseAddress, rest.count, place)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Self.failure(path, "cannot be written", errno) }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            place += written
        }
    }

    private static func failure(_ path: String, _ what: String, _ code: Int32) -> SafetensorsError {
        SafetensorsError(
            .inputOutput, "\(path): \(what) (\(String(cString: strerror(code)))); check space and permissions")
    }
}
