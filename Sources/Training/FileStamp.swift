import Diagnostics

#if canImport(Glibc)
    import Glibc
#endif

/// By what a file is known again without being read: its place on the disk, its size, and when it was written.
struct FileStamp: Equatable {
    let path: String
    private let numbers: [Int]

    /// - Returns: nil if there is no such file.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.path = path
        numbers = [
            Int(truncatingIfNeeded: status.st_dev), Int(truncatingIfNeeded: status.st_ino), Int(status.st_size),
            Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec),
        ]
    }

    static func all(of paths: [String]) throws(TrainingError) -> [FileStamp] {
        var stamps: [FileStamp] = []
        for path in paths {
            guard let stamp = FileStamp(path: path) else {
                throw TrainingError(.missingInput, "\(path): no such file")
            }
            stamps.append(stamp)
        }
        return stamps
    }

    /// Whether the file is still the same.
    var isCurrent: Bool { FileStamp(path: path) == self }
}
