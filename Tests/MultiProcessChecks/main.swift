import MessagePassing

// Started by the tests under mpirun: `multi-process-checks NAME[=ARGUMENT] ...` runs the checks of these names, one
// after another, on every process of the job. Ends with 0 if they hold, with 1 and the failed claim if one does not.

let arguments = CommandLine.arguments.dropFirst()

runJob(exitCode: exitCode(for:)) { world in
    guard !arguments.isEmpty else { throw CheckFailure("no check named", exitCode: 64) }
    var code: Int32 = 0
    for argument in arguments {
        let words = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard let name = words.first, let check = checks[name] else {
            let known = checks.keys.sorted().joined(separator: ", ")
            throw CheckFailure("unknown check \(argument); expected one of \(known)", exitCode: 64)
        }
        do {
            code = max(code, try check(world, words.dropFirst().first))
        } catch let failure as CheckFailure {
            throw CheckFailure("\(name): \(failure)", exitCode: failure.exitCode)
        }
        try world.barrier()
    }
    return code
}
