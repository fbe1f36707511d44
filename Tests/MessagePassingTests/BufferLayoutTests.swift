import MessagePassing
import Testing

@Suite("buffer layouts")
struct BufferLayoutTests {
    @Test("parts given by counts lie one after another")
    func contiguous() throws {
        let layout = try BufferLayout(counts: [3, 0, 2])
        #expect(layout.displacements == [0, 3, 3])
        #expect(layout.extent == 5)
        #expect((0..<4).map(layout.range(of:)) == [0..<3, 3..<3, 3..<5, 0..<0])
    }

    @Test("the extent is the end of the part that reaches furthest")
    func extent() throws {
        #expect(try BufferLayout(counts: [2, 3], displacements: [10, 0]).extent == 12)
        #expect(try BufferLayout(counts: []).extent == 0)
    }

    @Test("parts past Int32.max are laid out, not truncated")
    func large() throws {
        let count = Int(Int32.max)
        let layout = try BufferLayout(counts: [count, count, 1])
        #expect(layout.displacements == [0, count, 2 * count])
        #expect(layout.extent == 2 * count + 1)
    }

    @Test(
        "negative and overflowing parts are refused",
        arguments: [([-1], [0]), ([1], [-1]), ([Int.max], [1]), ([1, 2], [0]), ([1, Int.min], [0, 0])])
    func refused(counts: [Int], displacements: [Int]) {
        #expect { try BufferLayout(counts: counts, displacements: displacements) } throws: {
            ($0 as? MessagePassingError)?.kind == .invalidArgument
        }
    }

    @Test("counts whose sum overflows are refused", arguments: [[Int.max, 1], [Int.max, Int.max, 2, 5], [3, -1]])
    func overflow(counts: [Int]) {
        #expect { try BufferLayout(counts: counts) } throws: { ($0 as? MessagePassingError)?.kind == .invalidArgument }
    }
}
