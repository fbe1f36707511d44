import Diagnostics
public import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Files that are on the disk, whole, once a function returns.
public enum DurableFile {
    /// Writes a new file, or replaces the contents of one, and waits until it is on the disk.
    public static func write(_ contents: Data, to path: String) throws(SafetensorsError) {
        do {
            try write(to: path) { write in try contents.withUnsafeBytes { try write($0) } }
        } catch {
            throw error as? SafetensorsError
                ?? SafetensorsError(.inputOutput, "\(path): cannot be written (\(plainReason(error)))")
        }
    }

    /// Replaces a file so that a reader, or a crash, sees the old contents or the new ones, never a part.
    public static func replace(_ path: String, with contents: Data) throws(SafetensorsError) {
        let temporary = path + ".\(getpid()).partial"
        do throws(SafetensorsError) {
            try write(contents, to: temporary)
        } catch {
            unlink(temporary)
            throw error
        }
        guard Glibc.rename(temporary, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporary)
            throw SafetensorsError(.inputOutput, "\(path): cannot be replaced (\(reason))")
        }
        try synchronizeFolder((path as NSString).deletingLastPathComponent)
    }

    /// Whether something has this name, be it a link to nothing.
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// - Throws: ``SafetensorsError`` (`usage`) if something has this name.
    public static func refuseExisting(_ path: String) throws(SafetensorsError) {
        guard !exists(path) else {
            throw SafetensorsError(.usage, "\(path): exists; nothing was written, name a new file")
        }
    }

    /// Writes a new file, whole or not at all, and leaves one that is there as it is.
    ///
    /// - Parameter body: writes the file under another name, and waits until it is on the disk.
    /// - Throws: ``SafetensorsError`` (`usage`) if the file exists, or what the body throws.
    public static func create(_ path: String, _ body: (_ partial: String) throws -> Void) throws {
        try refuseExisting(path)
        let partial = path + ".\(getpid()).partial"
        do {
            try body(partial)
            try move(partial, toNew: path)
        } catch {
            discard(partial)
            throw error
        }
    }

    /// Gives a file that is whole its final name, which nothing may have, and waits until the name is on the disk.
    public static func move(_ temporary: String, toNew path: String) throws(SafetensorsError) {
        guard !exists(path) else {
            throw SafetensorsError(.usage, "\(path): has come into being meanwhile; nothing is overwritten")
        }
        guard Glibc.rename(temporary, path) == 0 else {
            throw SafetensorsError(
                .inputOutput, "\(path): cannot be given its name (\(String(cString: strerror(errno))))")
        }
        try synchronizeFolder((path as NSString).deletingLastPathComponent)
    }

    /// Gives a file or folder another name, as the system's `rename` does: the paths are taken as they are written.
    public static func rename(_ path: String, to newPath: String) throws(SafetensorsError) {
        guard Glibc.rename(path, newPath) == 0 else {
            throw SafetensorsError(
                .inputOutput, "\(path): cannot be renamed to \(newPath) (\(String(cString: strerror(errno))))")
        }
    }

    /// Removes a file that was not finished, if it is there.
    public static func discard(_ temporary: String) { unlink(temporary) }

    /// The first of `path-1`, `path-2`, … that nothing has: where to put something out of the way without losing it.
    public static func freeName(_ path: String) -> String {
        var number = 1
        while FileManager.default.fileExists(atPath: "\(path)-\(number)") { number += 1 }
        return "\(path)-\(number)"
    }

    /// Waits until the names in a folder are on the disk.
    public static func synchronizeFolder(_ path: String) throws(SafetensorsError) {
        let descriptor = open(path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw SafetensorsError(.inputOutput, "\(path): cannot be opened (\(String(cString: strerror(errno))))")
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw SafetensorsError(
                .inputOutput, "\(path): cannot be synchronised (\(String(cString: strerror(errno))))")
        }
    }

    /// Creates a file, lets the body write its bytes piece by piece, and waits until it is on the disk.
    ///
    /// - Throws: ``SafetensorsError``, or what the body throws.
    static func write(
        to path: String, _ body: ((UnsafeRawBufferPointer) throws(SafetensorsError) -> Void) throws -> Void
    ) throws {
        func failure(_ what: String) -> SafetensorsError {
            SafetensorsError(
                .inputOutput, "\(path): \(what) (\(String(cString: strerror(errno)))); check space and permissions")
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure("cannot be created") }
        var isOpen = true
        defer { if isOpen { close(descriptor) } }
        try body { (bytes: UnsafeRawBufferPointer) throws(SafetensorsError) in
            var rest = bytes
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { throw failure("cannot be written") }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            }
        }
        guard fsync(descriptor) == 0 else { throw failure("cannot be synchronised") }
        isOpen = false
        guard close(descriptor) == 0 else { throw failure("cannot be closed") }
    }
}
