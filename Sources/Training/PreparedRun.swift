import Diagnostics
import MessagePassing
import PEFTFormat

/// What a training run needs of its subject, texts or images, before, during and after its steps: the same on every process.
protocol PreparedRun {
    var configuration: TrainingConfiguration { get }
    /// The network with the training data, its parameters those of a new run.
    var network: any TrainableNetwork { get }
    /// What the subject adds to a run's summary, a line each.
    var subjectLines: [String] { get }
    /// The files that are read, as they were before.
    var inputs: [String: FileStamp] { get }
    /// What the user should know before the first step of a new run, a line each.
    var notices: [String] { get }

    /// The digests of the files that were read, by which a checkpoint recognises its model and its data.
    func digests() throws -> RunDigests

    /// What a user should be told of the training data, a line each.
    var remarks: [String] { get }

    /// Reads a file of samples that are not trained on, and checks that it can be evaluated.
    ///
    /// - Returns: what a user should be told of it, a line each.
    func checkSplit(path: String) throws -> [String]

    /// Samples to evaluate; nil where the run has none of the kind.
    ///
    /// - Parameter progressed: called now and then while they are read.
    func split(_ kind: SplitKind, progressed: @escaping () -> Void) throws -> (any EvaluatedSplit)?

    /// The network's layers and triplets; nil where it has none.
    var adapterHost: (any AdapterHost)? { get }

    /// Writes what the run leaves.
    ///
    /// - Parameter singularVectors: where the adapters started as a part of the weights.
    /// - Returns: the folder, for people.
    func writeResult(
        of trainer: Trainer, startedWith singularVectors: SingularVectorStart?, to folder: RunFolder,
        digests: RunDigests
    ) throws -> String
}

/// What samples that are not trained on are for. The raw values are their names in files.
enum SplitKind: String, CaseIterable {
    /// To be looked at during training.
    case validation
    /// For the end.
    case test
}

extension TrainingConfiguration {
    /// Whether the run leaves an adapter; else it leaves a whole model.
    var leavesAdapter: Bool { task != .superposition && (method == .adalora || method == .lora) }

    /// Every file and folder that the run reads, with the key that names it.
    var inputPaths: [(key: String, path: String)] {
        [
            ("model", modelFolder), ("data.train", data.trainingFile), ("data.validation", data.validation),
            ("data.test", data.test), ("adapter.init", adapter.initialAdapter.map(TrainedModel.adapterFolder)),
        ].compactMap { key, path in path.map { (key, $0) } }
    }
}

extension TrainingConfiguration.DataSettings {
    /// The file of samples that are not trained on.
    func path(of kind: SplitKind) -> String? {
        switch kind {
        case .validation: validation
        case .test: test
        }
    }
}

/// Samples, ready to be evaluated.
protocol EvaluatedSplit {
    /// The metrics of the network as it is, the same on every process. Collective.
    ///
    /// - Parameter progressed: called for each group of samples.
    func metrics(progressed: @escaping () -> Void, _ communicator: borrowing Communicator) throws -> Metrics
}

extension PreparedRun {
    var notices: [String] { [] }
    var remarks: [String] { [] }

    func checkSplit(path: String) throws -> [String] { [] }

    /// Checks, before the first step, that everything can be evaluated that is to be evaluated later.
    ///
    /// - Returns: what a user should be told, a line each.
    func checkSplits() throws -> [String] {
        try SplitKind.allCases.compactMap(configuration.data.path).flatMap(checkSplit)
    }
}
