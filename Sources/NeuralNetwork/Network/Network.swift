public import LinearAlgebra

/// A network as it runs: the operations of a description, and buffers that hold their values as long as something reads them.
///
/// The backward pass runs the operations in reverse, those alone below which something is trained, and forms no gradient that
/// nobody reads.
public final class Network {
    /// An operation with what the plan knows of it.
    struct Node {
        let operation: any Operation
        let inputs: [NetworkValue]
        let output: NetworkValue
        /// What the backward pass gives to each input's gradient; empty where it does not run.
        var contributions: [Contribution] = []
        /// Whether the output lies in the place of the first input.
        var isInPlace = false
    }

    /// How an operation's backward pass gives the gradient of an input.
    enum Contribution: Equatable {
        /// Nothing below needs it.
        case none
        /// As the first one to write it.
        case first
        /// By adding to what others gave.
        case added
        /// Apart, to be added afterwards.
        case apart(Plan.Buffer)
        /// In the place of the output's gradient, to be added afterwards.
        case passed
        /// With that of an earlier input, which is the same value.
        case together(Int)
    }

    private let operations: NetworkDescription.Operations
    private let output: NetworkValue
    /// For passes without and with gradients, each made for what was trained at that time.
    private var plans: [Bool: Plan] = [:]
    private var plan: Plan
    private let pool: BufferPool
    private var batches: [PackedBatch] = []

    /// - Parameters:
    ///   - output: the value that is wanted.
    ///   - pool: buffers that several networks use in turn.
    public init(
        _ description: NetworkDescription, output: NetworkValue, pool: BufferPool = BufferPool()
    ) {
        operations = description.operations(for: output)
        self.output = output
        self.pool = pool
        plan = Plan(operations, output: output, hasBackward: false)
    }

    /// The output for a batch. It is valid until the next pass of a network with the same buffers.
    ///
    /// - Parameters:
    ///   - batches: by the numbers of the row sets: the tokens, the samples.
    public func forward(_ batches: [PackedBatch], pass: Pass) -> MatrixView {
        self.batches = batches
        usePlan(hasBackward: pass.isTraining)
        for buffer in plan.buffers {
            pool[buffer].resize(
                rows: batches[buffer.shape.rows.index].rowCount, columns: buffer.shape.columns)
        }
        for node in plan.nodes {
            if node.operation.placement == .inPlace, !node.isInPlace {
                buffer(of: node.output).copy(buffer(of: node.inputs[0]).view)
            }
            node.operation.forward(ForwardOperands(network: self, node: node, pass: pass))
        }
        return buffer(of: output).view
    }

    /// Sets the gradients of everything that is trained, from that of the output of the latest `forward` of training.
    public func backward(_ outputGradient: MatrixView, pass: Pass, gradients: LaneGradients) {
        guard plan.hasBackward, let last = plan.gradients[output] else { return }
        let target = pool[last].mutableView
        for row in 0..<target.rows {
            target.rowStart(row).update(from: outputGradient.rowStart(row), count: target.columns)
        }
        for node in plan.nodes.reversed() where plan.runsBackward(node) {
            node.operation.backward(
                BackwardOperands(network: self, node: node, pass: pass, gradients: gradients))
            addWhatIsApart(node)
        }
    }

    /// Adds the gradients that an operation could not add itself.
    private func addWhatIsApart(_ node: Node) {
        for (input, contribution) in zip(node.inputs, node.contributions) {
            let target = gradientBuffer(of: input).mutableView
            switch contribution {
            case .apart(let buffer): add(pool[buffer].view, to: target)
            case .passed: add(gradientBuffer(of: node.output).view, to: target)
            case .none, .first, .added, .together: continue
            }
        }
    }

    /// What is trained may have changed since the plan was made.
    private func usePlan(hasBackward: Bool) {
        let trained = hasBackward ? operations.nodes.map(\.operation.isTrained) : []
        if let made = plans[hasBackward], made.trained == trained {
            plan = made
        } else {
            plan = Plan(operations, output: output, hasBackward: hasBackward)
            plans[hasBackward] = plan
        }
    }

    func buffer(of value: NetworkValue) -> Matrix { pool[plan.values[value.index]] }
    func gradientBuffer(of value: NetworkValue) -> Matrix {
        pool[plan.gradients[value] ?? plan.values[value.index]]
    }
    func scratch(_ buffer: Plan.Buffer) -> Matrix { pool[buffer] }
    func batch(of value: NetworkValue) -> PackedBatch {
        batches[operations.shapes[value.index].rows.index]
    }
}

/// Buffers by their shape. Networks that never work at the same time may share one.
public final class BufferPool {
    private var matrices: [Plan.Buffer: Matrix] = [:]

    public init() {}

    subscript(buffer: Plan.Buffer) -> Matrix {
        if let matrix = matrices[buffer] { return matrix }
        let matrix = Matrix()
        matrices[buffer] = matrix
        return matrix
    }
}
