// swift-tools-version: 6.1

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A target of the product, with the house's settings.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// The tests of a target.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let package = Package(
    name: "rankwise",
    products: [
        .executable(name: "rankwise", targets: ["RankwiseCommand"]),
        .executable(name: "multi-process-checks", targets: ["MultiProcessChecks"]),
        .executable(name: "hostile-files", targets: ["HostileFiles"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C only where C is needed.
        .systemLibrary(name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        // Vector kernels are worth nothing unoptimised, in tests either.
        .target(
            name: "CKernels", exclude: ["Kernels"], cSettings: [.unsafeFlags(["-O3", "-fno-math-errno"])]),

        room("Diagnostics"),
        room("JSONText", ["Diagnostics"]),
        room("MessagePassing", ["COpenMPI"]),
        room("LinearAlgebra", ["CKernels", "COpenBLAS"]),
        room("Randomness"),
        room("Safetensors", ["Diagnostics", .product(name: "Crypto", package: "swift-crypto")]),
        room("AdaLoRA", ["CKernels", "Diagnostics", "LinearAlgebra"]),
        room("WeightMethods", ["AdaLoRA", "CKernels", "Diagnostics", "LinearAlgebra", "Randomness"]),
        room("NeuralNetwork", ["CKernels", "LinearAlgebra", "Randomness"]),
        room(
            "Models",
            [
                "CKernels", "Diagnostics", "LinearAlgebra", "NeuralNetwork", "Randomness", "Safetensors",
                "WeightMethods",
            ]),
        room(
            "WeightFiles",
            ["Diagnostics", "LinearAlgebra", "MessagePassing", "Safetensors", "WeightMethods"]),
        room("Tables"),
        room("Tokenization", ["Diagnostics"]),
        room("Text", ["Diagnostics", "JSONText", "Tables"]),
        room("Images", ["CZlib", "Diagnostics", "Randomness", "Tables"]),
        room("PEFTFormat", ["Diagnostics", "JSONText", "LinearAlgebra", "Safetensors"]),
        room("Checkpointing", ["Diagnostics", "Safetensors"]),
        room(
            "Training",
            [
                "AdaLoRA", "Checkpointing", "CKernels", "Diagnostics", "Images", "LinearAlgebra", "MessagePassing",
                "Models", "NeuralNetwork", "PEFTFormat", "Randomness", "Safetensors", "Text", "Tokenization",
                "WeightMethods", "Yams",
            ]),
        room("Factorization", ["Diagnostics", "LinearAlgebra", "NeuralNetwork", "Randomness"]),
        room(
            "Factoring",
            [
                "AdaLoRA", "Diagnostics", "Factorization", "LinearAlgebra", "MessagePassing", "Models", "NeuralNetwork",
                "PEFTFormat", "Randomness", "Safetensors", "Text", "Training", "WeightFiles",
            ]),
        .executableTarget(
            name: "RankwiseCommand",
            dependencies: [
                "Checkpointing", "Diagnostics", "Factoring", "Factorization", "LinearAlgebra", "MessagePassing",
                "Models",
                "PEFTFormat", "Safetensors", "Text", "Tokenization", "Training", "WeightFiles", "WeightMethods",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: settings),
        // Programs that tests run.
        .executableTarget(
            name: "MultiProcessChecks", dependencies: ["AdaLoRA", "MessagePassing", "Training"],
            path: "Tests/MultiProcessChecks",
            swiftSettings: settings),
        .executableTarget(
            name: "HostileFiles",
            dependencies: [
                "Checkpointing", "Diagnostics", "Images", "Models", "NeuralNetwork", "PEFTFormat", "Randomness",
                "Safetensors", "Text",
                "Tokenization",
                "Training", "WeightFiles", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Tests/HostileFiles", swiftSettings: settings),

        .target(name: "MultiProcessTesting", path: "Tests/MultiProcessTesting", swiftSettings: settings),
        .target(name: "FixtureFiles", path: "Tests/FixtureFiles", swiftSettings: settings),
        tests("DiagnosticsTests", ["Diagnostics"]),
        tests("MessagePassingTests", ["MessagePassing", "MultiProcessChecks", "MultiProcessTesting"]),
        tests("RandomnessTests", ["Randomness"], exclude: ["Fixtures"]),
        tests(
            "TokenizationTests", ["Diagnostics", "Tokenization"],
            exclude: ["Fixtures", "make_added_token_goldens.py", "make_tokenizer_goldens.py"]),
        tests("TextTests", ["Text"]),
        tests("ImagesTests", ["Diagnostics", "FixtureFiles", "Images", "Randomness"]),
        tests("LinearAlgebraTests", ["LinearAlgebra"]),
        tests(
            "FactorizationTests", ["Diagnostics", "Factorization", "LinearAlgebra", "NeuralNetwork", "Randomness"]),
        tests("AdaLoRATests", ["AdaLoRA", "LinearAlgebra"]),
        tests(
            "NeuralNetworkTests", ["FixtureFiles", "LinearAlgebra", "NeuralNetwork", "Randomness", "WeightMethods"]),
        tests(
            "ModelsTests",
            ["Diagnostics", "FixtureFiles", "LinearAlgebra", "Models", "NeuralNetwork", "Randomness", "Safetensors"]),
        tests(
            "TrainingTests",
            [
                "AdaLoRA", "FixtureFiles", "LinearAlgebra", "Models", "NeuralNetwork", "PEFTFormat", "Safetensors",
                "Training",
            ]),
        tests("WeightMethodsTests", ["AdaLoRA", "FixtureFiles", "LinearAlgebra", "WeightMethods"]),
        tests(
            "WeightFilesTests",
            ["Diagnostics", "FixtureFiles", "Safetensors", "WeightFiles", "WeightMethods"]),
        tests("SafetensorsTests", ["Diagnostics", "FixtureFiles", "Safetensors"]),
        tests(
            "PEFTFormatTests",
            ["Diagnostics", "FixtureFiles", "JSONText", "LinearAlgebra", "PEFTFormat", "Safetensors"],
            exclude: ["Fixtures", "check_with_peft.py"]),
        tests("CheckpointingTests", ["Checkpointing", "Diagnostics", "FixtureFiles", "Safetensors"]),
        tests("HostileFilesTests", ["HostileFiles", "MultiProcessTesting"]),
        tests(
            "CommandTests",
            ["FixtureFiles", "LinearAlgebra", "MultiProcessTesting", "PEFTFormat", "RankwiseCommand", "Safetensors"]),
    ],
    swiftLanguageModes: [.v6]
)
