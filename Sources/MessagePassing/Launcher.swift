internal import Glibc

/// What started this process, as far as its environment says: how many processes, where MPI may see but this one.
///
/// The launcher of another MPI, or `srun` without the plug-in for this one, starts as many programs of one process each, which
/// all do the whole work.
struct Launcher: Equatable {
    /// The variable that holds the number of processes.
    let variable: String
    let processCount: Int
    /// Of this one, from 0.
    let processIndex: Int

    /// Nil where nothing says that there is more than this process.
    ///
    /// - Parameter environment: the value of a variable.
    init?(environment: (String) -> String?) {
        // mpirun of this MPI; what it was started by itself is no matter.
        if environment("OMPI_COMM_WORLD_SIZE") == "1" { return nil }
        for (size, index) in [
            ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"), ("PMI_SIZE", "PMI_RANK"),
            ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
        ] {
            guard let count = environment(size).flatMap({ Int($0) }), count > 1 else { continue }
            variable = size
            processCount = count
            processIndex = environment(index).flatMap { Int($0) } ?? 0
            return
        }
        return nil
    }

    /// The one of this process.
    static var current: Launcher? {
        Launcher { getenv($0).map { String(cString: $0) } }
    }

    /// Whether something has started this process that tells MPI of others: `mpirun` of Open MPI, or what speaks PMIx
    /// (`srun --mpi=pmix`, prterun) or PMI-2. Without it the process is alone, and needs no MPI.
    static var startsMessagePassing: Bool {
        ["OMPI_COMM_WORLD_SIZE", "PMIX_NAMESPACE", "PMIX_RANK", "PMI_RANK", "PMI_FD"].contains { (name: String) in
            getenv(name) != nil
        }
    }

    /// For a process that MPI sees alone.
    var complaint: String {
        "\(processCount) processes were started (\(variable)), but MPI sees each of them alone: the launcher belongs to another "
            + "MPI; use Open MPI's mpirun, or srun --mpi=pmix, or unset \(variable) if each is to do the whole work"
    }
}
