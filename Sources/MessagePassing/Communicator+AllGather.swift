internal import COpenMPI

extension Communicator {
    /// Collects parts of equal counts, in the order of the processes, on every process.
    ///
    /// Any count is handled. The corresponding C function is `MPI_Allgather` (MPI 3.1, section 5.7).
    ///
    /// - Parameters:
    ///   - part: this process's elements; of the same count on every process, which is not checked.
    ///   - buffer: receives `processCount` parts; must not overlap `part`.
    /// - Throws: ``MessagePassingError``; `invalidArgument` if `buffer` is too short.
    public func allGather<Element: MessageElement>(
        _ part: UnsafeBufferPointer<Element>, into buffer: UnsafeMutableBufferPointer<Element>
    ) throws(MessagePassingError) {
        let (total, overflow) = part.count.multipliedReportingOverflow(by: processCount)
        try requireBuffer(of: buffer.count, holds: overflow ? Int.max : total, "receiving", routine: "MPI_Allgather")
        guard let handle else { return copy(part, to: buffer, at: 0) }
        guard total <= countLimit else {
            let layout = try BufferLayout(counts: [Int](repeating: part.count, count: processCount))
            return try allGather(varying: part, into: buffer, layout: layout)
        }
        let datatype = Element.representation.datatype
        try check(
            "MPI_Allgather",
            MPI_Allgather(
                part.baseAddress, Int32(part.count), datatype, buffer.baseAddress, Int32(part.count), datatype, handle))
    }

    /// Collects arrays of equal counts, one after another in the order of the processes, on every process.
    ///
    /// - Parameter part: this process's elements.
    /// - Returns: `processCount * part.count` elements.
    /// - Throws: ``MessagePassingError``; `unequalCounts` on every process if the counts differ.
    public func allGathered<Element: MessageElement>(_ part: [Element]) throws(MessagePassingError) -> [Element] {
        try requireEqualCounts(part.count, routine: "MPI_Allgather")
        let layout = try BufferLayout(counts: [Int](repeating: part.count, count: processCount))
        return try allGathered(part, layout: layout)
    }

    /// Collects arrays of any counts, one after another in the order of the processes, on every process.
    ///
    /// - Parameter part: this process's elements.
    /// - Returns: the elements of all processes, and where those of each process are.
    /// - Throws: ``MessagePassingError``
    public func allGathered<Element: MessageElement>(
        varying part: [Element]
    ) throws(MessagePassingError) -> (elements: [Element], layout: BufferLayout) {
        let layout = try BufferLayout(counts: try allGathered([Int64(part.count)]).map(Int.init))
        return (try allGathered(part, layout: layout), layout)
    }

    /// Collects parts of different counts on every process.
    ///
    /// - Parameters:
    ///   - part: this process's elements, as many as `layout` says.
    ///   - buffer: receives the parts; must not overlap `part`.
    ///   - layout: where each process's part goes in `buffer`; the same on every process.
    /// - Throws: ``MessagePassingError``; `invalidArgument` if the buffers do not fit the layout.
    public func allGather<Element: MessageElement>(
        varying part: UnsafeBufferPointer<Element>, into buffer: UnsafeMutableBufferPointer<Element>,
        layout: BufferLayout
    ) throws(MessagePassingError) {
        let own = layout.range(of: processIndex)
        try requireBuffer(of: buffer.count, holds: layout.extent, "receiving", routine: "MPI_Allgatherv")
        guard part.count == own.count else {
            throw MessagePassingError(
                .invalidArgument, routine: "MPI_Allgatherv",
                "process \(processIndex) sends \(part.count) elements; expected \(own.count), as the layout says")
        }
        if let source = part.baseAddress, let target = buffer.baseAddress {
            (target + own.lowerBound).update(from: source, count: own.count)
        }
        try allGatherInPlace(buffer, layout: layout)
    }

    /// Completes a buffer of which every process has filled its own part.
    ///
    /// A layout past `Int32.max` is handled, by one broadcast after another. The corresponding C function is
    /// `MPI_Allgatherv` with `MPI_IN_PLACE` (MPI 3.1, section 5.7).
    ///
    /// - Parameters:
    ///   - buffer: holds this process's part where `layout` has it, and receives the others.
    ///   - layout: the part of each process; the same on every process.
    /// - Throws: ``MessagePassingError``; `invalidArgument` if the buffer does not fit the layout.
    public func allGatherInPlace<Element: MessageElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, layout: BufferLayout
    ) throws(MessagePassingError) {
        try requireLayout(layout, routine: "MPI_Allgatherv")
        try requireBuffer(of: buffer.count, holds: layout.extent, "receiving", routine: "MPI_Allgatherv")
        guard let handle else { return }
        guard layout.extent <= countLimit else {
            // The layout is the same everywhere, so every process comes to the same decision without a message.
            for process in 0..<processCount {
                try broadcast(UnsafeMutableBufferPointer(rebasing: buffer[layout.range(of: process)]), from: process)
            }
            return
        }
        let datatype = Element.representation.datatype
        try check(
            "MPI_Allgatherv",
            MPI_Allgatherv(
                COpenMPI_IN_PLACE(), 0, datatype, buffer.baseAddress, layout.messageCounts, layout.messageDisplacements,
                datatype, handle))
    }

    /// Completes a buffer of which every process has filled its own part; the parts lie one after another.
    ///
    /// - Parameters:
    ///   - buffer: holds this process's part, and receives the others.
    ///   - counts: the number of elements of each process; the same on every process.
    /// - Throws: ``MessagePassingError``; `invalidArgument` if the buffer does not fit the counts.
    public func allGatherInPlace<Element: MessageElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, counts: [Int]
    ) throws(MessagePassingError) {
        try allGatherInPlace(buffer, layout: try BufferLayout(counts: counts))
    }

    private func allGathered<Element: MessageElement>(
        _ part: [Element], layout: BufferLayout
    ) throws(MessagePassingError) -> [Element] {
        var elements = [Element](repeating: .zero, count: layout.extent)
        try part.withUnsafeBufferPointer { (part) throws(MessagePassingError) in
            try elements.withUnsafeMutableBufferPointer { (buffer) throws(MessagePassingError) in
                try allGather(varying: part, into: buffer, layout: layout)
            }
        }
        return elements
    }
}
