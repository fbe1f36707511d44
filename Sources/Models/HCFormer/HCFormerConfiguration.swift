import Diagnostics
import Foundation

/// The shape of an HCFormer (Wei et al., *Hyperbolic Hierarchical Clustering for Visual Representation Learning*).
///
/// Its `config.json` has `model_type: hcformer` and the keys named here.
public struct HCFormerConfiguration: Sendable, Equatable {
    /// Blocks at one resolution.
    public struct Stage: Sendable, Equatable {
        public var depth: Int  // depths
        public var width: Int  // hidden_sizes
        public var heads: Int  // num_attention_heads
        /// Width of the MLP as a multiple of the stage's.
        public var expansion: Int  // mlp_ratios
        /// Windows along a side of the map.
        public var windows: Int  // windows
        /// Centres along a side of a window.
        public var patchCentres: Int  // patch_centers
        /// Centres along a side of the map for the hyperbolic branch; 0 for a stage without it.
        public var windowCentres: Int  // window_centers

        public init(
            depth: Int, width: Int, heads: Int, expansion: Int, windows: Int, patchCentres: Int, windowCentres: Int
        ) {
            (self.depth, self.width, self.heads, self.expansion) = (depth, width, heads, expansion)
            (self.windows, self.patchCentres, self.windowCentres) = (windows, patchCentres, windowCentres)
        }
    }

    /// The paper's sizes.
    public enum Size: String, CaseIterable, Sendable {
        case nano, tiny, small, medium
    }

    /// Side of the images that it is made for; others are possible.
    public var imageSide: Int  // image_size
    public var channels: Int  // num_channels
    /// Side and stride of the first convolution.
    public var stem: Int  // patch_size
    public var headWidth: Int  // head_dim
    public var stages: [Stage]
    public var classCount: Int
    /// κ of the hyperbolic space.
    public var curvature: Double  // curvature
    /// What the channels of every residual branch are scaled by at the start.
    public var layerScale: Double  // layer_scale_init_value

    /// One of the paper's sizes.
    public init(size: Size, imageSide: Int = 224, channels: Int = 3, classCount: Int = 1_000) {
        let widths: [Int] =
            switch size {
            case .nano: [32, 64, 196, 224]
            case .tiny: [32, 64, 196, 320]
            case .small, .medium: [64, 128, 320, 512]
            }
        let depths = size == .medium ? [4, 4, 12, 4] : [2, 2, 6, 2]
        let heads = size == .medium ? [6, 6, 12, 12] : [4, 4, 8, 8]
        let expansions = [8, 8, 4, 4]
        let windows = [7, 7, 1, 1]
        let patchCentres = [4, 2, 7, 4]
        let windowCentres = [4, 4, 1, 0]
        self.imageSide = imageSide
        self.channels = channels
        self.classCount = classCount
        stem = 4
        headWidth = size == .nano ? 16 : size == .tiny ? 24 : 32
        stages = widths.indices.map {
            Stage(
                depth: depths[$0], width: widths[$0], heads: heads[$0], expansion: expansions[$0],
                windows: windows[$0], patchCentres: patchCentres[$0], windowCentres: windowCentres[$0])
        }
        curvature = 1
        layerScale = 1e-5
    }

