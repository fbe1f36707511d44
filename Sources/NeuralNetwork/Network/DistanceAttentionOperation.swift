internal import LinearAlgebra

/// Attention whose scores depend on the distance of two tokens, too: of queries, keys, values, and rows for the distances.
final class DistanceAttentionOperation: Operation {
    /// What the inputs behind the values are.
    enum Kind {
        /// Rows that queries are multiplied with, and rows that keys are.
        case products(hasKeys: Bool, hasQueries: Bool)
        /// What is added to the scores of each head.
        case bias
    }

    private let layer: Attention
    private let distances: TokenDistances
    private let kind: Kind
    private let buffers = DistanceScores.Buffers()
    private let unread = [Matrix(), Matrix(), Matrix()]  // gradients that the kernel gives and nobody needs

    init(_ layer: Attention, _ distances: TokenDistances, _ kind: Kind) {
        self.layer = layer
        self.distances = distances
        self.kind = kind
    }

    /// A query asks for itself alone; what it hears comes from all rows.
    func isRowwise(input: Int) -> Bool { input == 0 }
    var backwardReads: BackwardReads { BackwardReads(inputs: [0, 1, 2, 3, 4]) }

    /// The terms of the inputs behind the values.
    private func terms<View>(_ input: (Int) -> View?) -> DistanceScores.Terms<View>? {
        switch kind {
        case .products(let hasKeys, let hasQueries):
            .products(keys: hasKeys ? input(3) : nil, queries: hasQueries ? input(hasKeys ? 4 : 3) : nil)
        case .bias: input(3).map { .bias($0) }
        }
    }

    func forward(_ operands: ForwardOperands) {
        guard let terms = terms(operands.input) else { return }
        layer.forward(
            query: operands.input(0), key: operands.input(1), value: operands.input(2), into: operands.output,
            batch: operands.batch(ofInput: 1), queries: operands.batch, pass: operands.pass,
            distances: DistanceScores(
                distances, terms, batch: operands.batch(ofInput: 1), rows: operands.batch(ofInput: 3),
                buffers: buffers, headWidth: layer.headWidth))
    }

    func backward(_ operands: BackwardOperands) {
        func gradient(_ number: Int) -> MutableMatrixView {
            operands.inputGradient(number) ?? unread[number].resized(like: operands.input(number))
        }
        for number in 3..<operands.inputCount { operands.inputGradient(number)?.clear() }
        guard let terms = terms(operands.input) else { return }
        layer.backward(
            operands.outputGradient.view, query: operands.input(0), key: operands.input(1), value: operands.input(2),
            queryGradient: gradient(0), keyGradient: gradient(1), valueGradient: gradient(2),
            batch: operands.batch(ofInput: 1), queries: operands.batch, pass: operands.pass,
            distances: DistanceScores(
                distances, terms, gradients: self.terms(operands.inputGradient) ?? .products(keys: nil, queries: nil),
                batch: operands.batch(ofInput: 1), rows: operands.batch(ofInput: 3), buffers: buffers,
                headWidth: layer.headWidth))
    }
}

extension NetworkDescription {
    /// Disentangled attention (He et al. 2021): with what queries say to the distances, `positionKeys`, and keys to them,
    /// `positionQueries`, [distances, heads · width] each.
    public func attention(
        query: NetworkValue, key: NetworkValue, value: NetworkValue, positionKeys: NetworkValue?,
        positionQueries: NetworkValue?, _ distances: TokenDistances, _ layer: Attention
    ) -> NetworkValue {
        let positions = [positionKeys, positionQueries].compactMap(\.self)
        guard !positions.isEmpty else { return attention(query: query, key: key, value: value, layer) }
        let kind = DistanceAttentionOperation.Kind.products(
            hasKeys: positionKeys != nil, hasQueries: positionQueries != nil)
        return append(
            DistanceAttentionOperation(layer, distances, kind), reading: [query, key, value] + positions,
            columns: columns(of: query))
    }

    /// Attention with a number for each distance and head, [distances, heads].
    public func attention(
        query: NetworkValue, key: NetworkValue, value: NetworkValue, bias: NetworkValue, _ distances: TokenDistances,
        _ layer: Attention
    ) -> NetworkValue {
        append(
            DistanceAttentionOperation(layer, distances, .bias), reading: [query, key, value, bias],
            columns: columns(of: query))
    }
}
