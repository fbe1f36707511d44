import Diagnostics

/// Which of the classes of a training set have samples.
enum ClassOccurrence {
    /// What a user should be told of classes that look like a mistake, a line each.
    ///
    /// - Parameters:
    ///   - classes: of the samples.
    ///   - names: of all classes.
    ///   - path: the samples' file, for messages.
    /// - Throws: ``TrainingError`` if only one class occurs, so that there is nothing to learn.
    static func remarks(on classes: [Int], names: [String], path: String) throws(TrainingError) -> [String] {
        var occurs = [Bool](repeating: false, count: names.count)
        for index in classes { occurs[index] = true }
        let count = occurs.count { $0 }
        guard count > 1 else {
            let name = classes.first.map { names[$0] } ?? ""
            throw TrainingError(
                .badData,
                "\(path): every sample has the label \"\(name)\", expected at least two classes; name their column with "
                    + "data.label, or check that the file is whole")
        }
        if count < names.count {
            let missing = names.indices.filter { !occurs[$0] }
            let shown = missing.prefix(6).map { names[$0] }.joined(separator: ", ") + (missing.count > 6 ? ", …" : "")
            return [
                "\(path): the labels go up to \(names.count - 1), but \(count) of the \(names.count) classes occur; the "
                    + "others (\(shown)) are outputs without samples; number classes from 0 without gaps, or name them, "
                    + "to have none"
            ]
        }
        // A class that the file has once cannot be learnt; a column of numbers or names that are no classes looks like that.
        guard count > 20, 2 * count > classes.count else { return [] }
        return [
            "\(path): \(count) classes among \(classes.count) samples, most of which are alone in theirs; is data.label the "
                + "column of the classes? For numbers to be predicted set task: regression"
        ]
    }
}
