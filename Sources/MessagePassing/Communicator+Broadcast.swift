internal import COpenMPI
public import FoundationEssentials

extension Communicator {
    /// Copies the root's elements into the buffer of every other process.
    ///
    /// Messages of more than `Int32.max` elements travel in pieces. The corresponding C function is `MPI_Bcast` (MPI
    /// 3.1, section 5.4).
    ///
    /// - Parameters:
    ///   - buffer: the elements; of the same count on every process, which is not checked.
    ///   - root: the process that has the values.
    /// - Throws: ``MessagePassingError``
    public func broadcast<Element: MessageElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, from root: Int
    ) throws(MessagePassingError) {
        try requireProcess(root, routine: "MPI_Bcast")
        guard let handle else { return }
        let datatype = Element.representation.datatype
        var start = 0
        repeat {
            let count = min(buffer.count - start, countLimit)
            try check(
                "MPI_Bcast",
                MPI_Bcast(buffer.baseAddress.map { $0 + start }, Int32(count), datatype, Int32(root), handle))
            start += count
        } while start < buffer.count
    }

    /// Copies the root's elements into the array of every other process.
    ///
    /// - Parameters:
    ///   - elements: an array of the same count on every process.
    ///   - root: the process that has the values.
    /// - Throws: ``MessagePassingError``; `unequalCounts` on every process if the counts differ.
    public func broadcast<Element: MessageElement>(
        _ elements: inout [Element], from root: Int
    ) throws(MessagePassingError) {
        try requireEqualCounts(elements.count, routine: "MPI_Bcast")
        try elements.withUnsafeMutableBufferPointer { (buffer) throws(MessagePassingError) in
            try broadcast(buffer, from: root)
        }
    }

    /// The root's bytes, on every process. Only the root needs to know how many there are.
    ///
    /// - Parameters:
    ///   - bytes: what to send; ignored on the other processes.
    ///   - root: the process that has the bytes.
    /// - Throws: ``MessagePassingError``
    public func broadcasted(_ bytes: [UInt8], from root: Int) throws(MessagePassingError) -> [UInt8] {
        var count = [Int64(bytes.count)]
        try count.withUnsafeMutableBufferPointer { (buffer) throws(MessagePassingError) in
            try broadcast(buffer, from: root)
        }
        var received = processIndex == root ? bytes : [UInt8](repeating: 0, count: count.first.map(Int.init) ?? 0)
        try received.withUnsafeMutableBufferPointer { (buffer) throws(MessagePassingError) in
            try broadcast(buffer, from: root)
        }
        return received
    }

    /// The root's data, on every process. Only the root needs to know how much it is.
    ///
    /// - Parameters:
    ///   - data: what to send; ignored on the other processes.
    ///   - root: the process that has the data.
    /// - Throws: ``MessagePassingError``
    public func broadcasted(_ data: Data, from root: Int) throws(MessagePassingError) -> Data {
        Data(try broadcasted([UInt8](processIndex == root ? data : Data()), from: root))
    }

    /// The root's text, on every process. Only the root needs to know how long it is.
    ///
    /// - Parameters:
    ///   - text: what to send; ignored on the other processes.
    ///   - root: the process that has the text.
    /// - Throws: ``MessagePassingError``
    public func broadcasted(_ text: String, from root: Int) throws(MessagePassingError) -> String {
        String(decoding: try broadcasted(processIndex == root ? [UInt8](text.utf8) : [], from: root), as: UTF8.self)
    }
}
