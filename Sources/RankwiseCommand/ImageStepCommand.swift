import ArgumentParser
import Models
import Training

/// `rankwise bench image-step`.
struct ImageStepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image-step",
        abstract: "The training step of an HCFormer on random images; launch/rival/hcformer.py times PyTorch's.")

    enum Size: String, ExpressibleByArgument, CaseIterable {
        case nano, tiny, small, medium

        var configuration: HCFormerConfiguration.Size {
            switch self {
            case .nano: .nano
            case .tiny: .tiny
            case .small: .small
            case .medium: .medium
            }
        }
    }

    @Option(help: "Size of the network.")
    var size = Size.nano

    @Option(help: "Side of the images.")
    var image = 224

    @Option(help: "Images in a step.")
    var batch = 32

    @Option(help: "Lanes that the batch is worked through in.")
    var lanes = 8

    @Option(help: "Threads for matrix products.")
    var threads = 1

    @Option(help: "Steps to measure.")
    var steps = 5

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (4...HCFormerConfiguration.largestImage).contains(image) else {
            throw ValidationError("--image is \(image), expected 4 to \(HCFormerConfiguration.largestImage)")
        }
        guard (1...4_096).contains(lanes), (lanes...65_536).contains(batch) else {
            throw ValidationError("--lanes is \(lanes) and --batch \(batch), expected at least one image for each lane")
        }
        guard steps > 0, threads > 0 else { throw ValidationError("--steps and --threads must be at least 1") }
    }

    func run() throws {
        try reportingErrors {
            let result = try ImageStepBenchmark.run(
                size: size.configuration, imageSide: image, batchSize: batch, lanes: lanes, threads: threads,
                steps: steps)
            try printLine(json ? jsonText(result) : result.text)
        }
    }
}
