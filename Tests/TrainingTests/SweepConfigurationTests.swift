import Testing

@testable import Training

@Suite("Sweep configurations")
struct SweepConfigurationTests {
    private static let least = "m: [2, 4]\nalpha: 1\noutput: sweep\n"

    @Test("cells are the product of the lists, and numbers stand for lists of one")
    func cells() throws {
        let configuration = try SweepConfiguration(
            yaml: "m: [2, 4]\nalpha: [0, 1.5]\ngamma: [-1, 0.5]\nn: 8\nseed: [3, 1]\nsteps: 25\noutput: sweep",
            path: "sweep.yaml", overrides: ["steps=50"])
        let cells = configuration.cells
        #expect(cells.count == 16 && Set(cells.map(\.name)).count == 16)
        #expect(cells[0].name == "m2-alpha0-gamma-1-n8-seed3" && cells[15].name == "m4-alpha1.5-gamma0.5-n8-seed1")
        #expect(cells.allSatisfy { $0.steps == 50 && $0.warmupSteps == 5 })
    }

    @Test("the text with all keys written out loads back to the same")
    func roundTrip() throws {
        for more in ["", "gamma: [1, -0.25]\nbias: zero\nwarmup_steps: 0\nlr: 1e-3\nseed: [9, 8]"] {
            let configuration = try SweepConfiguration(yaml: Self.least + more, path: "sweep.yaml")
            #expect(try SweepConfiguration(yaml: configuration.resolvedYAML, path: "again.yaml") == configuration)
        }
    }

    @Test(
        "the message says where, which key, what was expected and what was found",
        arguments: [
            ("gama: 1", "sweep.yaml:4: unknown key 'gama'; did you mean 'gamma'?"),
            ("seed: 1\n\nseed: 2", "sweep.yaml:4: duplicate key 'seed'; give it once"),
            (
                "n: [8, 8]",
                "sweep.yaml:4: n: expected an integer, or a list of such numbers without repetitions, found '8'"
            ),
            (
                "n: []",
                "sweep.yaml:4: n: expected an integer from 1 to 1000000, or a list of such numbers without repetitions, "
                    + "found an empty list"
            ),
            (
                "gamma: [0, 1e9]",
                "sweep.yaml:4: gamma: expected a number from -100 to 100, or a list of such numbers without repetitions, "
                    + "found a list"
            ),
            ("n: [8, x]", "sweep.yaml:4: n: expected an integer, found 'x'"),
            ("bias: nomal", "sweep.yaml:4: bias: expected one of normal, zero, found 'nomal' (did you mean 'normal'?)"),
            ("steps: 0", "sweep.yaml:4: steps: expected an integer from 1 to 100000000, found '0'"),
            (
                "steps: 5\nwarmup_steps: 6",
                "sweep.yaml: warmup_steps is 6, but must not exceed steps, which is 5; lower warmup_steps"
            ),
            (
                "n: 1000000\nsteps: 5",
                "sweep.yaml: the largest n times the largest m is 4000000000, expected at most 268435456; lower one of them"
            ),
        ])
    func refusals(more: String, message: String) {
        let least = more.hasPrefix("n: 1000000") ? Self.least.replacing("[2, 4]", with: "4000") : Self.least
        let error = #expect(throws: ConfigurationError.self) {
            try SweepConfiguration(yaml: least + more, path: "sweep.yaml")
        }
        #expect(error?.description == message)
    }

    @Test("a missing key is named, with what it is")
    func missing() {
        let error = #expect(throws: ConfigurationError.self) {
            try SweepConfiguration(yaml: "m: 1\noutput: x", path: "sweep.yaml")
        }
        #expect(error?.description.hasPrefix("sweep.yaml: missing key 'alpha' (") == true)
    }
}
