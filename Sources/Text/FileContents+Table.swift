import Diagnostics
import JSONText

extension FileContents {
    /// Refuses what is a table, but of another making than its name says.
    ///
    /// - Throws: `badData` for lines that end as on old Macs, UTF-16, and a JSON array for JSON Lines.
    func checkIsTable(_ format: TextFormat) throws(TextError) {
        if bytes.prefix(4).contains(0) {
            throw .badData(path, line: 1, "the file looks like UTF-16; save it with UTF-8 encoding")
        }
        if bytes.contains(UInt8(ascii: "\r")), !bytes.contains(UInt8(ascii: "\n")) {
            throw .badData(
                path, line: 1, "carriage returns alone end the lines; save the file with line feeds, or both")
        }
        let beginning = bytes[start...].lazy.filter { !JSONParser.isBlank([$0]) }.prefix(2)
        if format == .jsonLines, beginning.elementsEqual("[{".utf8) {
            throw .badData(
                path, line: 1,
                "an array of objects, expected a JSON object on every line; jq -c '.[]' \(path) writes such lines")
        }
    }
}
