import Diagnostics
public import MessagePassing
import Safetensors
import WeightMethods

#if canImport(Glibc)
    import Glibc
#endif

/// A method applied to a file of weights, tensor by tensor, by all processes of a job.
///
/// No process holds more than a tensor, or a block of rows where the method allows it. The file that comes out has the same
/// bytes for any number of processes.
public struct WeightFileJob {
    /// A tensor that the method is applied to.
    struct Target {
        let name: String
        let shape: [Int]
        let rows: Int
        let columns: Int
        /// Of the tensor that comes in, and of what comes out.
        let types: (before: ElementType, after: ElementType)
        let bytes: (before: Int, after: Int)
        /// Its number among all tensors of the file by name, which random numbers are drawn by.
        let number: Int
        /// Set where the tensor comes in quantised, or goes out so.
        let quantized: QuantizedTensor?
    }

    /// What one process does at a time.
    enum Piece {
        /// Some bytes of a tensor that stays as it is.
        case copy(TensorDescription, Range<Int>)
        /// Some rows of a target.
        case change(target: Int, rows: Range<Int>)
    }

    /// Weights, or a quarter of the bytes, of a piece: a tensor of more is divided.
    static let pieceSize = 1 << 18

    let input: SafetensorsFile
    let method: WeightMethod
    let gradients: SafetensorsFile?
    let targets: [Target]
    let pieces: [Piece]
    let layout: SafetensorsLayout

