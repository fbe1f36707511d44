/// The dropout mask of one place of a network, one byte for each element, kept from the forward to the backward pass.
/// Its memory is reused from step to step.
final class MaskBuffer {
    private(set) var base: UnsafeMutablePointer<UInt8>
    private var capacity = 1

    init() {
        base = .allocate(capacity: 1)
    }

    deinit { base.deallocate() }

    /// The mask of a batch: [rows, columns].
    func filled(by dropout: Dropout, columns: Int, batch: PackedBatch, pass: Pass) -> UnsafeMutablePointer<UInt8> {
        let count = batch.rowCount * columns
        if count > capacity {
            base.deallocate()
            base = .allocate(capacity: count)
            base.initialize(repeating: 0, count: count)
            capacity = count
        }
        dropout.fill(base, columns: columns, batch: batch, pass: pass)
        return base
    }
}
