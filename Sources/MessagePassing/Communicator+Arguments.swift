// What a collective operation demands of its arguments before they go to MPI, which checks little and truncates
// quietly.
extension Communicator {
    func requireProcess(_ process: Int, routine: String) throws(MessagePassingError) {
        guard (0..<processCount).contains(process) else {
            throw MessagePassingError(
                .invalidArgument, routine: routine,
                "there is no process \(process); expected 0 to \(processCount - 1)")
        }
    }

    func requireBuffer(of count: Int, holds needed: Int, _ name: String, routine: String) throws(MessagePassingError) {
        guard count >= needed else {
            throw MessagePassingError(
                .invalidArgument, routine: routine,
                "the \(name) buffer has \(count) elements; expected at least \(needed)")
        }
    }

    func requireLayout(_ layout: BufferLayout, routine: String) throws(MessagePassingError) {
        guard layout.counts.count == processCount else {
            throw MessagePassingError(
                .invalidArgument, routine: routine,
                "the layout has \(layout.counts.count) parts; expected one for each of the \(processCount) processes")
        }
    }

    func requireCountWithinLimit(_ count: Int, routine: String) throws(MessagePassingError) {
        guard count <= countLimit else {
            throw MessagePassingError(
                .countTooLarge, routine: routine,
                "\(count) elements on process \(processIndex) are more than one exchange can hold (\(countLimit)); "
                    + "use more processes")
        }
    }

    /// Throws on every process unless `count` is the same on all of them. Collective.
    func requireEqualCounts(_ count: Int, routine: String) throws(MessagePassingError) {
        // The smallest count and the greatest by one reduction: max(-x) = -min(x).
        var extremes = [Int64(count), -Int64(count)]
        try extremes.withUnsafeMutableBufferPointer { (buffer) throws(MessagePassingError) in
            try allReduce(buffer, .maximum)
        }
        guard extremes == [Int64(count), -Int64(count)] else {
            throw MessagePassingError(
                .unequalCounts, routine: routine,
                "process \(processIndex) has \(count) elements, others have from \(-extremes[1]) to \(extremes[0]); "
                    + "expected the same number on every process")
        }
    }

    /// What a process without MPI sends itself.
    func copy<Element: MessageElement>(
        _ part: UnsafeBufferPointer<Element>, to buffer: UnsafeMutableBufferPointer<Element>, at place: Int
    ) {
        guard let source = part.baseAddress, let target = buffer.baseAddress else { return }
        (target + place).update(from: source, count: part.count)
    }
}
