import Diagnostics
import Foundation
import Models
import PEFTFormat

/// The base that an adapter is used on, to be compared with the one that it was trained on.
///
/// Another one is no error: a model that was saved again, or whose tokenizer's files were, has other bytes and may compute the
/// same. But a user who does not know of it would take its predictions for those of the training.
public struct AdapterBase {
    /// As the user named it.
    let adapter: String
    let folder: String
    /// Of the base's files at the training; nil for an adapter of which nobody wrote it down.
    let expectedDigest: String?

    /// - Parameters:
    ///   - adapterFolder: with the adapter's files.
    ///   - folder: of the base.
    public init(adapterFolder: String, folder: String) {
        adapter = adapterFolder
        self.folder = folder
        expectedDigest = TaskDescription.modelDigest(adapterFolder: adapterFolder)
    }

    /// Tells the user in one line if the base is another than the one of the training.
    ///
    /// Reads all of the base's files, which takes about a second for each gigabyte; to be called on one process.
    ///
    /// - Parameter digest: of the base, where it is known.
    public func tellIfAnother(digest: String? = nil) throws {
        guard let expectedDigest else { return }
        let found = try digest ?? RunDigests.digest(of: files)
        guard found != expectedDigest else { return }
        tellUser(
            "\(folder): not the files that \(adapter) was trained on (SHA-256 \(found.prefix(12))…, was "
                + "\(expectedDigest.prefix(12))…); with another base model the results are others")
    }

    private var files: [String] {
        ImageModelFolder.isOne(folder)
            ? ImageModelFolder.digestedFiles(path: folder) : ModelFolder.digestedFiles(path: folder)
    }
}

extension PreparedRun {
    /// Tells the user if the run starts from an adapter that was trained on another base model, or on the base's weights in
    /// other codes.
    func tellIfInitialAdapterHasAnotherBase(_ digests: RunDigests) throws {
        guard let path = configuration.adapter.initialAdapter, let folder = configuration.modelFolder else { return }
        let adapter = TrainedModel.adapterFolder(path)
        try AdapterBase(adapterFolder: adapter, folder: folder).tellIfAnother(digest: digests.model)
        let (then, now) = (
            TaskDescription.baseQuantization(adapterFolder: adapter)?.bits, configuration.baseQuantization.bits
        )
        guard then != now else { return }
        func name(_ bits: Int?) -> String { bits.map { "in codes of \($0) bits" } ?? "as they are" }
        tellUser(
            "\(adapter): trained with the base's weights \(name(then)), this run holds them \(name(now)), so that it starts "
                + "from slightly other results; base_quantization.bits is the key")
    }
}
