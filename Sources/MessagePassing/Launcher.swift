internal import Glibc

/// What started this process, as its environment tells.
enum Launcher: Equatable {
    /// None that makes a job of several processes: the process is alone, and MPI is not needed.
    case none
    /// `mpirun`, or another that tells Open MPI of the other processes.
    case messagePassing
    /// One that has started several processes, but tells them nothing of each other.
    case severalStrangers(Int)

    /// - Parameter variable: the value of an environment variable.
    init(variable: (String) -> String? = { name in getenv(name).map { String(cString: $0) } }) {
        // mpirun of Open MPI; PMIx as `srun --mpi=pmix` and prterun have it; PMI-2 as `srun --mpi=pmi2` has it.
        if ["OMPI_COMM_WORLD_SIZE", "PMIX_NAMESPACE", "PMIX_RANK", "PMI_RANK", "PMI_FD"].contains(where: {
            variable($0) != nil
        }) {
            self = .messagePassing
        } else if let tasks = variable("SLURM_STEP_NUM_TASKS").flatMap({ Int($0) }), tasks > 1 {
            // Only srun sets this; within a batch script, where one process runs, it is not there.
            self = .severalStrangers(tasks)
        } else {
            self = .none
        }
    }
}
