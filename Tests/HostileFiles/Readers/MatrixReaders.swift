import Foundation
import Safetensors
import Text

/// Arrays of NumPy, and every element.
struct NumPyReader: FileReader {
    static let name = "numpy"
    static let share = 6

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        func file(_ type: String, _ order: String, _ shape: String, _ count: Int, version: UInt8 = 1) -> [UInt8] {
            let header = Array("{'descr': '\(type)', 'fortran_order': \(order), 'shape': \(shape), }\n".utf8)
            let length = [UInt8(header.count & 0xFF), UInt8(header.count >> 8)] + (version == 1 ? [] : [0, 0])
            return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + header + [UInt8](repeating: 7, count: count)
        }
        let written: [(String, Seed.Verdict, [UInt8])] = [
            ("double", .accepted, file("<f8", "False", "(3, 5)", 120)),
            ("half", .accepted, file("<f2", "True", "(4, 2)", 16, version: 2)),
            ("whole", .accepted, file("<i4", "False", "(1, 6)", 24, version: 3)),
            ("no-elements", .accepted, file("<f4", "False", "(0, 9223372036854775807)", 0)),
            ("too-many", .refused, file("<f8", "False", "(4611686018427387904, 4)", 0)),
            ("list", .refused, file("<f8", "False", "(3,)", 24)),
        ]
        seeds = try written.map { name, verdict, contents in
            try workshop.seed(name, file: "x.npy", contents: contents, format: .lines, verdict: verdict)
        }
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        let file = try NumPyFile(path: input.seed.path)
        guard file.doubles().count == file.rows * file.columns else {
            throw BrokenPromise("\(file.rows) × \(file.columns), but \(file.doubles().count) elements")
        }
    }
}

/// Entries of a sparse matrix as text.
struct EntryReader: FileReader {
    static let name = "entries"
    static let share = 6

    let seeds: [Seed]

    init(_ workshop: Workshop) throws {
        let words = try Workshop.bytes(workshop.fixture("jieba-words/frequent.tsv"))
        seeds = [
            try workshop.seed("words", file: "words.tsv", contents: words, format: .lines),
            try workshop.seed(
                "small", file: "a.tsv", text: "\u{FEFF}a\tb\t1\r\na\tc\t-2.5e-3\nd\tb\t0\n", format: .lines),
            try workshop.seed("twice", file: "b.tsv", text: "a\tb\t1\na\tb\t2\n", format: .lines, verdict: .refused),
        ]
    }

    func read(_ input: Input) throws {
        try input.contents.write(to: input.seed.path)
        let table = try EntryTable(path: input.seed.path)
        for entry in table.entries {
            guard table.rowNames.indices.contains(entry.row), table.columnNames.indices.contains(entry.column),
                entry.value.isFinite
            else { throw BrokenPromise("an entry at row \(entry.row), column \(entry.column) of value \(entry.value)") }
        }
    }
}
