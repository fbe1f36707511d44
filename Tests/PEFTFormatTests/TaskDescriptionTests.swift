import Diagnostics
import Foundation
import PEFTFormat
import Testing

@Suite("rankwise.json")
struct TaskDescriptionTests {
    private func folder(_ text: String) throws -> AdapterFolder {
        let adapter = try AdapterFolder(AdapterFolder.adalora, AdapterFolder.adaloraTensors)
        try adapter.write(text, to: TaskDescription.fileName)
        return adapter
    }

    @Test("comes back as it was written")
    func roundTrip() throws {
        let adapter = try AdapterFolder(AdapterFolder.adalora, AdapterFolder.adaloraTensors).read()
        let target = try AdapterFolder(AdapterFolder.adalora, AdapterFolder.adaloraTensors)
        try adapter.write(.adalora, to: target.path + "/new", task: description)
        var read = try TaskDescription(adapterFolder: target.path + "/new", outputCount: 2)
        // The digest of what was written is added.
        #expect(read.weightsDigest?.count == 64)
        read.weightsDigest = nil
        #expect(read == description)
    }

    @Test("without it, one output is a regression and more are numbered classes")
    func absent() throws {
        let adapter = try AdapterFolder(AdapterFolder.adalora, AdapterFolder.adaloraTensors)
        let regression = try TaskDescription(adapterFolder: adapter.path, outputCount: 1)
        #expect(regression.task == TaskDescription.regression && regression.labels == nil)
        let classes = try TaskDescription(adapterFolder: adapter.path, outputCount: 3)
        #expect(classes.task == TaskDescription.classification && classes.labels == ["0", "1", "2"])
        #expect(classes.textColumn == "text" && classes.labelColumn == "label")
    }

    @Test(
        "that does not fit the adapter, or is no such file, is refused",
        arguments: [
            "", "{}", "[]", #"{"task":"regression","text":"text","label":"label"}"#,
            #"{"task":"sequence-classification","text":"text","label":"label"}"#,
            #"{"task":"sequence-classification","labels":["one"],"text":"text","label":"label"}"#,
            #"{"task":"translation","labels":["a","b"],"text":"text","label":"label"}"#,
            #"{"task":"sequence-classification","labels":["a","b"],"text":"text","label":"label","max_length":2}"#,
            #"{"task":"sequence-classification","labels":["a","b"],"text":"text","label":"label","max_length":1e99}"#,
            String(repeating: #"{"task":"#, count: 100_000),
        ])
    func refused(text: String) throws {
        let adapter = try folder(text)
        let error = #expect(throws: PEFTFormatError.self) {
            try TaskDescription(adapterFolder: adapter.path, outputCount: 2)
        }
        #expect(error?.kind == .badData)
        #expect(error?.description.contains(adapter.path + "/rankwise.json") == true)
    }
}
