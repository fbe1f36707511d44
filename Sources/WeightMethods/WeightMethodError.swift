public import Diagnostics
import LinearAlgebra

/// Weights or settings that a method cannot work with. Nothing was changed.
public enum WeightMethodError: Diagnosis {
    /// An element that is NaN or infinite.
    case notFinite(row: Int, column: Int, value: Float)
    /// A setting out of its range, as one line.
    case badSetting(String)
    /// A decomposition that did not converge, as one line.
    case notConverged(String)

    public var kind: FailureKind {
        switch self {
        case .notFinite: .badData
        case .badSetting: .usage
        case .notConverged: .computation
        }
    }

    public var description: String {
        switch self {
        case .notFinite(let row, let column, let value):
            "element [\(row), \(column)] is \(value), expected finite numbers"
        case .badSetting(let line), .notConverged(let line): oneLine(line)
        }
    }
}

extension MatrixView {
    /// - Throws: ``WeightMethodError/notFinite(row:column:value:)`` for the first element that is not finite.
    func requireFinite() throws(WeightMethodError) {
        for row in 0..<rows {
            for (column, value) in self.row(row).enumerated() where !value.isFinite {
                throw .notFinite(row: row, column: column, value: value)
            }
        }
    }
}

/// - Throws: ``WeightMethodError/badSetting(_:)`` unless the number is finite and not negative.
func requireNotNegative(_ number: Float, _ name: String) throws(WeightMethodError) {
    guard number.isFinite, number >= 0 else {
        throw .badSetting("\(name) is \(number), expected a finite number from 0")
    }
}
