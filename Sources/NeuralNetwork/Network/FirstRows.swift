internal import LinearAlgebra

/// The first row of each sequence: from tokens to samples.
public final class FirstRows: Operation {
    public init() {}

    public func isRowwise(input: Int) -> Bool { false }
    public func addsToGradient(ofInput input: Int) -> Bool { true }

    public func forward(_ operands: ForwardOperands) {
        let (input, output) = (operands.input(0), operands.output)
        for (sequence, sample) in zip(operands.batch(ofInput: 0).sequences, operands.batch.sequences) {
            output.rowStart(sample.rows.lowerBound).update(
                from: input.rowStart(sequence.rows.lowerBound), count: output.columns)
        }
    }

    public func backward(_ operands: BackwardOperands) {
        guard let inputGradient = operands.inputGradient(0) else { return }
        if operands.keep(0) == 0 { inputGradient.clear() }
        let gradient = operands.outputGradient.view
        for (sequence, sample) in zip(operands.batch(ofInput: 0).sequences, operands.batch.sequences) {
            add(gradient[rows: sample.rows], to: inputGradient[rows: sequence.rows.prefix(1)])
        }
    }
}

extension NetworkDescription {
    /// The operations that `output` needs, those first rows moved as far towards the input as they go: what is computed for
    /// the first rows alone is computed for no others.
    func operations(for output: NetworkValue) -> Operations {
        var operations = Operations(shapes: shapes, nodes: needed(for: output))
        while operations.moveFirstRowsUp() {}
        return operations
    }

    private func needed(for output: NetworkValue) -> [Node] {
        var wanted: Set = [output]
        return nodes.reversed().filter { node in
            guard wanted.contains(node.output) else { return false }
            wanted.formUnion(node.inputs)
            return true
        }.reversed()
    }

    struct Operations {
        var shapes: [Shape]
        var nodes: [Node]

        /// Moves one operation that takes first rows in front of the operation that gives them, if nothing else reads that.
        ///
        /// - Returns: whether there was one.
        mutating func moveFirstRowsUp() -> Bool {
            for (place, node) in nodes.enumerated() where node.operation is FirstRows {
                let given = node.inputs[0]
                guard nodes.count(where: { $0.inputs.contains(given) }) == 1,
                    let source = nodes.firstIndex(where: { $0.output == given }),
                    nodes[source].inputs.indices.contains(where: { nodes[source].operation.isRowwise(input: $0) })
                else { continue }
                // The source gives what the first rows were; each input that goes row by row is reduced first.
                let (operation, output) = (nodes[source].operation, node.output)
                var inputs = nodes[source].inputs
                nodes[source] = Node(operation: operation, inputs: inputs, output: output)
                nodes.remove(at: place)
                for number in inputs.indices where operation.isRowwise(input: number) {
                    inputs[number] = firstRows(of: inputs[number])
                }
                if let source = nodes.firstIndex(where: { $0.output == output }) { nodes[source].inputs = inputs }
                return true
            }
            return false
        }

        /// What holds the first rows of a value: made right behind it, unless it is there.
        private mutating func firstRows(of value: NetworkValue) -> NetworkValue {
            if let present = nodes.first(where: { $0.operation is FirstRows && $0.inputs == [value] }) {
                return present.output
            }
            let output = NetworkValue(index: shapes.count)
            shapes.append(Shape(rows: .samples, columns: shapes[value.index].columns))
            let given = nodes.firstIndex { $0.output == value } ?? -1
            nodes.insert(Node(operation: FirstRows(), inputs: [value], output: output), at: given + 1)
            return output
        }
    }
}
