/// Which buffers a pass needs, and which values and gradients lie in them when.
///
/// Time runs through the operations, then back through them. A value lives from the operation that gives it to the last one
/// that reads it; a gradient from the first operation that gives a part of it to the one whose backward pass takes it.
struct Plan {
    /// One of the buffers of a shape.
    struct Buffer: Hashable {
        let shape: NetworkDescription.Shape
        let number: Int
    }

    let hasBackward: Bool
    /// Whether each operation was trained when the plan was made; empty without a backward pass.
    let trained: [Bool]
    private(set) var nodes: [Network.Node]
    /// Where each value lies.
    private(set) var values: [Buffer]
    /// Where the gradients of values lie, for those that have one.
    private(set) var gradients: [NetworkValue: Buffer] = [:]
    /// All that are in use.
    private(set) var buffers: Set<Buffer> = []

    private var needsGradient: Set<NetworkValue> = []

    init(_ operations: NetworkDescription.Operations, output: NetworkValue, hasBackward: Bool) {
        self.hasBackward = hasBackward
        trained = hasBackward ? operations.nodes.map(\.operation.isTrained) : []
        nodes = operations.nodes.map {
            Network.Node(operation: $0.operation, inputs: $0.inputs, output: $0.output)
        }
        values = operations.shapes.map { Buffer(shape: $0, number: 0) }
        if hasBackward {
            for node in nodes
            where node.operation.isTrained || node.inputs.contains(where: needsGradient.contains) {
                needsGradient.insert(node.output)
            }
        }
        var lifetimes = Lifetimes()
        place(operations.shapes, output: output, in: &lifetimes)
        let places = lifetimes.buffers()
        buffers = Set(places.values)
        for (item, buffer) in places {
            switch item {
            case .value(let value): values[value.index] = buffer
            case .gradient(let value): gradients[value] = buffer
            case .scratch(let node, let input): nodes[node].contributions[input] = .apart(buffer)
            }
        }
    }

    /// Whether an operation's backward pass has anything to do.
    func runsBackward(_ node: Network.Node) -> Bool {
        hasBackward && needsGradient.contains(node.output)
    }

    /// Whether a value may be overwritten where it is read: nothing else reads it, the backward pass of what gives it neither.
    private func isReadOnce(_ value: NetworkValue) -> Bool {
        let source = nodes.first { $0.output == value }
        return nodes.flatMap(\.inputs).count { $0 == value } == 1
            && !(hasBackward && source?.operation.backwardReads.output ?? false)
    }

    /// Notes when each value and each gradient is needed.
    private mutating func place(
        _ shapes: [NetworkDescription.Shape], output: NetworkValue, in lifetimes: inout Lifetimes
    ) {
        let end = 2 * nodes.count
        for (time, node) in nodes.enumerated() {
            lifetimes.note(.value(node.output), at: time, shape: shapes[node.output.index])
            for input in node.inputs {
                lifetimes.note(.value(input), at: time, shape: shapes[input.index])
            }
            guard let input = node.inputs.first else { continue }
            let isFree = isReadOnce(input)
            if node.operation.placement == .inPlace, isFree {
                lifetimes.join(.value(node.output), .value(input))
                nodes[time].isInPlace = true
            }
            precondition(
                isFree || !node.operation.placement.replacesInput, "what is replaced has one reader")
        }
        lifetimes.note(.value(output), at: hasBackward ? nodes.count : end, shape: shapes[output.index])
        guard hasBackward else { return }
        var given: Set<NetworkValue> = [output]
        if needsGradient.contains(output) {
            lifetimes.note(.gradient(output), at: nodes.count, shape: shapes[output.index])
        }
        for index in nodes.indices.reversed() where needsGradient.contains(nodes[index].output) {
            let (node, time) = (nodes[index], end - index)
            lifetimes.note(.gradient(node.output), at: time, shape: shapes[node.output.index])
            let reads = node.operation.backwardReads
            for number in reads.inputs where number < node.inputs.count {
                lifetimes.note(
                    .value(node.inputs[number]), at: time, shape: shapes[node.inputs[number].index])
            }
            if reads.output {
                lifetimes.note(.value(node.output), at: time, shape: shapes[node.output.index])
            }
            nodes[index].contributions = node.inputs.enumerated().map { number, input in
                guard needsGradient.contains(input) else { return .none }
                lifetimes.note(.gradient(input), at: time, shape: shapes[input.index])
                let isFirst = given.insert(input).inserted
                if number == 0, node.operation.placement.gradientIsInPlace {
                    guard isFirst else { return .passed }
                    lifetimes.join(.gradient(input), .gradient(node.output))
                    return .first
                }
                if isFirst { return .first }
                let earlier = node.inputs.prefix(number).firstIndex(of: input)
                if let earlier, node.operation.givesRepeatedInputsTogether { return .together(earlier) }
                if earlier == nil, node.operation.addsToGradient(ofInput: number) { return .added }
                let scratch = Lifetimes.Item.scratch(node: index, input: number)
                lifetimes.note(scratch, at: time, shape: shapes[input.index])
                return .none  // Until the scratch has its place.
            }
        }
    }
}
