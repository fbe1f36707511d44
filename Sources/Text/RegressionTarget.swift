/// The label of a row as a number, for regression.
///
/// - Parameter path: the row's file, for the message.
/// - Throws: `badData`, with the line, if it is not a finite decimal number or is too large for a `Float`.
public func regressionTarget(of row: TextRow, path: String) throws(TextError) -> Float {
    let label = try row.requiredLabel(path: path)
    guard isDecimalNumber(label), let target = Float(label), target.isFinite else {
        throw .badData(path, line: row.line, "the label is \(TextError.quoted(label)), expected a finite number")
    }
    return target
}