    /// - Parameters:
    ///   - json: the contents of config.json.
    ///   - path: of the file, for messages.
    ///   - base: has the values of keys that are missing.
    /// - Throws: ``ModelError`` naming the key.
    public init(
        json: [String: Any], path: String, base: HCFormerConfiguration = HCFormerConfiguration(size: .nano)
    ) throws(ModelError) {
        let reader = ConfigurationReader(json: json, path: path)
        self = base
        imageSide = try reader.count("image_size", default: imageSide, atMost: Self.largestImage)
        channels = try reader.count("num_channels", default: channels, atMost: 1_024)
        stem = try reader.count("patch_size", default: stem, atMost: 256)
        headWidth = try reader.count("head_dim", default: headWidth, atMost: Self.widest)
        curvature = try reader.number("curvature", default: curvature, in: 1e-9...1e6)
        layerScale = try reader.number("layer_scale_init_value", default: layerScale, in: 0...1e6)
        if let labels = json["id2label"] as? [String: Any] {
            guard (1...Self.mostClasses).contains(labels.count) else {
                throw ModelError(
                    .badData, "\(path): id2label has \(labels.count) labels, expected from 1 to \(Self.mostClasses)")
            }
            classCount = labels.count
        } else {
            classCount = try reader.count("num_labels", default: classCount, atMost: Self.mostClasses)
        }
        let depths = try reader.counts("depths", default: base.stages.map(\.depth), length: nil, in: 1...1_000)
        guard depths.count <= 8 else {
            throw ModelError(.badData, "\(path): depths has \(depths.count) stages, expected at most 8")
        }
        func values(
            _ key: String, _ part: KeyPath<Stage, Int>, in range: ClosedRange<Int>
        ) throws(ModelError) -> [Int] {
            let fallback = depths.count == base.stages.count ? base.stages.map { $0[keyPath: part] } : nil
            return try reader.counts(key, default: fallback, length: depths.count, in: range)
        }
        let widths = try values("hidden_sizes", \.width, in: 1...Self.widest)
        let heads = try values("num_attention_heads", \.heads, in: 1...1_024)
        let expansions = try values("mlp_ratios", \.expansion, in: 1...64)
        let windows = try values("windows", \.windows, in: 1...256)
        let patchCentres = try values("patch_centers", \.patchCentres, in: 1...32)
        let windowCentres = try values("window_centers", \.windowCentres, in: 0...32)
        stages = depths.indices.map {
            Stage(
                depth: depths[$0], width: widths[$0], heads: heads[$0], expansion: expansions[$0],
                windows: windows[$0], patchCentres: patchCentres[$0], windowCentres: windowCentres[$0])
        }
        if let problem { throw ModelError(.badData, "\(path): \(problem)") }
    }

    public static let largestImage = 4_096
    static let widest = 8_192
    static let mostClasses = 1_000_000
    /// Many times the largest of the sizes; more would not be a configuration but an accident.
    static let mostParameters = 1 << 31

    /// What no single key shows to be wrong, or nil: one line.
    public var problem: String? {
        guard imageSide >= stem else {
            return "image_size \(imageSide) is less than patch_size \(stem); no map is left"
        }
        for (index, stage) in stages.enumerated() where stage.heads * headWidth > Self.widest {
            return
                "stage \(index + 1) has \(stage.heads) heads of \(headWidth), expected at most \(Self.widest) together"
        }
        var count = 0
        for tensor in tensors {
            count += tensor.elementCount
            guard count <= Self.mostParameters else {
                return "the network would have more than \(Self.mostParameters) parameters; make it smaller"
            }
        }
        return nil
    }

    /// The contents of config.json, without the labels' names.
    public var json: [String: Any] {
        [
            "model_type": Self.modelType, "architectures": ["HCFormer"], "image_size": imageSide,
            "num_channels": channels,
            "patch_size": stem, "head_dim": headWidth, "curvature": curvature, "layer_scale_init_value": layerScale,
            "depths": stages.map(\.depth), "hidden_sizes": stages.map(\.width),
            "num_attention_heads": stages.map(\.heads), "mlp_ratios": stages.map(\.expansion),
            "windows": stages.map(\.windows), "patch_centers": stages.map(\.patchCentres),
            "window_centers": stages.map(\.windowCentres), "num_labels": classCount,
        ]
    }

    /// Sides of the maps of the stages for images of a given side.
    func mapSides(imageSide: Int) -> [Int] {
        var side = imageSide / stem
        return stages.indices.map { index in
            if index > 0 { side = (side - 1) / 2 + 1 }
            return side
        }
    }
}

extension HCFormerConfiguration {
    /// What `config.json` calls the family.
    public static let modelType = "hcformer"
    /// The linear layers of a block.
    public static let targetModules = ["f", "v", "proj", "fc1", "fc2"]
}