    /// Reads the file's header and decides what is to be done, the same on every process; nothing is written.
    ///
    /// - Parameters:
    ///   - patterns: names of tensors, see ``TensorSelection``; none means every matrix.
    ///   - keepsType: whether what comes out has the type that came in, rounded to it, and not float32.
    public init(
        input path: String, method: WeightMethod, patterns: [String] = [], keepsType: Bool = false
    ) throws {
        try method.check()
        let input = try SafetensorsFile(path: path)
        let quantized = try QuantizedTensor.all(of: input)
        var copied = input.tensorNames.compactMap { input.tensor(named: $0) }
        var targets: [Target] = []
        // Codes and ranges are no weights.
        let parts = Set(quantized.flatMap { [$0.codesName, $0.rangesName] })
        let candidates = copied.filter { !parts.contains($0.name) }
        let numbers = Dictionary(
            (candidates.map(\.name) + quantized.map(\.name)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                .enumerated().map { ($1, $0) }
        ) { first, _ in first }
        var left = quantized
        if case .dequantize = method {
            let chosen = try Self.choose(quantized, patterns, path: path)
            left = quantized.filter { !chosen.contains($0) }
            let used = Set(chosen.flatMap { [$0.codesName, $0.rangesName] })
            copied.removeAll { used.contains($0.name) }
            targets = chosen.map { Target(dequantizing: $0, keepsType: keepsType) }
        } else {
            let chosen = try TensorSelection(
                patterns, among: candidates, need: method.need, use: method.name, path: path
            ).tensors
            let names = Set(chosen.map(\.name))
            copied.removeAll { names.contains($0.name) }
            targets = chosen.map { Target($0, method, number: numbers[$0.name] ?? 0, keepsType: keepsType) }
            if case .quantize = method { left += targets.compactMap(\.quantized) }
        }
        var metadata = input.metadata
        metadata[QuantizedTensor.metadataKey] = left.isEmpty ? nil : try QuantizedTensor.metadata(left)
        let entries =
            copied.map { SafetensorsLayout.Entry(name: $0.name, elementType: $0.elementType, shape: $0.shape) }
            + targets.flatMap { $0.entries(method) }
        var names = Set<String>()
        for entry in entries where !names.insert(entry.name).inserted {
            throw WeightFileError(
                .badData, "\(path): has a tensor '\(entry.name)' already; rename it, the name is needed for the result")
        }
        layout = try SafetensorsLayout(entries, metadata: metadata)
        pieces = Self.pieces(copied, targets, isWhole: method.needsWholeTensor)
        gradients = try Self.gradients(method, targets)
        self.input = input
        self.method = method
        self.targets = targets
    }

    private static func choose(
        _ quantized: [QuantizedTensor], _ patterns: [String], path: String
    ) throws(WeightFileError) -> [QuantizedTensor] {
        guard !quantized.isEmpty else {
            throw WeightFileError(
                .badData, "\(path): no quantised tensors; 'rankwise weights quantize' writes such files")
        }
        guard !patterns.isEmpty else { return quantized }
        for pattern in patterns where !quantized.contains(where: { TensorPattern(pattern).matches($0.name) }) {
            let near = nearestName(to: pattern.filter { $0 != "*" && $0 != "?" }, among: quantized.map(\.name))
            throw WeightFileError(
                .usage,
                "\(path): no quantised tensor matches '\(pattern)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
        }
        return quantized.filter { tensor in patterns.contains { TensorPattern($0).matches(tensor.name) } }
    }

    private static func pieces(_ copied: [TensorDescription], _ targets: [Target], isWhole: Bool) -> [Piece] {
        var pieces: [Piece] = []
        for tensor in copied {
            let count = tensor.byteCount
            for start in stride(from: 0, to: count, by: 4 * pieceSize) {
                pieces.append(.copy(tensor, start..<min(start + 4 * pieceSize, count)))
            }
        }
        for (index, target) in targets.enumerated() {
            let height = isWhole ? target.rows : max(1, pieceSize / target.columns)
            for start in stride(from: 0, to: target.rows, by: height) {
                pieces.append(.change(target: index, rows: start..<min(start + height, target.rows)))
            }
        }
        return pieces
    }

    private static func gradients(_ method: WeightMethod, _ targets: [Target]) throws -> SafetensorsFile? {
        guard case .decay(_, let path?) = method else { return nil }
        let file = try SafetensorsFile(path: path)
        for target in targets {
            guard let gradient = file.tensor(named: target.name), gradient.elementType.isConvertible,
                gradient.shape == target.shape
            else {
                throw WeightFileError(
                    .badData,
                    "\(path): no gradient '\(target.name)' of floating point and of shape \(target.shape); "
                        + "choose the tensors that it has by --tensors")
            }
        }
        return file
    }

    /// What a piece takes, compared to others.
    private func cost(_ piece: Piece) -> Double {
        switch piece {
        case .copy(_, let range): return Double(range.count) / 4
        case .change(let index, let rows):
            let target = targets[index]
            let count = Double(rows.count) * Double(target.columns)
            guard case .normalizeSpectrum = method else { return 8 * count }
            // The Gram matrix.
            return count * Double(8 + min(rows.count, target.columns))
        }
    }

    /// Writes the file as the only process, under the name given, and leaves it to others to make it durable.
    package func writeAlone(to path: String) throws -> WeightReport {
        let file = try SharedTensorFile(creating: path, layout: layout)
        return WeightReport(self, try pieces.map { try work($0, into: file) })
    }

    /// Writes the file. Collective; its folder must be one that all processes see.
    ///
    /// - Parameter output: must not exist.
    /// - Returns: on every process what changed.
    /// - Throws: ``WeightFileError`` and others of this program; there is no output then.
    public func run(output: String, _ communicator: borrowing Communicator) throws -> WeightReport {
        var file: SharedTensorFile?
        if communicator.processIndex == 0 {
            guard !DurableFile.exists(output) else {
                throw WeightFileError(.usage, "\(output): exists; nothing was written, name a new file")
            }
            file = try SharedTensorFile(creating: "\(output).\(getpid()).partial", layout: layout)
        }
        let partial = try communicator.broadcasted(file?.path ?? "", from: 0)
        do {
            let results = try communicator.share(pieces.map(cost)) { index in
                let shared = try file ?? SharedTensorFile(opening: partial, layout: layout)
                file = shared
                return try work(pieces[index], into: shared)
            } finish: {
                try file?.synchronize()
            }
            if communicator.processIndex == 0 { try DurableFile.move(partial, toNew: output) }
            return WeightReport(self, results)
        } catch {
            if communicator.processIndex == 0 { DurableFile.discard(partial) }
            throw error
        }
    }
}

extension WeightFileError {
    /// An error of any module, as one that can be passed on to the other processes.
    init(of error: any Error) {
        self.init((error as? any Diagnosis)?.kind ?? .computation, "\(error)")
    }
}

extension WeightFileJob.Target {
    init(_ tensor: TensorDescription, _ method: WeightMethod, number: Int, keepsType: Bool) {
        name = tensor.name
        shape = tensor.shape
        (rows, columns) = tensor.matrixShape
        self.number = number
        let before = tensor.byteCount
        if case .quantize(let bits, let group) = method {
            let result = QuantizedTensor(
                name: tensor.name, elementType: tensor.elementType, shape: tensor.shape, bits: bits, group: group)
            quantized = result
            types = (tensor.elementType, .uint8)
            bytes = (before, result.byteCount)
        } else {
            quantized = nil
            let after = keepsType ? tensor.elementType : .float32
            types = (tensor.elementType, after)
            bytes = (before, tensor.count * after.size)
        }
    }

    init(dequantizing tensor: QuantizedTensor, keepsType: Bool) {
        name = tensor.name
        shape = tensor.shape
        (rows, columns) = tensor.matrixShape
        number = 0
        quantized = tensor
        types = (.uint8, keepsType ? tensor.elementType : .float32)
        bytes = (tensor.byteCount, rows * columns * types.after.size)
    }

    /// The tensors that come out.
    func entries(_ method: WeightMethod) -> [SafetensorsLayout.Entry] {
        if case .quantize = method, let quantized { return quantized.entries }
        return [.init(name: name, elementType: types.after, shape: shape)]
    }
}

extension QuantizedTensor {
    /// Of codes and ranges.
    var byteCount: Int { entries.reduce(0) { $0 + $1.byteCount } }
}
