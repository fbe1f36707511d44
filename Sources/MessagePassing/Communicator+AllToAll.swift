internal import COpenMPI

extension Communicator {
    /// Sends one part of a buffer to each process and receives one part from each, all of the same count.
    ///
    /// The corresponding C function is `MPI_Alltoall` (MPI 3.1, section 5.8).
    ///
    /// - Parameters:
    ///   - source: the parts to send, in the order of the processes; of the same count on every process, which is not
    ///     checked.
    ///   - target: receives the parts, in the order of the processes; must not overlap `source`.
    /// - Throws: ``MessagePassingError``; `invalidArgument` if `source` cannot be divided by the number of processes or
    ///   `target` is too short, `countTooLarge` past `Int32.max` elements.
    public func allToAll<Element: MessageElement>(
        sending source: UnsafeBufferPointer<Element>, receiving target: UnsafeMutableBufferPointer<Element>
    ) throws(MessagePassingError) {
        guard source.count.isMultiple(of: processCount) else {
            throw MessagePassingError(
                .invalidArgument, routine: "MPI_Alltoall",
                "\(source.count) elements cannot be divided among \(processCount) processes")
        }
        try requireBuffer(of: target.count, holds: source.count, "receiving", routine: "MPI_Alltoall")
        try requireCountWithinLimit(source.count, routine: "MPI_Alltoall")
        guard let handle else { return copy(source, to: target, at: 0) }
        let datatype = Element.representation.datatype
        let count = Int32(source.count / processCount)
        try check(
            "MPI_Alltoall",
            MPI_Alltoall(source.baseAddress, count, datatype, target.baseAddress, count, datatype, handle))
    }

    /// Sends one part of a buffer to each process and receives one part from each, of any counts. Allocates nothing.
    ///
    /// Process i's send count for j must be process j's receive count for i; ``exchangedCounts(_:)`` finds out where it
    /// is not known. The corresponding C function is `MPI_Alltoallv` (MPI 3.1, section 5.8).
    ///
    /// - Parameters:
    ///   - source: the elements to send.
    ///   - sendLayout: the part of `source` that goes to each process.
    ///   - target: receives the parts; must not overlap `source`.
    ///   - receiveLayout: where in `target` each process's part goes.
    /// - Throws: ``MessagePassingError``; `invalidArgument` if a buffer does not fit its layout, `countTooLarge` if a
    ///   layout reaches past `Int32.max`.
    public func allToAll<Element: MessageElement>(
        sending source: UnsafeBufferPointer<Element>, sendLayout: BufferLayout,
        receiving target: UnsafeMutableBufferPointer<Element>, receiveLayout: BufferLayout
    ) throws(MessagePassingError) {
        try requireLayout(sendLayout, routine: "MPI_Alltoallv")
        try requireLayout(receiveLayout, routine: "MPI_Alltoallv")
        try requireBuffer(of: source.count, holds: sendLayout.extent, "sending", routine: "MPI_Alltoallv")
        try requireBuffer(of: target.count, holds: receiveLayout.extent, "receiving", routine: "MPI_Alltoallv")
        try requireCountWithinLimit(sendLayout.extent, routine: "MPI_Alltoallv")
        try requireCountWithinLimit(receiveLayout.extent, routine: "MPI_Alltoallv")
        guard sendLayout.counts[processIndex] == receiveLayout.counts[processIndex] else {
            throw MessagePassingError(
                .unequalCounts, routine: "MPI_Alltoallv",
                "process \(processIndex) sends itself \(sendLayout.counts[processIndex]) elements, "
                    + "but expects \(receiveLayout.counts[processIndex])")
        }
        guard let handle else {
            let sent = UnsafeBufferPointer(rebasing: source[sendLayout.range(of: 0)])
            return copy(sent, to: target, at: receiveLayout.range(of: 0).lowerBound)
        }
        let datatype = Element.representation.datatype
        try check(
            "MPI_Alltoallv",
            MPI_Alltoallv(
                source.baseAddress, sendLayout.messageCounts, sendLayout.messageDisplacements, datatype,
                target.baseAddress, receiveLayout.messageCounts, receiveLayout.messageDisplacements, datatype, handle))
    }

    /// Tells every process how many elements it will get from each.
    ///
    /// - Parameter sendCounts: for each process, the number of elements that this process will send it.
    /// - Returns: for each process, the number of elements that it will send this process.
    /// - Throws: ``MessagePassingError``; `invalidArgument` unless there is one count for each process.
    public func exchangedCounts(_ sendCounts: [Int]) throws(MessagePassingError) -> [Int] {
        guard sendCounts.count == processCount else {
            throw MessagePassingError(
                .invalidArgument, routine: "MPI_Alltoall",
                "\(sendCounts.count) counts; expected one for each of the \(processCount) processes")
        }
        guard let handle else { return sendCounts }
        let source = sendCounts.map(Int64.init)
        var target = [Int64](repeating: 0, count: processCount)
        let datatype = Int64.representation.datatype
        try check("MPI_Alltoall", MPI_Alltoall(source, 1, datatype, &target, 1, datatype, handle))
        return target.map(Int.init)
    }
}
