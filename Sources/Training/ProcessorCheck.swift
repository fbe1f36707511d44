import CKernels
import Diagnostics
import Foundation

/// What a processor must have so that a run ends with the bits that all others give.
enum ProcessorCheck {
    /// The variable that chooses among the instruction sets that the processor has.
    static let variable = "RANKWISE_INSTRUCTIONS"

    /// - Throws: ``TrainingError`` (`usage`) if the kernels in use have no fused arithmetic, or are not those that were asked for.
    static func require() throws(TrainingError) {
        let asked = ProcessInfo.processInfo.environment[variable]
        let names = ["portable": kernel_portable, "avx2": kernel_avx2, "avx512": kernel_avx512]
        if let asked {
            guard let level = names[asked] else {
                throw TrainingError(.usage, "\(variable) is '\(asked)', expected avx2 or avx512")
            }
            guard level <= Int(kernel_best_instructions()) else {
                throw TrainingError(
                    .usage, "\(variable) is '\(asked)', which this processor does not have; leave it out")
            }
        }
        #if arch(x86_64)
            guard Int(kernel_instructions()) != kernel_portable else {
                throw TrainingError(
                    .usage,
                    "training needs a processor with AVX2 and fused arithmetic (FMA), as those since about 2013 have; "
                        + "on others the last bits would differ")
            }
        #endif
    }
}
