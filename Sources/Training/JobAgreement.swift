import Checkpointing
import Diagnostics
import Foundation
import LinearAlgebra
import MessagePassing
import Models
import Safetensors

/// What all processes of a job must have alike before they train together.
struct Fingerprint: Codable, Equatable {
    let host: String
    let configuration: String
    let digests: RunDigests
    let origin: CheckpointManifest.Origin

    /// What differs from another process's, in words; nil if nothing does.
    ///
    /// - Parameter comparesKernels: whether the result depends on the BLAS library's kernels.
    func difference(from other: Fingerprint, comparesKernels: Bool) -> String? {
        for (what, here, there) in [
            ("program (SHA-256)", origin.program, other.origin.program),
            ("configuration (SHA-256)", configuration, other.configuration),
            ("model files (SHA-256)", digests.model, other.digests.model),
            ("training data (SHA-256)", digests.data, other.digests.data),
            ("adapter.init (SHA-256)", digests.initialAdapter, other.digests.initialAdapter),
            (
                "BLAS kernel type", comparesKernels ? origin.kernelType : "",
                comparesKernels ? other.origin.kernelType : ""
            ),
        ] where here != there {
            return "\(what) \(here.prefix(16)), process 0 on \(other.host) has \(there.prefix(16))"
        }
        return nil
    }
}

extension TrainingConfiguration {
    /// Whether the result depends on the type of processor. A step's arithmetic is the program's own, with the same bits on every
    /// processor with AVX2; a start from singular vectors is LAPACK's.
    var dependsOnProcessorType: Bool { adapter.initialization.isDecomposition }
}

extension PreparedRun {
    /// Checks that all processes of the job have the same program, configuration, model, data and BLAS kernels.
    /// Collective.
    ///
    /// - Returns: process 0's fingerprint. The first process of each machine reads the files.
    /// - Throws: ``TrainingError`` naming the first process that differs, its host, and what differs.
    func agreedFingerprint(_ communicator: borrowing Communicator) throws -> Fingerprint {
        let node = try communicator.splitByNode()
        let own = node.processIndex == 0 ? try JSONEncoder().encode(try digests()) : Data()
        let digests = try JSONDecoder().decode(RunDigests.self, from: try node.broadcasted(own, from: 0))
        try node.release()
        let fingerprint = Fingerprint(
            host: try communicator.hostName(),
            configuration: FileDigest.hexadecimal(of: Data(configuration.digestText.utf8)), digests: digests,
            origin: .init(
                kernelType: BLASLibrary.kernelType, program: try FileDigest.hexadecimal(ofFile: "/proc/self/exe")))
        let gathered = try communicator.allGathered(varying: [UInt8](try JSONEncoder().encode(fingerprint)))
        let all = try (0..<communicator.processCount).map {
            try JSONDecoder().decode(
                Fingerprint.self, from: Data(gathered.elements[gathered.layout.range(of: $0)]))
        }
        for (process, other) in all.enumerated() {
            if let difference = other.difference(
                from: all[0], comparesKernels: configuration.dependsOnProcessorType)
            {
                throw TrainingError(
                    .usage,
                    "process \(process) on \(other.host) differs: \(difference); "
                        + "all processes must run the same program on the same files"
                        + (configuration.dependsOnProcessorType ? " and the same type of processor" : ""))
            }
        }
        return all[0]
    }
}
