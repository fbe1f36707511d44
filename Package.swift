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
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "rankwise",
    products: [],
    dependencies: [],
    targets: [
        // C only where C is needed.
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
        // Vector kernels are worth nothing unoptimised, in tests either.
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])]),

        room("LinearAlgebra", ["COpenBLAS"]),
        room("AdaLoRA", ["CKernels", "LinearAlgebra"]),
        room("Randomness"),
        room("NeuralNetwork", ["CKernels", "LinearAlgebra", "Randomness"]),

        tests("NeuralNetworkTests", ["LinearAlgebra", "NeuralNetwork", "Randomness"]),
    ],
    swiftLanguageModes: [.v6]
)
