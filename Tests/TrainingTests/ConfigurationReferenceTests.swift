import Foundation
import Testing

@testable import Training

@Suite("The configuration reference")
struct ConfigurationReferenceTests {
    /// `RANKWISE_WRITE_DOCS=1 swift test --filter ConfigurationReferenceTests` writes the page anew.
    @Test("docs/configuration.md is what the table of keys says")
    func page() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/configuration.md")
        if ProcessInfo.processInfo.environment["RANKWISE_WRITE_DOCS"] == "1" {
            try FileManager.default.createDirectory(
                at: page.deletingLastPathComponent(), withIntermediateDirectories: true)
            try TrainingConfiguration.referenceMarkdown.write(to: page, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: page, encoding: .utf8) == TrainingConfiguration.referenceMarkdown)
    }

    @Test("every key is in the table once, with a sentence and a section that exists")
    func table() {
        let fields = ConfigurationField.all
        #expect(Set(fields.map(\.key)).count == fields.count)
        for field in fields {
            #expect(field.summary.hasSuffix("."), "\(field.key)")
            #expect(ConfigurationField.sections.contains { $0.name == field.section }, "\(field.key)")
        }
    }

    /// A property that no key reaches would be lost in the resolved text.
    @Test("every property of the configuration has its key")
    func completeness() {
        func leaves(_ value: Any) -> Int {
            let mirror = Mirror(reflecting: value)
            guard mirror.displayStyle == .struct else { return 1 }
            return mirror.children.isEmpty ? 1 : mirror.children.reduce(0) { $0 + leaves($1.value) }
        }
        let configuration = TrainingConfiguration(model: "", train: "", output: "")
        #expect(leaves(configuration) == ConfigurationField.all.count)
    }

    @Test("the help names every key with its default")
    func help() {
        let help = TrainingConfiguration.keysHelp
        #expect(
            help.hasPrefix("model = null\n    Folder of the pretrained model: config.json, model.safetensors"))
        #expect(help.contains("adapter.init_r = 12\n    Triplets of each module at the start.\n"))
        #expect(help.split(separator: "\n").count == 2 * ConfigurationField.all.count)
    }
}
