import Diagnostics
import Foundation
import Safetensors

#if canImport(Glibc)
    import Glibc
#endif

/// Sees to it that the files that a run reads stay what they were. A model is mapped, so that a file that is written over
/// changes what the run computes.
///
/// Looking at a file's numbers costs nothing; only where they have changed is the file read again. What counts is its
/// content: a file that was touched, or put back, is the same. A file that is gone is no harm, as the run has its content.
final class InputWatch {
    private var files: [(path: String, digest: String, stamp: FileStamp?)]

    /// Whether this process tells of files that are gone.
    private let tells: Bool

    /// - Parameters:
    ///   - stamps: taken before the files were read, by their paths.
    ///   - digests: SHA-256 of each file, taken after it was read.
    /// - Throws: ``TrainingError`` naming a file that changed in between.
    init(_ stamps: [String: FileStamp], digests: [String: String], tells: Bool) throws(TrainingError) {
        self.tells = tells
        files = digests.sorted { $0.key < $1.key }.map { ($0.key, $0.value, FileStamp(path: $0.key)) }
        for file in files {
            guard let before = stamps[file.path], before != file.stamp else { continue }
            throw TrainingError(.badData, "\(file.path): has changed while it was being read; start again")
        }
    }

    /// - Throws: ``TrainingError`` naming a file whose content has changed.
    func check() throws(TrainingError) {
        for index in files.indices {
            let file = files[index]
            guard let stamp = FileStamp(path: file.path) else {
                if tells, file.stamp != nil { tellUser("\(file.path): is gone; the run goes on with what it has read") }
                files[index].stamp = nil
                continue
            }
            guard stamp != file.stamp else { continue }
            guard (try? FileDigest.hexadecimal(ofFile: file.path)) == file.digest else {
                throw TrainingError(
                    .badData,
                    "\(file.path): its content has changed while the run was using it; restore it, then continue with --resume"
                )
            }
            files[index].stamp = stamp
        }
    }
}

/// By what a file is known again without being read: its place on the disk, its size, and when it was changed. The last, which
/// the system sets at every change, cannot be set back as the time of writing can.
struct FileStamp: Equatable {
    private let numbers: [Int]

    /// - Returns: nil if there is no such file.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        numbers = [
            Int(truncatingIfNeeded: status.st_dev), Int(truncatingIfNeeded: status.st_ino), Int(status.st_size),
            Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec), Int(status.st_ctim.tv_sec),
            Int(status.st_ctim.tv_nsec),
        ]
    }

    /// Of files that must be there.
    static func all(of paths: [String]) throws(TrainingError) -> [String: FileStamp] {
        var stamps: [String: FileStamp] = [:]
        for path in paths {
            guard let stamp = FileStamp(path: path) else {
                throw TrainingError(.missingInput, "\(path): no such file")
            }
            stamps[path] = stamp
        }
        return stamps
    }
}
