internal import COpenMPI

extension Communicator {
    /// Replaces each element by the combination of the elements of all processes at its place.
    ///
    /// Messages of more than `Int32.max` elements travel in pieces. The corresponding C function is `MPI_Allreduce`
    /// with `MPI_IN_PLACE` (MPI 3.1, section 5.9.6).
    ///
    /// - Parameters:
    ///   - buffer: the elements; of the same count on every process, which is not checked.
    ///   - reduction: how to combine them.
    /// - Throws: ``MessagePassingError``
    public func allReduce<Element: MessageElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction<Element>
    ) throws(MessagePassingError) {
        guard let handle else { return }
        let datatype = Element.representation.datatype
        let operation = reduction.handle
        var start = 0
        repeat {
            let count = min(buffer.count - start, countLimit)
            try check(
                "MPI_Allreduce",
                MPI_Allreduce(
                    COpenMPI_IN_PLACE(), buffer.baseAddress.map { $0 + start }, Int32(count), datatype, operation,
                    handle))
            start += count
        } while start < buffer.count
    }

    /// Replaces each element by the combination of the elements of all processes at its place.
    ///
    /// - Parameters:
    ///   - elements: an array of the same count on every process.
    ///   - reduction: how to combine them.
    /// - Throws: ``MessagePassingError``; `unequalCounts` on every process if the counts differ.
    public func allReduce<Element: MessageElement>(
        _ elements: inout [Element], _ reduction: Reduction<Element>
    ) throws(MessagePassingError) {
        try requireEqualCounts(elements.count, routine: "MPI_Allreduce")
        try elements.withUnsafeMutableBufferPointer { (buffer) throws(MessagePassingError) in
            try allReduce(buffer, reduction)
        }
    }

    /// The combination of the values of all processes.
    ///
    /// - Parameters:
    ///   - value: this process's value.
    ///   - reduction: how to combine them.
    /// - Throws: ``MessagePassingError``
    public func allReduced<Element: MessageElement>(
        _ value: Element, _ reduction: Reduction<Element>
    ) throws(MessagePassingError) -> Element {
        var value = value
        try withUnsafeMutablePointer(to: &value) { (pointer) throws(MessagePassingError) in
            try allReduce(UnsafeMutableBufferPointer(start: pointer, count: 1), reduction)
        }
        return value
    }
}
