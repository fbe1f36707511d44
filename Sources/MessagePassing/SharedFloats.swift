internal import COpenMPI
internal import Glibc

/// Memory that the processes of one machine share, until the job ends.
///
/// The corresponding C functions are `MPI_Win_allocate_shared`, `MPI_Win_shared_query` and `MPI_Win_sync` (MPI 3.1,
/// sections 11.2.3 and 11.5.4).
public final class SharedFloats {
    /// Zeroes, [count], until one of the processes writes.
    public let base: UnsafeMutablePointer<Float>
    /// Nil for memory of a process without MPI.
    private let window: MPI_Win?

    fileprivate init(base: UnsafeMutablePointer<Float>, window: MPI_Win?) {
        self.base = base
        self.window = window
    }

    /// Lets every process see what the others wrote before. Collective.
    ///
    /// - Parameter node: the communicator that the memory is of.
    public func synchronize(_ node: borrowing Communicator) throws(MessagePassingError) {
        guard let window else { return }
        try check("MPI_Win_sync", MPI_Win_sync(window))
        try node.barrier()
        try check("MPI_Win_sync", MPI_Win_sync(window))
    }
}

extension Communicator {
    /// Bytes that are free where Open MPI puts memory that processes share, `/dev/shm`; nil where there is no such folder.
    ///
    /// A window is granted whatever is free, and touching what is not there ends the process with a bus error: look before.
    public static func freeSharedMemory(in folder: String = "/dev/shm") -> Int? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }

    /// Memory for all processes of this communicator, which must be of one machine. Collective.
    ///
    /// - Parameter count: of floats, the same on every process.
    public func sharedFloats(count: Int) throws(MessagePassingError) -> SharedFloats {
        guard let handle else {
            let base = UnsafeMutablePointer<Float>.allocate(capacity: count)
            base.initialize(repeating: 0, count: count)
            return SharedFloats(base: base, window: nil)
        }
        let width = MemoryLayout<Float>.stride
        var own: UnsafeMutableRawPointer?
        var window = COpenMPI_WIN_NULL()
        // Process 0 provides it all.
        try check(
            "MPI_Win_allocate_shared",
            MPI_Win_allocate_shared(
                processIndex == 0 ? count * width : 0, Int32(width), COpenMPI_INFO_NULL(), handle, &own, &window))
        var size = 0
        var unit: Int32 = 0
        var shared: UnsafeMutableRawPointer?
        guard let window else {
            throw MessagePassingError(
                .routineFailed, routine: "MPI_Win_allocate_shared", "gave no window for \(count) floats")
        }
        try check("MPI_Win_shared_query", MPI_Win_shared_query(window, 0, &size, &unit, &shared))
        guard let shared, size >= count * width else {
            throw MessagePassingError(
                .routineFailed, routine: "MPI_Win_shared_query", "gave \(size) bytes, expected \(count * width)")
        }
        // Until the job ends: what is synchronised must be within an epoch.
        try check("MPI_Win_lock_all", MPI_Win_lock_all(Int32(MPI_MODE_NOCHECK), window))
        return SharedFloats(base: shared.bindMemory(to: Float.self, capacity: count), window: window)
    }
}
