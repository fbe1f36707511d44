extension TrainingConfiguration {
    /// `docs/configuration.md`: every key by section, with its type, default, meaning and what a resumed run may do with
    /// it.
    public static var referenceMarkdown: String {
        var text = """
            # Configuration

            <!-- Generated from the table of keys; a test says how to write it anew. Do not edit by hand. -->

            `rankwise train --config run.yaml` reads a YAML file. `--set KEY=VALUE` changes a key for one run: the key with
            its section, the value in YAML (`--set adapter.target_r=4`). An unknown key, a value of another type or outside
            its limits, or values that contradict each other end the command with exit code 64 before anything is read or
            allocated. Relative paths are relative to the working directory. The run folder holds the whole configuration,
            every default written out.

            A run continues with `--resume` only if every key marked *fixed* is as in the checkpoint. *Free* keys may
            change. Keys marked *content* may name another path with the same content.


            """
        for (section, title) in ConfigurationField.sections {
            text += section.isEmpty ? "## \(title)\n\n" : "## \(title): `\(section)`\n\n"
            text += "| Key | Takes | Default | Meaning | On resume |\n|---|---|---|---|---|\n"
            for field in ConfigurationField.all where field.section == section {
                let value = field.defaultText.map { "`\($0)`" } ?? "required"
                text += "| `\(field.key)` | \(field.expected) | \(value) | \(field.summary) | \(field.resume.word) |\n"
            }
            text += "\n"
        }
        return text + rules
    }

    private static let rules = """
        ## Rules between keys

        - `adapter.tinit` is less than `total_step − adapter.tfinal`: some steps are left in which the budget falls.
        - `adapter.target_r` is at most `adapter.init_r`; `adapter.target_total` at most `adapter.init_r` times the adapted
          modules.
        - `adapter.init` excludes the singular triplets of `adapter.initialization`; with these, `adapter.init_r` is at most the
          smaller side of every adapted weight.
        - Decays below 0 need `optimizer.decay_mode: unit-row`, which excludes `optimizer.weight_decay_values`.
        - `optimizer.clip_weights` excludes `adapter.normalize`; `adapter.max_spectral_norm` excludes the singular triplets of
          `adapter.initialization`.
        - `base_quantization.bits` and `adapter.share` exclude the singular triplets of `adapter.initialization`.
        - `batch_size` is at least `gradient_lanes`.
        - `optimizer.warmup_steps` is at most `total_step`.
        - `data.text`, `data.text_pair` and `data.label` name different columns.
        - `evaluate_every` needs `data.validation`.

        """

    /// The keys with their defaults, each followed by its meaning, for the command line's help.
    public static var keysHelp: String {
        ConfigurationField.all.map { field in
            "\(field.key) = \(field.defaultText ?? "(required)")\n    \(field.summary.replacing("`", with: ""))\n"
        }.joined()
    }
}

extension ConfigurationField.ResumeRule {
    fileprivate var word: String {
        switch self {
        case .fixed: "fixed"
        case .free: "free"
        case .byDigest: "content"
        }
    }
}
