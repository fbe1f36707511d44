import LinearAlgebra
import NeuralNetwork
import Testing

/// One operation, or a few that meet in one value, as a network declares them.
struct OperationCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let build: @Sendable (OperationBench) -> NetworkValue

    init(_ testDescription: String, _ build: @escaping @Sendable (OperationBench) -> NetworkValue) {
        self.testDescription = testDescription
        self.build = build
    }

    static let all = layers + activations + attentions + distances + sums

    private static let layers = [
        OperationCase("linear, adapted") { $0.description.linear($0.input(5), $0.adapted(5, 6)) },
        OperationCase("linear, trained in full") { $0.description.linear($0.input(5), $0.dense(5, 6)) },
        OperationCase("embeddings, dropped") { bench in
            let tables = [7, 19, 2].map { bench.table($0, 5) }
            let layer = Embedding([
                .init(tables[0], .tokens), .init(tables[1], .positions(offset: 0)), .init(tables[2], .segments),
            ])
            return bench.description.dropped(bench.description.embedded(layer), bench.dropout())
        },
        OperationCase("layer norm") { $0.description.normalized($0.input(18), $0.normalization(18)) },
        OperationCase("layer norm without offset") {
            $0.description.normalized($0.input(18), $0.normalization(18, hasOffset: false))
        },
        OperationCase("layer norm of a product and a residual") {
            $0.description.normalized(
                $0.description.linear($0.input(5), $0.adapted(5, 18)), plus: $0.input(18),
                $0.normalization(18))
        },
        OperationCase("dropout") { $0.description.dropped($0.input(5), $0.dropout()) },
    ]

    private static let activations =
        Activation.allCases.flatMap { activation in
            [
                OperationCase("\(activation)") {
                    $0.description.activated($0.input(6, scale: 3, distance: 0.05), activation)
                },
                OperationCase("\(activation) gate") {
                    $0.description.gated($0.input(6, scale: 3, distance: 0.05), activation)
                },
            ]
        } + [
            OperationCase("gelu of a biased product") {
                $0.description.gelu($0.description.linear($0.input(4), $0.adapted(4, 6)))
            },
            OperationCase("silu gate of a biased product") {
                $0.description.gated($0.description.linear($0.input(4), $0.adapted(4, 6)), .silu)
            },
            OperationCase("tanh") { $0.description.tanh($0.input(6)) },
            OperationCase("tanh of a biased product") {
                $0.description.tanh($0.description.linear($0.input(4), $0.adapted(4, 6)))
            },
        ]

    private static func attention(
        _ bench: OperationBench, heads: Int = 2, width: Int = 4, window: Int? = nil
    ) -> Attention {
        Attention(headCount: heads, headWidth: width, window: window, dropout: bench.dropout())
    }

    private static let attentions = [
        OperationCase("attention") {
            $0.description.attention(
                query: $0.input(8), key: $0.input(8, scale: 2), value: $0.input(8), attention($0))
        },
        OperationCase("attention that first rows ask") {
            $0.description.first(
                $0.description.attention(
                    query: $0.input(8), key: $0.input(8), value: $0.input(8), attention($0)))
        },
        OperationCase("attention of one value to itself") {
            let x = $0.input(8)
            return $0.description.attention(query: x, key: x, value: x, attention($0))
        },
        OperationCase("fused attention") {
            $0.description.attention(fused: $0.input(24), attention($0))
        },
        OperationCase("fused attention with whole vectors") {
            $0.description.attention(fused: $0.input(48), attention($0, heads: 1, width: 16))
        },
        OperationCase("fused attention that first rows ask") {
            $0.description.first($0.description.attention(fused: $0.input(24), attention($0)))
        },
        OperationCase("fused attention with a window") {
            $0.description.attention(fused: $0.input(24), attention($0, window: 3))
        },
        OperationCase("fused attention with whole vectors and a window") {
            $0.description.attention(fused: $0.input(48), attention($0, heads: 1, width: 16, window: 9))
        },
        OperationCase("fused attention with a window, that first rows ask") {
            $0.description.first($0.description.attention(fused: $0.input(24), attention($0, window: 3)))
        },
        OperationCase("fused attention with a window of the token itself") {
            $0.description.attention(fused: $0.input(24), attention($0, window: 0))
        },
        OperationCase("turned heads") {
            $0.description.turned(
                $0.input(10), RotaryPositions(base: 10_000, width: 4), headCount: 2, headWidth: 4)
        },
        OperationCase("attention of a projection that turns") {
            $0.description.rotaryAttention(
                of: $0.input(5), projection: $0.adapted(5, 24), RotaryPositions(base: 100, width: 4),
                attention($0))
        },
    ]

    private static func disentangled(_ bench: OperationBench, hasKeys: Bool, hasQueries: Bool) -> NetworkValue {
        bench.description.attention(
            query: bench.input(8), key: bench.input(8), value: bench.input(8),
            positionKeys: hasKeys ? bench.distanceRows(8) : nil,
            positionQueries: hasQueries ? bench.distanceRows(8) : nil, bench.distances, attention(bench))
    }

    private static let distances = [
        OperationCase("attention of contents and distances") { disentangled($0, hasKeys: true, hasQueries: true) },
        OperationCase("attention of contents to distances") { disentangled($0, hasKeys: true, hasQueries: false) },
        OperationCase("attention of distances to contents") { disentangled($0, hasKeys: false, hasQueries: true) },
        OperationCase("attention of contents and distances that first rows ask") {
            $0.description.first(disentangled($0, hasKeys: true, hasQueries: true))
        },
        OperationCase("attention with whole vectors of contents and distances") {
            $0.description.attention(
                query: $0.input(16), key: $0.input(16), value: $0.input(16), positionKeys: $0.distanceRows(16),
                positionQueries: $0.distanceRows(16), $0.distances, attention($0, heads: 1, width: 16))
        },
        OperationCase("one layer for contents and for distances") {
            let (key, query) = ($0.adapted(5, 8, readers: 2), $0.adapted(5, 8, readers: 2))
            let (x, rows, network) = ($0.input(5), $0.distanceRows(5), $0.description)
            return network.attention(
                query: network.linear(x, query), key: network.linear(x, key), value: $0.input(8),
                positionKeys: network.linear(rows, key), positionQueries: network.linear(rows, query), $0.distances,
                attention($0))
        },
        OperationCase("attention with a number for each distance") {
            $0.distances = .halves(buckets: 32, largest: 128)
            return $0.description.attention(
                query: $0.input(8), key: $0.input(8), value: $0.input(8), bias: $0.distanceRows(2), $0.distances,
                attention($0))
        },
        OperationCase("windows of tokens") { $0.description.windows($0.input(4), width: 3) },
        OperationCase("head") {
            let (weight, bias) = $0.head(5, 3)
            return $0.description.head(
                $0.description.first($0.input(5)), weight: weight, bias: bias, dropout: $0.dropout())
        },
    ]

    private static let sums = [
        OperationCase("first rows") { $0.description.first($0.input(5)) },
        OperationCase("means of rows") { $0.description.mean($0.input(5)) },
        OperationCase("sum of a branch and its trunk") {
            $0.description.sum($0.input(5), plus: $0.input(5))
        },
        OperationCase("sum of a biased product and its trunk") {
            $0.description.sum($0.description.linear($0.input(5), $0.adapted(5, 6)), plus: $0.input(6))
        },
        OperationCase("sum of a value and itself") {
            let x = $0.input(5)
            return $0.description.sum(x, plus: x)
        },
        OperationCase("sum of what is computed in place, and what it read") {
            let x = $0.input(8)
            let turned = $0.description.turned(
                x, RotaryPositions(base: 100, width: 4), headCount: 2, headWidth: 4)
            return $0.description.sum($0.description.tanh(turned), plus: x)
        },
        OperationCase("dropout of tanh, which needs what it gave") {
            $0.description.dropped($0.description.tanh($0.input(6)), $0.dropout())
        },
        OperationCase("a branch behind a layer norm of its trunk") { preNormalized($0, $0.input(6)) },
        OperationCase("first rows behind such a branch") {
            $0.description.first(preNormalized($0, $0.input(6)))
        },
        OperationCase("first rows of attention behind such a branch") {
            let x = preNormalized($0, $0.input(6))
            return $0.description.first(
                $0.description.rotaryAttention(
                    of: x, projection: $0.adapted(6, 24), RotaryPositions(base: 100, width: 4),
                    attention($0, window: 2)))
        },
    ]

    private static func preNormalized(_ bench: OperationBench, _ x: NetworkValue) -> NetworkValue {
        let network = bench.description
        let widened = network.linear(
            network.normalized(x, bench.normalization(6, hasOffset: false, drops: false)),
            bench.adapted(6, 8))
        return network.normalized(
            network.sum(network.linear(network.gated(widened, .gelu), bench.adapted(4, 6)), plus: x),
            bench.normalization(6, hasOffset: false, drops: false))
    }
}
