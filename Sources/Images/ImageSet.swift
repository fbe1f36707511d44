import Diagnostics
import Foundation

/// Images of one size, with their labels or without.
public struct ImageSet: Sendable {
    public let path: String
    /// Files that were read, for digests.
    public let files: [String]
    public let count: Int
    public let height: Int
    public let width: Int
    public let channels: Int
    /// Class of each image, from 0; empty if labels were not read.
    public let labels: [Int]
    /// [count, height, width, channels].
    private let pixels: [UInt8]

    static let mostBytes = 1 << 32
    static let mostPixels = 1 << 24
    static let mostClasses = 1_000_000

    /// Reads an IDX file of images with the IDX file of labels beside it, or a CSV file; gzipped or not.
    ///
    /// - Parameters:
    ///   - path: for IDX, of the images; that of the labels has `labels` for `images` and `idx1` for `idx3` in its name.
    ///   - labelColumn: of a CSV file: its name where the file has a header, or its number from 0; nil, or a name where
    ///     there is no header, means the last column.
    ///   - readsLabels: if not, neither a file nor a column of labels need be there.
    /// - Throws: ``ImagesError``.
    public init(path: String, labelColumn: String? = nil, readsLabels: Bool = true) throws(ImagesError) {
        let file = try DataFile(path: path)
        self.path = path
        guard try IDXFile.recognizes(file) else {
            let table = try PixelTable(file, labelColumn: labelColumn, readsLabels: readsLabels)
            files = [path]
            count = table.pixels.count / (table.side * table.side)
            (height, width, channels) = (table.side, table.side, 1)
            labels = table.labels
            pixels = table.pixels
            return
        }
        let images = try IDXFile(file, dimensionCounts: 3...4, holding: "images")
        let (count, sides) = (images.dimensions[0], Array(images.dimensions[1...]))
        let area = sides[0] * sides[1]
        guard count > 0, area > 0, area <= Self.mostPixels, (1...1_024).contains(sides.count > 2 ? sides[2] : 1) else {
            throw ImagesError(
                .badData,
                "\(path): \(images.dimensions.map(String.init).joined(separator: " × ")), expected images × height × width (× channels)"
            )
        }
        self.count = count
        (height, width, channels) = (sides[0], sides[1], sides.count > 2 ? sides[2] : 1)
        pixels = images.elements
        guard readsLabels else {
            (files, labels) = ([path], [])
            return
        }
        let labelFile = try Self.labelFile(of: path, count: count)
        files = [path, labelFile.path]
        labels = labelFile.elements.map(Int.init)
    }

    /// The file of labels beside one of images.
    private static func labelFile(of path: String, count: Int) throws(ImagesError) -> IDXFile {
        let labelPath = labelPath(of: path)
        guard labelPath != path else {
            throw ImagesError(
                .missingInput,
                "\(path): where its labels are cannot be told; name the files like train-images-idx3-ubyte and train-labels-idx1-ubyte"
            )
        }
        let labels = try IDXFile(try DataFile(path: labelPath), dimensionCounts: 1...1, holding: "labels")
        guard labels.dimensions[0] == count else {
            throw ImagesError(
                .badData, "\(labelPath): \(labels.dimensions[0]) labels, expected \(count) as \(path) has images")
        }
        return labels
    }

    private static func labelPath(of path: String) -> String {
        let folder = (path as NSString).deletingLastPathComponent
        let name = (path as NSString).lastPathComponent.replacing("images", with: "labels")
            .replacing("idx3", with: "idx1").replacing("idx4", with: "idx1")
        return (folder as NSString).appendingPathComponent(name)
    }

    /// Classes: one more than the largest label.
    public var classCount: Int { (labels.max() ?? 0) + 1 }

    /// Checks that every label is one of so many classes.
    ///
    /// - Throws: ``ImagesError`` naming the first that is not.
    public func check(classCount: Int) throws(ImagesError) {
        guard let index = labels.firstIndex(where: { $0 >= classCount }) else { return }
        throw ImagesError(
            .badData,
            "\(path): image \(index) has the label \(labels[index]), expected one from 0 to \(classCount - 1), as in the training data"
        )
    }

    /// The pixels of one image: [height, width, channels].
    ///
    /// - Precondition: the index is one of an image.
    func withPixels<Result>(of index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        precondition(index >= 0 && index < count)
        let size = height * width * channels
        return pixels.withUnsafeBufferPointer {
            body(UnsafeBufferPointer(rebasing: $0[index * size..<(index + 1) * size]))
        }
    }
}
