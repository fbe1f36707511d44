import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

extension RunFolder {
    /// Holds the folder for this job.
    ///
    /// The lock is the operating system's, so that it ends with the process that took it, however that ended. On a file system
    /// without locks it is a file that only one process can create; one whose process is gone is taken over on the same host.
    final class Lock {
        /// Names this job and no other.
        let token = UUID().uuidString
        private let descriptor: Int32
        /// Of the file that stands for the lock, where there are no locks.
        private var standIn: String?

        /// - Throws: ``TrainingError`` if another job that is alive holds it.
        init(_ folder: RunFolder) throws(TrainingError) {
            let path = folder.lockPath
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else {
                throw TrainingError(
                    .inputOutput,
                    "\(path): cannot be opened (\(String(cString: strerror(errno)))); check the output folder's permissions"
                )
            }
            self.descriptor = descriptor
            if try !lock(folder) { standIn = try makeStandIn(path + ".held", folder: folder) }
            let holder = Self.description + "\n\(token)\n"
            ftruncate(descriptor, 0)
            _ = holder.withCString { pwrite(descriptor, $0, strlen($0), 0) }
            fsync(descriptor)
        }

        deinit {
            if let standIn { unlink(standIn) }
            close(descriptor)
        }

        private static var description: String { "process \(getpid()) on \(ProcessInfo.processInfo.hostName)" }

        /// - Returns: false where the file system has no locks.
        private func lock(_ folder: RunFolder) throws(TrainingError) -> Bool {
            // The processes of a job whose mpirun was killed notice within seconds, and a restart should not fail on them.
            let deadline = ContinuousClock.now + .seconds(15)
            while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                switch errno {
                case EINTR: continue
                case EWOULDBLOCK where ContinuousClock.now < deadline: usleep(200_000)
                case EWOULDBLOCK: throw Self.inUse(folder, by: Self.holder(folder.lockPath))
                // On Lustre and NFS without locks, and on some file systems in user space.
                case ENOSYS, ENOLCK, EOPNOTSUPP: return false
                case let code:
                    throw TrainingError(
                        .inputOutput, "\(folder.lockPath): cannot be locked (\(String(cString: strerror(code))))")
                }
            }
            return true
        }

        /// Creates the file that stands for the lock, once whoever holds it is gone.
        private func makeStandIn(_ path: String, folder: RunFolder) throws(TrainingError) -> String {
            let deadline = ContinuousClock.now + .seconds(15)
            while true {
                let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
                if file >= 0 {
                    let text = Self.description + "\n"
                    _ = text.withCString { Glibc.write(file, $0, strlen($0)) }
                    fsync(file)
                    close(file)
                    tellUser("\(folder.path): its file system has no locks; \(path) stands for one while the run lasts")
                    return path
                }
                guard errno == EEXIST else {
                    throw TrainingError(
                        .inputOutput, "\(path): cannot be created (\(String(cString: strerror(errno))))")
                }
                let holder = Self.holder(path)
                let match = holder.wholeMatch(of: /process ([0-9]+) on (.+)/)
                guard let match, let process = pid_t(match.1), match.2 == ProcessInfo.processInfo.hostName else {
                    throw TrainingError(
                        .usage,
                        "\(path): the folder is held by \(holder), and its file system has no locks that would tell whether that "
                            + "job still lives; if it does not, remove the file")
                }
                if kill(process, 0) != 0, errno == ESRCH {
                    unlink(path)
                } else if ContinuousClock.now < deadline {
                    usleep(200_000)
                } else {
                    throw Self.inUse(folder, by: holder)
                }
            }
        }

        private static func holder(_ path: String) -> String {
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            return text.isEmpty ? "another process" : String(text.prefix { !$0.isNewline })
        }

        private static func inUse(_ folder: RunFolder, by holder: String) -> TrainingError {
            TrainingError(
                .usage, "\(folder.path): in use by \(holder); wait for that job or set output to another folder")
        }
    }
}
