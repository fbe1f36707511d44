import Foundation
import Text
import Training

/// The configuration of a sweep over superposition networks.
struct SweepReader: FileReader {
    static let name = "sweep"
    static let share = 3

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        seeds = try ["strong", "weak", "geometry"].map { name in
            try workshop.seed(
                name, file: "sweep.yaml",
                contents: Workshop.bytes(workshop.package + "/launch/superposition/\(name).yaml"), format: .lines)
        }
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        let configuration = try SweepConfiguration.load(path: input.seed.path)
        guard try SweepConfiguration(yaml: configuration.resolvedYAML, path: "again") == configuration else {
            throw BrokenPromise("the resolved configuration does not load back to itself")
        }
    }
}

/// A table of numbers, and the power law in it.
struct NumberPairsReader: FileReader {
    static let name = "numbers"
    static let share = 3

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let table = try String(decoding: Workshop.bytes(workshop.fixture("chinchilla.tsv")), as: UTF8.self)
        seeds = [
            try workshop.seed("tabs", file: "a.tsv", text: table, format: .lines),
            try workshop.seed(
                "commas", file: "b.csv", text: table.replacing("\t", with: ","), format: .lines),
        ]
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        let pairs = try NumberPairs(path: input.seed.path, x: "d_model", y: "parameters_million")
        guard pairs.x.count == pairs.y.count, !pairs.x.isEmpty else {
            throw BrokenPromise("\(pairs.x.count) and \(pairs.y.count) numbers")
        }
        // What is no power law is none; what is one has an exponent.
        if let law = PowerLaw(x: pairs.x, y: pairs.y), law.exponent.isNaN {
            throw BrokenPromise("the exponent is no number")
        }
    }
}
