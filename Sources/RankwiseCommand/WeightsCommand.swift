import ArgumentParser
import Foundation
import LinearAlgebra
import MessagePassing
import WeightFiles
import WeightMethods

/// `rankwise weights`.
struct WeightsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weights",
        abstract: "Apply a method to the weights of a file; alone, or under mpirun on several processes.",
        discussion: """
            Writes a new safetensors file, tensor by tensor, and prints what changed. Without --tensors every matrix is meant (of
            more than two dimensions: the first by all others); other tensors are copied. The file has the same bytes for any
            number of processes.

              rankwise weights normalize --input model.safetensors --output unit.safetensors --tensors '*embeddings*'
              mpirun -np 4 rankwise weights quantize --input model.safetensors --output small.safetensors --bits 8
              rankwise weights dequantize --input small.safetensors --output back.safetensors
              rankwise weights statistics --input model.safetensors

            What comes out is float32, whatever came in; --keep-type rounds it to the type that came in.
            """,
        subcommands: [
            Normalize.self, SpectralNormalize.self, Clip.self, Sparsify.self, Quantize.self, Dequantize.self,
            Initialize.self, Decay.self, Statistics.self,
        ])

    struct FileOptions: ParsableArguments {
        @Option(help: "The safetensors file to read.")
        var input: String

        @Option(help: "The safetensors file to write, which must not exist.")
        var output: String

        @OptionGroup var tensors: TensorOptions

        @Flag(
            help: "Write tensors in the type that they had (float16, bfloat16, float64), rounded, instead of float32.")
        var keepType = false

        @Flag(help: "Print a JSON object.")
        var json = false

        /// Writes the file on all processes of the job, and has process 0 print.
        func apply(_ method: WeightMethod) -> Never {
            runJob(exitCode: exitStatus(of:)) { communicator in
                BLASLibrary.setThreads(1)
                let job = try WeightFileJob(
                    input: input, method: method, patterns: tensors.patterns, keepsType: keepType)
                let report = try job.run(output: output, communicator)
                if communicator.processIndex == 0 { try printLine(json ? jsonText(report) : report.text) }
                return 0
            }
        }
    }

    struct Normalize: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every row to unit length; a row of zeros stays.")
        @OptionGroup var options: FileOptions
        func run() { options.apply(.normalize) }
    }

    struct SpectralNormalize: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every matrix divided by its largest singular value.")
        @OptionGroup var options: FileOptions
        func run() { options.apply(.normalizeSpectrum) }
    }

    struct Clip: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every weight into [-LIMIT, LIMIT].")
        @OptionGroup var options: FileOptions
        @Option(help: "The largest magnitude.")
        var limit: Float
        func run() { options.apply(.clip(limit: limit)) }
    }

    struct Sparsify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Weights below a magnitude become 0, or all but the largest of each tensor.")
        @OptionGroup var options: FileOptions
        @Option(help: "Weights of a smaller magnitude become 0.")
        var below: Float?
        @Option(help: "The share of each tensor's weights to keep, 0 to 1: those of the largest magnitude.")
        var keep: Double?
        func validate() throws {
            guard (below == nil) != (keep == nil) else { throw ValidationError("give one of --below and --keep") }
        }
        func run() { options.apply(below.map { .sparsify(threshold: $0) } ?? .keep(share: keep ?? 1)) }
    }

    struct Quantize: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Every weight to the nearest of 2^BITS values between the ends of its group, packed.")
        @OptionGroup var options: FileOptions
        @Option(help: "Bits of a weight, 1 to 16.")
        var bits = 8
        @Option(help: "Neighbours in a row that share their ends; 0: the whole tensor does.")
        var group = 64
        func run() { options.apply(.quantize(bits: bits, group: group == 0 ? nil : group)) }
    }

    struct Dequantize: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What quantize packed as weights again.")
        @OptionGroup var options: FileOptions
        func run() { options.apply(.dequantize) }
    }

    struct Initialize: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "New random weights: normal, Xavier's or He's variance.",
            discussion: "Each is a function of the seed, the tensor's number among the sorted names, and its place.")
        enum Scheme: String, ExpressibleByArgument, CaseIterable { case normal, xavier, he }
        @OptionGroup var options: FileOptions
        @Option(help: "The variance: standard-deviation², 2/(inputs + outputs), or 2/inputs.")
        var scheme: Scheme
        @Option(help: "Of the scheme normal.")
        var standardDeviation = 0.02
        @Option(help: "What the weights are drawn from.")
        var seed: UInt64 = 0
        func run() {
            let chosen: InitializationScheme =
                switch scheme {
                case .normal: .normal(standardDeviation: standardDeviation)
                case .xavier: .xavier
                case .he: .he
                }
            options.apply(.initialize(chosen, seed: seed))
        }
    }

    struct Decay: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One step of weight decay.",
            discussion: """
                sgd        w - rate·(gradient + decay·w)
                decoupled  AdamW's first step: w·(1 - rate·decay) - rate·sign of the gradient
                l2         Adam's first step with decay·w in the gradient
                unit-row   rows times 1 - rate·decay·(1/norm - 1) for a decay below 0: growth towards unit norm; then as decoupled
                """)
        @OptionGroup var options: FileOptions
        @Option(help: "sgd, decoupled, l2 or unit-row.", transform: decayMode(named:))
        var mode: DecayMode
        @Option(parsing: .unconditional, help: "The decay; below 0 in mode unit-row alone.")
        var decay: Double
        @Option(help: "The learning rate.")
        var rate: Double
        @Option(help: "A safetensors file with a gradient for every tensor; without it gradients are 0.")
        var gradients: String?
        func run() throws {
            let step: WeightDecay
            do {
                step = try WeightDecay(mode: mode, rate: decay, learningRate: rate)
            } catch {
                throw ValidationError(error.description)
            }
            options.apply(.decay(step, gradients: gradients))
        }
    }

    struct Statistics: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Smallest, largest, mean, norm, zeros and what is not finite; writes nothing.")
        @Option(help: "The safetensors file, or a model's folder.")
        var input: String
        @OptionGroup var tensors: TensorOptions
        @Flag(help: "Print a JSON object.")
        var json = false

        func run() {
            runJob(exitCode: exitStatus(of:)) { communicator in
                let report = try WeightStatistics(path: input, patterns: tensors.patterns, communicator)
                if communicator.processIndex == 0 { try printLine(json ? jsonText(report) : report.text) }
                return 0
            }
        }
    }
}

/// Which tensors of a file are meant.
struct TensorOptions: ParsableArguments {
    @Option(
        name: .customLong("tensors"),
        help: ArgumentHelp(
            "A tensor's name, in which * stands for any characters and ? for one; may be repeated.",
            valueName: "pattern"))
    var patterns: [String] = []
}

private func decayMode(named name: String) throws -> DecayMode {
    guard let mode = DecayMode(rawValue: name) else {
        throw ValidationError("expected one of \(DecayMode.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return mode
}
