import Diagnostics
import MessagePassing

/// What a training run needs of its subject, texts or images, before, during and after its steps: the same on every process.
protocol PreparedRun {
    var configuration: TrainingConfiguration { get }
    /// The network with the training data, its parameters those of a new run.
    var network: any TrainableNetwork { get }
    /// What the subject adds to a run's summary, a line each.
    var subjectLines: [String] { get }
    /// What the user should know before the first step, a line each.
    var notices: [String] { get }
    /// The files that were read.
    var inputs: [FileStamp] { get }

    /// The digests by which a checkpoint recognises its model and its data.
    func digests() throws -> RunDigests

    /// Samples to evaluate; nil where the run has none of the kind.
    ///
    /// - Parameter progressed: called now and then while they are read.
    func split(_ kind: SplitKind, progressed: () -> Void) throws -> (any EvaluatedSplit)?

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

    /// Checks that the files of the model and the training data are still those that were read. The model is mapped,
    /// so that a file that is written over changes what the run computes.
    ///
    /// - Throws: ``TrainingError`` naming the file.
    func checkInputsAreUnchanged() throws(TrainingError) {
        guard let changed = inputs.first(where: { !$0.isCurrent }) else { return }
        throw TrainingError(
            .badData,
            "\(changed.path): changed while the run was using it; restore it, then continue with --resume")
    }
}
