import MessagePassing

/// One claim about a collective operation, computed from the process's index and count. Returns the exit code of the
/// process.
typealias Check = @Sendable (_ world: borrowing Communicator, _ argument: String?) throws -> Int32

/// An error that says how the process is to end.
protocol ErrorWithExitCode: Error {
    var exitCode: Int32 { get }
}

func exitCode(for error: any Error) -> Int32 {
    (error as? any ErrorWithExitCode)?.exitCode ?? 1
}

/// A claim that does not hold.
struct CheckFailure: ErrorWithExitCode, CustomStringConvertible {
    let description: String
    let exitCode: Int32

    init(_ description: String, exitCode: Int32 = 1) {
        self.description = description
        self.exitCode = exitCode
    }
}

func expect<Value: Equatable>(_ value: Value, equals expected: Value, _ claim: String) throws {
    guard value == expected else { throw CheckFailure("\(claim): found \(value), expected \(expected)") }
}

func expect(_ kind: MessagePassingError.Kind, _ claim: String, from operation: () throws(MessagePassingError) -> Void)
    throws
{
    do throws(MessagePassingError) {
        try operation()
    } catch {
        guard error.kind == kind else {
            throw CheckFailure("\(claim): found \(error), expected an error of kind \(kind)")
        }
        return
    }
    throw CheckFailure("\(claim): no error; expected one of kind \(kind)")
}

let checks: [String: Check] = jobChecks.merging(gatherChecks) { first, _ in first }
    .merging(exchangeChecks) { first, _ in first }.merging(reduceChecks) { first, _ in first }
    .merging(broadcastChecks) { first, _ in first }.merging(selectionChecks) { first, _ in first }
    .merging(counterChecks) { first, _ in first }
