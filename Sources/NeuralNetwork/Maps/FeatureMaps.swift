/// The maps of some samples as a matrix has them: one row for each place, samples after each other, row by row;
/// channels are columns.
public struct FeatureMaps: Sendable, Equatable {
    public let samples: Int
    public let height: Int
    public let width: Int

    public init(samples: Int, height: Int, width: Int) {
        precondition(samples >= 0 && height > 0 && width > 0)
        self.samples = samples
        self.height = height
        self.width = width
    }

    /// Places of one sample.
    public var places: Int { height * width }
    /// Rows of all samples.
    public var rowCount: Int { samples * places }
    /// The rows of one sample.
    public func rows(ofSample sample: Int) -> Range<Int> { sample * places..<(sample + 1) * places }
}
