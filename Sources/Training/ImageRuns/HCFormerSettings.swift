import Diagnostics
import Images
public import Models

extension TrainingConfiguration {
    /// `hcformer`: the shape of a new network; what is null is as in the size. The keys are those of its `config.json`.
    public struct HCFormerSettings: Equatable, Sendable {
        /// `size`: one of the paper's.
        public var size = HCFormerConfiguration.Size.nano
        /// `patch_size`: side and stride of the first convolution.
        public var stem: Int?
        /// `head_dim`: width of a head.
        public var headWidth: Int?
        /// `depths`: blocks of each stage.
        public var depths: [Int]?
        /// `hidden_sizes`: width of each stage.
        public var widths: [Int]?
        /// `num_attention_heads`: heads of each stage.
        public var heads: [Int]?
        /// `mlp_ratios`: width of the MLP of each stage as a multiple of its own.
        public var expansions: [Int]?
        /// `windows`: windows along a side of each stage's map.
        public var windows: [Int]?
        /// `patch_centers`: centres along a side of a window.
        public var patchCentres: [Int]?
        /// `window_centers`: centres along a side of the map for the hyperbolic branch; 0 leaves it out.
        public var windowCentres: [Int]?
        /// `curvature`: κ of the hyperbolic space.
        public var curvature = 1.0
        /// `layer_scale_init_value`: what residual branches are scaled by at the start.
        public var layerScale = 1e-5

        /// The shape for images of a side.
        ///
        /// - Throws: `ModelError` naming the key.
        func configuration(imageSide: Int, _ images: ImageSet) throws -> HCFormerConfiguration {
            var json: [String: Any] = [
                "image_size": imageSide, "num_channels": images.channels, "curvature": curvature,
                "layer_scale_init_value": layerScale, "num_labels": images.classCount,
            ]
            json["patch_size"] = stem
            json["head_dim"] = headWidth
            json["depths"] = depths
            json["hidden_sizes"] = widths
            json["num_attention_heads"] = heads
            json["mlp_ratios"] = expansions
            json["windows"] = windows
            json["patch_centers"] = patchCentres
            json["window_centers"] = windowCentres
            do {
                return try HCFormerConfiguration(json: json, path: "hcformer", base: HCFormerConfiguration(size: size))
            } catch {
                throw TrainingError(.usage, error.description)
            }
        }
    }

    /// `image`: how pixels become what the network reads.
    public struct ImageSettings: Equatable, Sendable {
        /// `size`: side of the square image; `nil` takes the model's, or for a new model the images' height.
        public var side: Int?
        /// `scale`: the pixel value that counts as 1.
        public var scale = 255.0
        /// `mean`: subtracted after scaling.
        public var mean = 0.0
        /// `std`: divides after that.
        public var deviation = 1.0
        /// `crop`: zeros around the image in training, out of which it is cropped at a random place.
        public var margin = 0
        /// `flip`: whether half of the images are mirrored in training.
        public var flips = false
    }
}
