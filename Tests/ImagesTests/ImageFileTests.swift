import Diagnostics
import FixtureFiles
import Foundation
import Images
import Randomness
import Testing

/// Two images of 2 × 3 pixels with their labels, as IDX has them.
private let imageBytes: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3] + (0..<12).map { UInt8(10 * $0) }
private let labelBytes: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 2, 7, 1]

private struct Folder {
    let temporary: Fixture.TemporaryFolder

    init() throws { temporary = try Fixture.TemporaryFolder() }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = temporary.path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }
}

/// The pixels of all images as they are.
private func pixels(_ images: ImageSet) -> [Float] {
    let side = images.height
    return (0..<images.count).flatMap { index in
        var values = [Float](repeating: -1, count: side * side * images.channels)
        ImageTransform(side: side, scale: 1).write(index, of: images, draw: nil, to: &values)
        return values
    }
}

@Suite("Files of images")
struct ImageFileTests {
    @Test("IDX, plain and gzipped, gives its images and labels")
    func idx() throws {
        let folder = try Folder()
        let path = try folder.write("train-images-idx3-ubyte", imageBytes)
        _ = try folder.write("train-labels-idx1-ubyte", labelBytes)
        let images = try ImageSet(path: path)
        #expect(images.count == 2 && images.height == 2 && images.width == 3 && images.channels == 1)
        #expect(images.labels == [7, 1] && images.classCount == 8)
        #expect(
            images.files.map { ($0 as NSString).lastPathComponent } == [
                "train-images-idx3-ubyte", "train-labels-idx1-ubyte",
            ])
        #expect(throws: ImagesError.self) { try images.check(classCount: 7) }
    }

    @Test("CSV with and without a header, the label first, last or by name")
    func csv() throws {
        let folder = try Folder()
        for (text, column) in [
            ("0,16,3,4,1\n5,6,7.0,8,0\n", nil), ("1,0,16,3,4\r\n0,5,6,7,8\r\n", "0"),
            ("a,b,class,c,d\n0,16,1,3,4\n5,6,0,7,8", "class"), ("0,16,3,4,1\n5,6,7,8,0", "label"),
            // A byte order mark, quotes, spaces and blank lines, as spreadsheets and data frames leave them.
            ("\u{FEFF}0,16,3,4,1\n5,6,7,8,0\n", "4"), ("\u{FEFF}0,16,3,4,1\n5,6,7,8,0\n", "label"),
            ("\u{FEFF}label,a,b,c,d\n1,0,16,3,4\n0,5,6,7,8", "label"),
            (#""label","1x1","1x2","2x1","2x2""# + "\n1,0,16,3,4\n0,5,6,7,8", "label"),
            (#""label","1x1","1x2","2x1","2x2""# + "\n1,0,16,3,4\n0,5,6,7,8", "0"),
            (#""0","16","3","4","1""# + "\n" + #""5","6","7","8","0""#, "label"),
            ("0, 16, 3, 4, 1\n5,6,7,8,0\n", "label"), ("0, 16, 3, 4, 1\n5 ,\t6,7,8,0\n", "4"),
            ("\n0,16,3,4,1\n  \n5,6,7,8,0\n", nil),
            // Names that are numbers, beside one that is not.
            ("label,0,1,2,3\n1,0,16,3,4\n0,5,6,7,8", "label"), ("label,0,1,2,3\n1,0,16,3,4\n0,5,6,7,8", "0"),
            ("0,1,2,3,class\n0,16,3,4,1\n5,6,7,8,0", "class"),
        ] as [(String, String?)] {
            let images = try ImageSet(path: try folder.write("digits.csv", Array(text.utf8)), labelColumn: column)
            #expect(images.labels == [1, 0])
            #expect(pixels(images) == [0, 16, 3, 4, 5, 6, 7, 8])
        }
    }

    @Test(
        "a CSV that holds no images is refused in one line that names the place",
        arguments: [
            ("", ""), ("1,2,3\n", "square"), ("1,2,3,4,5\n1,2,3,4\n", ":2:"), ("1,2,3,4,5\n1,2,3,256,5\n", ":2:"),
            ("1,2,3,4,5\n1,2,-3,4,5\n", ":2:"), ("1,2,3,4,5\n1,2,,4,5\n", ":2:"),
            ("a,b,c,d,e\n1,2,3,4,5\n", "data.label"),
            ("1,2,3,4,99999999999\n", ""), ("5", ""), ("\n\n", ""), ("\"1,2,3,4,5\n", ":1:"),
            // Damage in the first row does not make it a header.
            ("0,,20,30,1\n5,5,5,5,0\n", ":1: ''"), ("0,10,NA,30,1\n5,5,5,5,0\n", ":1: 'NA'"),
            ("0,10,2x0,30,1\n5,5,5,5,0\n", ":1: '2x0'"), ("-1,10,20,30,1\n5,5,5,5,0\n", ":1: '-1'"),
            ("0.5,10,20,30,1\n5,5,5,5,0\n", ":1: '0.5'"), ("\n0,10,20,30,x\n5,5,5,5,0\n", ":2: 'x'"),
            (",,,,\n5,5,5,5,0\n", ":1: ''"),
        ])
    func csvRefusals(text: String, hint: String) throws {
        let folder = try Folder()
        let path = try folder.write("digits.csv", Array(text.utf8))
        expectRefusal(of: path, labelColumn: "label", hint: hint)
        let last = hint.contains("data.label") ? "none" : "4"
        expectRefusal(of: path, labelColumn: last, hint: text == "1,2,3\n" ? "no column 4" : hint)
    }

    @Test("images without labels are read where none are asked for, and labels that are there are left out")
    func unlabelled() throws {
        let folder = try Folder()
        for (text, column) in [
            ("0,16,3,4\n5,6,7,8\n", "label"), ("0,16,3,4\n5,6,7,8\n", "0"), ("a,b,c,d\n0,16,3,4\n5,6,7,8\n", "label"),
            ("0,16,3,4,?\n5,6,7,8,?\n", "label"), ("?,0,16,3,4\n?,5,6,7,8\n", "0"),
            ("label,a,b,c,d\n,0,16,3,4\n-1,5,6,7,8\n", "label"),
        ] {
            let images = try ImageSet(
                path: try folder.write("digits.csv", Array(text.utf8)), labelColumn: column, readsLabels: false)
            #expect(images.labels.isEmpty && images.count == 2)
            #expect(pixels(images) == [0, 16, 3, 4, 5, 6, 7, 8], "\(text)")
        }
        let alone = try ImageSet(path: try folder.write("c", imageBytes), readsLabels: false)
        #expect(alone.count == 2 && alone.labels.isEmpty)
        let missing = #expect(throws: ImagesError.self) {
            try ImageSet(
                path: try folder.write("digits.csv", Array("a,b,c,d,class\n1,2,3,4,5\n".utf8)), labelColumn: "label",
                readsLabels: false)
        }
        #expect(missing?.description.contains("no column 'label'") == true)
    }

    @Test(
        "the labels of IDX are found under the names that the published files have",
        arguments: [
            ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
            ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
            ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte"),
            ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
        ])
    func idxNames(images: String, labels: String) throws {
        let folder = try Folder()
        let path = try folder.write(images, imageBytes)
        let labelPath = try folder.write(labels, labelBytes)
        #expect(try ImageSet(path: path).labels == [7, 1])
        #expect(try ImageSet(path: path).files == [path, labelPath])
    }

    @Test("every IDX file that is cut off, or claims what it has not, is refused in one line")
    func idxRefusals() throws {
        let folder = try Folder()
        _ = try folder.write("a-labels-idx1", labelBytes)
        for length in [4, 8, 15, 16, 27] {
            expectRefusal(of: try folder.write("a-images-idx3", Array(imageBytes[..<length])), hint: "a-images-idx3")
        }
        for change in [(3, 1), (3, 9), (3, 0), (4, 255), (7, 1), (7, 3), (8, 255), (11, 0), (2, 13)] as [(Int, UInt8)] {
            var bytes = imageBytes
            bytes[change.0] = change.1
            expectRefusal(of: try folder.write("a-images-idx3", bytes), hint: "a-")
        }
        let good = try folder.write("b-images-idx3", imageBytes)
        expectRefusal(of: good, hint: "b-labels-idx1")
        for bytes in [[], Array(labelBytes[..<9]), [0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3], imageBytes] as [[UInt8]] {
            _ = try folder.write("b-labels-idx1", bytes)
            expectRefusal(of: good, hint: "b-labels-idx1")
        }
        expectRefusal(of: try folder.write("c", imageBytes), hint: "labels")
        expectRefusal(of: folder.temporary.path, hint: "not a regular file")
        expectRefusal(of: folder.temporary.path + "/nothing", hint: "no such file")
    }

    @Test("a gzipped file with any byte changed, or cut anywhere, is refused or gives what it did")
    func gzip() throws {
        let folder = try Folder()
        let compressed = [UInt8](try #require(Data(base64Encoded: Self.compressedCSV)))
        let whole = try ImageSet(path: try folder.write("a.csv.gz", compressed))
        #expect(whole.labels == [1, 0] && pixels(whole) == [0, 16, 3, 4, 5, 6, 7, 8])
        for length in 0..<compressed.count {
            expectRefusal(of: try folder.write("cut.csv.gz", Array(compressed[..<length])), hint: "cut.csv.gz")
        }
        for index in compressed.indices {
            var bytes = compressed
            bytes[index] ^= 0x55
            let path = try folder.write("changed.csv.gz", bytes)
            if let images = try? ImageSet(path: path) { #expect(pixels(images) == pixels(whole)) }
        }
    }

    /// "0,16,3,4,1\n5,6,7,8,0\n", gzipped.
    private static let compressedCSV = "H4sIAAAAAAACAzPQMTTTMdYx0THkMtUx0zHXsdAx4AIA1FksFBUAAAA="

    @Test("a small gzipped file that inflates to more than its header says is refused without being inflated whole")
    func bomb() throws {
        let folder = try Folder()
        _ = try folder.write("a-labels-idx1", labelBytes)
        let bytes = [UInt8](try #require(Data(base64Encoded: Self.bombIDX)))
        expectRefusal(of: try folder.write("a-images-idx3", bytes), hint: "more than 28 bytes")
    }

    /// The two images, and a million zeros after them, gzipped.
    private static let bombIDX =
        """
        H4sIAAAAAAACA+3DoQ6AIAAFwDcpjmwmm81mstlM5v+jxb/gbrtkL0m2f0k92nnd/XnHDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAsKwP1Ih7P1xCDwA=
        """

    private func expectRefusal(
        of path: String, labelColumn: String? = nil, hint: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: ImagesError.self, sourceLocation: sourceLocation) {
            try ImageSet(path: path, labelColumn: labelColumn)
        }
        guard let message = error?.description else { return }
        #expect(
            !message.contains("\n") && (hint.isEmpty || message.contains(hint)), "\(message)",
            sourceLocation: sourceLocation)
    }
}

@Suite("From pixels to numbers")
struct ImageTransformTests {
    private let images: ImageSet

    init() throws {
        let folder = try Folder()
        images = try ImageSet(path: try folder.write("a.csv", Array("0,10,20,30,1\n".utf8)))
    }

    private func transformed(
        _ transform: ImageTransform, _ draw: ImageTransform.Draw? = nil, of other: ImageSet? = nil
    ) -> [Float] {
        var values = [Float](repeating: -1, count: transform.side * transform.side)
        transform.write(0, of: other ?? images, draw: draw, to: &values)
        return values
    }

    @Test("normalisation: (pixel/scale − mean)/deviation")
    func normalization() {
        let values = transformed(ImageTransform(side: 2, scale: 10, mean: 1, deviation: 2))
        for (found, expected) in zip(values, [-0.5, 0, 0.5, 1]) { #expect(abs(Double(found) - expected) < 1e-6) }
    }

    @Test("resizing is PyTorch's bilinear interpolation")
    func resizing() {
        // F.interpolate(torch.tensor([[[[0., 10.], [20., 30.]]]]), 4, mode="bilinear")
        #expect(
            transformed(ImageTransform(side: 4, scale: 1)) == [
                0, 2.5, 7.5, 10, 5, 7.5, 12.5, 15, 15, 17.5, 22.5, 25, 20, 22.5, 27.5, 30,
            ])
        #expect(transformed(ImageTransform(side: 1, scale: 1)) == [15])
    }

    @Test("crops and mirrors are functions of seed, step and slot; outside is zero before normalisation")
    func augmentation() throws {
        let folder = try Folder()
        // No pixel is 0, as what is outside is.
        let images = try ImageSet(path: try folder.write("b.csv", Array("40,10,20,30,1\n".utf8)))
        let transform = ImageTransform(side: 2, scale: 1, mean: 1, margin: 1, flips: true)
        var seen = Set<[Float]>()
        for slot in 0..<200 {
            func draw() -> ImageTransform.Draw {
                ImageTransform.Draw(
                    RandomStream(seed: 3, purpose: .augmentation, step: 5, sample: slot), margin: 1, flips: true)
            }
            #expect(draw() == draw())
            #expect(abs(draw().down) <= 1 && abs(draw().right) <= 1)
            seen.insert(transformed(transform, draw(), of: images))
        }
        // Nine places, each as it is and mirrored; all of them differ.
        #expect(seen.count == 18)
        #expect(seen.contains([39, 9, 19, 29]) && seen.contains([9, -1, 29, -1]) && seen.contains([39, -1, 19, -1]))
        let none = ImageTransform.Draw(RandomStream(seed: 3, purpose: .augmentation), margin: 0, flips: false)
        #expect(transformed(transform, none, of: images) == transformed(transform, nil, of: images))
    }
}
