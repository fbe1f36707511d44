internal import CKernels
import Dispatch

/// Products of many rows with one matrix.
///
/// What is computed for a row depends on that row alone, so that a batch may be cut anywhere.
package enum RowProducts {
    /// Threads that share a product, set before the first one. They change no bit of it.
    nonisolated(unsafe) package static var threads = 1

    /// `result = input · weightᵀ + keep · result` (`transposed`, weight [outputs, inputs]) or
    /// `input · weight + keep · result` (`none`, weight [inputs, outputs]).
    ///
    /// - Parameters:
    ///   - input: [T, inputs].
    ///   - result: [T, outputs].
    ///   - keep: 1 adds to the result, 0 replaces it.
    ///   - threads: that share the work.
    package static func multiply(
        _ input: MatrixView, _ weight: MatrixView, _ transposition: Transposition, keep: Float = 0,
        into result: MutableMatrixView, threads: Int = threads
    ) {
        let isTransposed = transposition == .transposed
        precondition(
            input.rows == result.rows && input.columns == (isTransposed ? weight.columns : weight.rows)
                && result.columns == (isTransposed ? weight.rows : weight.columns) && (keep == 0 || keep == 1))
        WorkLog.note(
            WorkLog.Product(
                rows: input.rows, columns: result.columns, inner: input.columns, rightIsTransposed: isTransposed,
                keeps: keep == 1))
        // The threads share the columns, in whole panels of any instruction set's kernel.
        let panels = (result.columns + 31) / 32
        let threads = max(1, min(threads, panels))
        WorkLog.measure(.products) {
            func multiplyColumns(_ part: Int) {
                let columns = part * panels / threads * 32..<min((part + 1) * panels / threads * 32, result.columns)
                kernel_row_product(
                    input.base, input.stride,
                    weight.base + columns.lowerBound * (isTransposed ? weight.stride : 1),
                    weight.stride, isTransposed ? 1 : 0, result.base + columns.lowerBound, result.stride, input.rows,
                    columns.count, input.columns, keep == 1 ? 1 : 0)
            }
            guard threads > 1 else { return multiplyColumns(0) }
            nonisolated(unsafe) let multiplyColumns = multiplyColumns
            DispatchQueue.concurrentPerform(iterations: threads) { multiplyColumns($0) }
        }
    }
}
