import Diagnostics

#if canImport(Glibc)
    import Glibc
#endif

/// A file mapped into memory to be read; the processes of a machine share one copy of its pages.
final class MappedFile: Sendable {
    let path: String
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    init(path: String) throws(SafetensorsError) {
        // A named pipe that nobody writes to would be waited for without end, but for O_NONBLOCK.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            throw SafetensorsError(
                [ENOENT, ENOTDIR].contains(code) ? .missingInput : .inputOutput,
                "\(path): cannot be opened (\(String(cString: strerror(code))))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SafetensorsError(.badData, "\(path): not a regular file, expected a safetensors file")
        }
        let size = Int(status.st_size)
        self.path = path
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
            throw SafetensorsError(.inputOutput, "\(path): cannot be mapped (\(String(cString: strerror(errno))))")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
        BusError.watch(bytes, path: path)
        if let complaint = GitLFSPointer.complaint(about: bytes) {
            throw SafetensorsError(.badData, "\(path): \(complaint)")
        }
    }

    /// The pages stay valid; they are read anew when they are touched.
    func releasePages() {
        guard let base = bytes.baseAddress else { return }
        _ = madvise(UnsafeMutableRawPointer(mutating: base), bytes.count, MADV_DONTNEED)
    }

    deinit {
        if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
    }
}
