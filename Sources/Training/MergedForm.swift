public import Models
public import PEFTFormat

extension ModelFolder {
    /// What transformers calls the model of a folder once it has a head for sequences.
    ///
    /// - Throws: `ModelError` if the folder holds no encoder that is known.
    public static func mergedForm(path: String) throws -> MergedForm {
        let family = try encoderFamily(path: path)
        let type = try readConfiguration(path: path)["model_type"] as? String ?? ""
        return MergedForm(
            root: Swift.type(of: family).root,
            architecture: Swift.type(of: family).classifierArchitectures[type] ?? "",
            requiredLayers: poolerLayers(of: family))
    }
}
