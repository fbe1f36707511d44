public import Randomness

/// How pixels become the numbers that a network reads: resized, normalised, and in training cropped and flipped.
public struct ImageTransform: Sendable, Equatable, Codable {
    /// Side of the square image that comes out.
    public var side: Int
    /// The pixel value that counts as 1.
    public var scale: Double
    /// What is subtracted from, and what divides, a pixel after scaling.
    public var mean: Double
    public var deviation: Double
    /// In training: zeros around the image, out of which the image is cropped again at a random place.
    public var margin: Int
    /// In training: whether half of the images are mirrored.
    public var flips: Bool

    enum CodingKeys: String, CodingKey {
        case side = "size"
        case scale
        case mean = "image_mean"
        case deviation = "image_std"
        case margin = "crop"
        case flips = "flip"
    }

    public init(
        side: Int, scale: Double = 255, mean: Double = 0, deviation: Double = 1, margin: Int = 0, flips: Bool = false
    ) {
        (self.side, self.scale, self.mean, self.deviation) = (side, scale, mean, deviation)
        (self.margin, self.flips) = (margin, flips)
    }

    /// What is drawn for one sample of one step, a function of where it is drawn.
    public struct Draw: Sendable, Equatable {
        /// From −margin to margin.
        public let down, right: Int
        public let isMirrored: Bool

        /// - Parameter stream: of the sample, with purpose `augmentation`.
        public init(_ stream: RandomStream, margin: Int, flips: Bool) {
            let words = stream.block(0)
            // A bias of 2⁻³² or so times the number of places.
            func offset(_ word: UInt32) -> Int {
                Int((UInt64(word) * UInt64(2 * margin + 1)) >> 32) - margin
            }
            down = offset(words.x)
            right = offset(words.y)
            isMirrored = flips && words.z & 1 == 1
        }
    }

    /// Writes one image.
    ///
    /// - Parameters:
    ///   - index: of the image.
    ///   - draw: nil outside training.
    ///   - target: [side, side, channels]; replaced.
    public func write(_ index: Int, of images: ImageSet, draw: Draw?, to target: UnsafeMutablePointer<Float>) {
        let (factor, offset) = (Float(1 / (scale * deviation)), Float(-mean / deviation))
        let channels = images.channels
        let rows = taps(images.height)
        let columns = taps(images.width)
        images.withPixels(of: index) { pixels in
            for y in 0..<side {
                for x in 0..<side {
                    let place = target + (y * side + x) * channels
                    let (sourceY, sourceX) = (y + (draw?.down ?? 0), x + (draw?.right ?? 0))
                    guard (0..<side).contains(sourceY), (0..<side).contains(sourceX) else {
                        for channel in 0..<channels { place[channel] = offset }
                        continue
                    }
                    let row = rows[sourceY]
                    let column = columns[draw?.isMirrored == true ? side - 1 - sourceX : sourceX]
                    for channel in 0..<channels {
                        func pixel(_ y: Int, _ x: Int) -> Float {
                            Float(pixels[(y * images.width + x) * channels + channel])
                        }
                        let upper =
                            pixel(row.low, column.low) * (1 - column.share) + pixel(row.low, column.high) * column.share
                        let lower =
                            pixel(row.high, column.low) * (1 - column.share) + pixel(row.high, column.high)
                            * column.share
                        place[channel] = (upper * (1 - row.share) + lower * row.share) * factor + offset
                    }
                }
            }
        }
    }

    /// For each place of a side, the two places of the image's side between which it lies, and the share of the second:
    /// bilinear, pixels as squares, as PyTorch's `interpolate` without aligned corners.
    private func taps(_ length: Int) -> [(low: Int, high: Int, share: Float)] {
        (0..<side).map { place in
            let centre = max(0, (Double(place) + 0.5) * Double(length) / Double(side) - 0.5)
            let low = min(Int(centre), length - 1)
            return (low, min(low + 1, length - 1), Float(centre - Double(low)))
        }
    }
}
