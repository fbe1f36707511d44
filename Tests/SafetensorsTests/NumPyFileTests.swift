import Diagnostics
import FixtureFiles
import Foundation
import Safetensors
import Testing

@Suite("NumPy arrays")
struct NumPyFileTests {
    private let folder: Fixture.TemporaryFolder
    private var path: String { folder.path + "/x.npy" }

    init() throws { folder = try Fixture.TemporaryFolder() }

    /// A file as `numpy.save` lays it out: magic, version, length of the header, header, data.
    private func write(_ header: String, data: [UInt8], version: UInt8 = 1, length: Int? = nil) throws {
        let count = length ?? header.utf8.count
        let lengthBytes =
            version == 1 ? littleEndianBytes([UInt16(truncatingIfNeeded: count)]) : littleEndianBytes([UInt32(count)])
        let bytes = [0x93] + Array("NUMPY".utf8) + [version, 0] + lengthBytes + Array(header.utf8) + data
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    private func header(_ type: String = "<f8", order: String = "False", shape: String = "(2, 3)") -> String {
        "{'descr': '\(type)', 'fortran_order': \(order), 'shape': \(shape), }            \n"
    }

    private static let numbers = [1.0, -2, 3, 0.5, 0, 1024]

    @Test(
        "of every type, version and order come as they are", arguments: ["<f8", "<f4", "<f2", "<i8", "<i4"], [1, 2, 3])
    func types(type: String, version: Int) throws {
        let whole = type.contains("i")
        let numbers = whole ? [1.0, -2, 3, 5, 0, 1024] : Self.numbers
        let data: [UInt8] =
            switch type {
            case "<f8": littleEndianBytes(numbers.map(\.bitPattern))
            case "<f4": littleEndianBytes(numbers.map { Float($0).bitPattern })
            case "<f2": littleEndianBytes([0x3C00, 0xC000, 0x4200, 0x3800, 0x0000, 0x6400] as [UInt16])
            case "<i8": littleEndianBytes(numbers.map { Int64($0) })
            default: littleEndianBytes(numbers.map { Int32($0) })
            }
        try write(header(type), data: data, version: UInt8(version))
        let file = try NumPyFile(path: path)
        #expect(file.rows == 2 && file.columns == 3)
        #expect(file.doubles() == numbers)
        #expect(file.isSinglePrecision == ["<f4", "<f2"].contains(type))
        try write(header(type, order: "True", shape: "(3,2)"), data: data, version: UInt8(version))
        let turned = try NumPyFile(path: path)
        #expect(turned.rows == 3 && turned.columns == 2)
        #expect(turned.doubles() == [0, 3, 1, 4, 2, 5].map { numbers[$0] })
    }

    @Test(
        "that are no matrix of numbers are refused by one line",
        arguments: [
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (6,), }", "two dimensions"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 3), }", "two dimensions"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", "two dimensions"),
            ("{'descr': '>f8', 'fortran_order': False, 'shape': (2, 3), }", "'>f8'"),
            ("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", "'|O'"),
            ("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2, 3), }", "expected a text"),
            ("{'descr': '<f8', 'fortran_order': 0, 'shape': (2, 3), }", "'False'"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (2, -3), }", "whole number"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 4), }", "truncated"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "counted"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2305843009213693952), }", "counted"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 1), }", "too large"),
            ("{'descr': '<f8', 'descr': '<f8', 'shape': (2, 3), }", "twice"),
            ("{'descr': '<f8', 'fortran_order': False}", "expected descr"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), 'x': 1}", "unexpected key"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), } more", "more text"),
            ("{'descr': '<f8", "does not end"), ("{", "expected a text"), ("", "'{'"), ("(2, 3)", "'{'"),
        ])
    func refusals(header: String, message: String) throws {
        try write(header, data: [UInt8](repeating: 0, count: 48))
        let error = #expect(throws: SafetensorsError.self) { try NumPyFile(path: path) }
        #expect(error?.kind == .badData)
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test("cut anywhere are refused")
    func truncation() throws {
        try write(header(), data: littleEndianBytes(Self.numbers.map(\.bitPattern)))
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for count in 0..<whole.count {
            try whole.prefix(count).write(to: URL(fileURLWithPath: path))
            #expect(throws: SafetensorsError.self, "\(count) bytes") { try NumPyFile(path: path) }
        }
        try write(header(), data: [], version: 2, length: Int(UInt32.max))
        #expect(throws: SafetensorsError.self) { try NumPyFile(path: path) }
        try write(header(), data: [], version: 4)
        #expect(throws: SafetensorsError.self) { try NumPyFile(path: path) }
        #expect(throws: SafetensorsError.self) { try NumPyFile(path: folder.path) }
        let error = #expect(throws: SafetensorsError.self) { try NumPyFile(path: folder.path + "/none.npy") }
        #expect(error?.kind == .missingInput)
    }
}
