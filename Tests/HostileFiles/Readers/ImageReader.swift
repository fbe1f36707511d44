import Foundation
import Images
import Models
import Training

/// Files of images, plain and gzipped, and the folder of an image network.
struct ImageReader: FileReader {
    static let name = "images"
    static let share = 8

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let images: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4] + (0..<48).map { UInt8(5 * $0) }
        let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 2]
        let companions = try workshop.newFolder("idx-files")
        try images.write(to: companions + "/images-idx3")
        try labels.write(to: companions + "/labels-idx1")
        let zipped = try workshop.newFolder("gzipped-files")
        try Self.gzippedRows.write(to: zipped + "/digits.csv.gz")
        let rows = "a,b,c,d,label\n0,16,3,4,1\n5,6,7.0,8,0\n"
        seeds = [
            try workshop.seed("idx-images", file: "images-idx3", copying: companions, format: .lines),
            try workshop.seed("idx-labels", file: "labels-idx1", copying: companions, format: .lines),
            try workshop.seed("rows", file: "digits.csv", text: rows, format: .lines),
            try workshop.seed("gzipped", file: "digits.csv.gz", copying: zipped, format: .lines),
            try workshop.seed(
                "network", file: "config.json", copying: workshop.fixture("small-hcformer"), format: .json),
            try workshop.seed(
                "pixels", file: "preprocessor_config.json", copying: workshop.fixture("small-hcformer"),
                text: #"{"size": 12, "scale": 255, "image_mean": 0.5, "image_std": 0.5, "crop": 1, "flip": true}"#,
                format: .json),
        ]
    }

    /// "0,16,3,4,1\n5,6,7,8,0\n", gzipped.
    private static let gzippedRows = [UInt8](
        Data(base64Encoded: "H4sIAAAAAAACAzPQMTTTMdYx0THkMtUx0zHXsdAx4AIA1FksFBUAAAA=") ?? Data())

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        guard input.seed.path.hasSuffix(".json") else {
            let folder = (input.seed.path as NSString).deletingLastPathComponent
            let isIDX = input.seed.path.hasSuffix("-idx1") || input.seed.path.hasSuffix("-idx3")
            let images = try ImageSet(path: isIDX ? folder + "/images-idx3" : input.seed.path, labelColumn: "label")
            guard images.count > 0, images.labels.count == images.count, images.classCount > 0 else {
                throw BrokenPromise("\(images.count) images with \(images.labels.count) labels were accepted")
            }
            var values = [Float](repeating: .nan, count: 9 * images.channels)
            ImageTransform(side: 3).write(images.count - 1, of: images, draw: nil, to: &values)
            guard values.allSatisfy({ $0.isFinite }) else { throw BrokenPromise("a pixel became \(values)") }
            return
        }
        let folder = try ImageModelFolder(path: (input.seed.path as NSString).deletingLastPathComponent)
        // What a change of the configuration claims, the weights must bear out before memory is taken for it.
        try folder.checkTensors()
        let model = try ImageModel(folder.configuration)
        try folder.load(into: model)
    }
}
