import Diagnostics
import LinearAlgebra
import Safetensors
import WeightMethods

extension WeightFileJob {
    /// Does one piece, and tells what it changed: nil for what is copied.
    func work(_ piece: Piece, into file: SharedTensorFile) throws -> TensorChange? {
        switch piece {
        case .copy(let tensor, let range):
            let bytes = UnsafeRawBufferPointer(rebasing: input.bytes(of: tensor)[range])
            try file.write(bytes, of: tensor.name, at: range.lowerBound)
            return nil
        case .change(let index, let rows):
            do {
                return try change(targets[index], rows, into: file)
            } catch let error as WeightMethodError {
                throw explained(error, targets[index], rows)
            }
        }
    }

    private func change(_ target: Target, _ rows: Range<Int>, into file: SharedTensorFile) throws -> TensorChange {
        let before = try weights(of: target, rows)
        let shape = (rows: rows.count, columns: target.columns)
        if case .quantize(let bits, let group) = method {
            let quantized = try before.withUnsafeMatrix(shape) { view throws(WeightMethodError) in
                try QuantizedMatrix(view, bits: bits, group: group)
            }
            try write(quantized, of: target, rows, into: file)
            return TensorChange(from: before, to: quantized.weights)
        }
        var after = before
        var (zeroRows, spectralNorm) = (0, Double?.none)
        try after.withUnsafeMutableMatrix(shape) { view in
            switch method {
            case .normalize: zeroRows = try normalizeRows(view)
            case .normalizeSpectrum: spectralNorm = try normalizeSpectrum(view)
            case .clip(let limit): try clip(view, to: limit)
            case .sparsify(let threshold): try sparsify(view, below: threshold)
            case .keep(let share):
                let count = Double(shape.rows) * Double(shape.columns) * share
                try sparsify(view, keeping: Int(count.rounded(.toNearestOrEven)))
            case .initialize(let scheme, let seed):
                try scheme.fill(
                    UnsafeMutableBufferPointer(start: view.base, count: shape.rows * shape.columns), seed: seed,
                    tensor: target.number, from: rows.lowerBound * target.columns, shape: target.shape)
            case .decay(let decay, _):
                guard let gradients, let tensor = gradients.tensor(named: target.name) else {
                    return try decay.step(view)
                }
                let slopes = try gradients.floats(of: tensor, elements: target.elements(of: rows))
                try slopes.withUnsafeMatrix(shape) { slopes throws(WeightMethodError) in
                    try decay.step(view, gradient: slopes)
                }
            case .quantize, .dequantize: break
            }
        }
        let type = target.types.after
        let place = rows.lowerBound * target.columns * type.size
        if type == .float32 {
            try after.withUnsafeBytes { try file.write($0, of: target.name, at: place) }
        } else {
            let bytes = type.bytes(of: after)
            after = type.floats(from: bytes)
            if let place = after.firstIndex(where: { !$0.isFinite }) {
                throw WeightFileError(
                    .badData,
                    "\(input.path): tensor '\(target.name)': the result at \(target.place(of: place, rows)) is beyond "
                        + "\(type.rawValue); leave out --keep-type for float32")
            }
            try bytes.withUnsafeBytes { try file.write($0, of: target.name, at: place) }
        }
        var change = TensorChange(from: before, to: after)
        change.zeroRows = zeroRows
        change.spectralNorm = spectralNorm
        return change
    }

    /// The weights of some rows, dequantised if need be.
    private func weights(of target: Target, _ rows: Range<Int>) throws -> [Float] {
        guard case .dequantize = method, let quantized = target.quantized else {
            guard let tensor = input.tensor(named: target.name) else { return [] }
            return try input.floats(of: tensor, elements: target.elements(of: rows))
        }
        guard let codes = input.tensor(named: quantized.codesName),
            let ranges = input.tensor(named: quantized.rangesName)
        else { return [] }
        let width = QuantizedMatrix.bytesPerRow(columns: target.columns, bits: quantized.bits)
        let ends = 2 * QuantizedMatrix.groupsPerRow(columns: target.columns, group: quantized.group)
        return try QuantizedMatrix(
            rows: rows.count, columns: target.columns, bits: quantized.bits, group: quantized.group,
            codes: [UInt8](input.bytes(of: codes)[rows.lowerBound * width..<rows.upperBound * width]),
            ranges: input.floats(
                of: ranges,
                elements: quantized.group == nil ? 0..<2 : rows.lowerBound * ends..<rows.upperBound * ends)
        ).weights
    }

    private func write(
        _ matrix: QuantizedMatrix, of target: Target, _ rows: Range<Int>, into file: SharedTensorFile
    ) throws {
        guard let quantized = target.quantized else { return }
        try matrix.codes.withUnsafeBytes {
            try file.write($0, of: quantized.codesName, at: rows.lowerBound * matrix.bytesPerRow)
        }
        try matrix.ranges.withUnsafeBytes {
            try file.write($0, of: quantized.rangesName, at: rows.lowerBound * matrix.groupsPerRow * 8)
        }
    }

    /// Says which tensor a method's complaint is about, and where in it.
    private func explained(_ error: WeightMethodError, _ target: Target, _ rows: Range<Int>) -> WeightFileError {
        guard case .notFinite(let row, let column, let value) = error else {
            return WeightFileError(error.kind, "\(input.path): tensor '\(target.name)': \(error)")
        }
        let place = target.place(of: row * target.columns + column, rows)
        return WeightFileError(
            .badData,
            "\(input.path): tensor '\(target.name)': \(value) at \(place), expected finite numbers; "
                + "'rankwise weights statistics' counts them")
    }
}

extension WeightFileJob.Target {
    /// The elements of some rows.
    func elements(of rows: Range<Int>) -> Range<Int> { rows.lowerBound * columns..<rows.upperBound * columns }

    /// The indices of an element that is counted from the first of some rows.
    func place(of element: Int, _ rows: Range<Int>) -> [Int] {
        var rest = rows.lowerBound * columns + element
        var indices: [Int] = []
        for dimension in shape.reversed() {
            indices.append(rest % max(dimension, 1))
            rest /= max(dimension, 1)
        }
        return indices.reversed()
    }
}

extension QuantizedMatrix {
    /// All weights, dequantised, row after row.
    var weights: [Float] {
        [Float](unsafeUninitializedCapacity: rows * columns) { values, count in
            for row in 0..<rows {
                fill(UnsafeMutableBufferPointer(rebasing: values[row * columns..<(row + 1) * columns]), fromRow: row)
            }
            count = rows * columns
        }
    }
}

extension [Float] {
    /// The elements as a matrix, while the body runs.
    func withUnsafeMatrix<Result, Failure: Error>(
        _ shape: (rows: Int, columns: Int), _ body: (MatrixView) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeBufferPointer { buffer throws(Failure) in
            guard let base = buffer.baseAddress else { preconditionFailure("a tensor that has elements") }
            return try body(MatrixView(base: base, rows: shape.rows, columns: shape.columns))
        }
    }

    /// The elements as a matrix that may be written, while the body runs.
    mutating func withUnsafeMutableMatrix(
        _ shape: (rows: Int, columns: Int), _ body: (MutableMatrixView) throws -> Void
    ) rethrows {
        try withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("a tensor that has elements") }
            try body(MutableMatrixView(base: base, rows: shape.rows, columns: shape.columns))
        }
    }
}
