import Diagnostics
import Foundation

/// Values of a `config.json`, with one line for each that does not suit.
struct ConfigurationReader {
    let json: [String: Any]
    let path: String

    func value(_ key: String) -> Any? { json[key] is NSNull ? nil : json[key] }

    func number(_ key: String, default fallback: Double, in range: ClosedRange<Double>) throws(ModelError) -> Double {
        guard let value = value(key) else { return fallback }
        guard let number = (value as? NSNumber)?.doubleValue, range.contains(number) else {
            throw ModelError(
                .badData,
                "\(path): \(key) is \(value), expected a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func count(
        _ key: String, default fallback: Int, from least: Int = 1, atMost largest: Int = 1 << 24
    ) throws(ModelError) -> Int {
        let number = try number(key, default: Double(fallback), in: Double(least)...Double(largest))
        guard let count = Int(exactly: number) else {
            throw ModelError(.badData, "\(path): \(key) is \(number), expected a whole number")
        }
        return count
    }

    func probability(_ key: String, default fallback: Double) throws(ModelError) -> Double {
        try number(key, default: fallback, in: 0...0.999)
    }

    func flag(_ key: String, default fallback: Bool) throws(ModelError) -> Bool {
        guard let value = value(key) else { return fallback }
        guard let flag = value as? Bool else {
            throw ModelError(.badData, "\(path): \(key) is \(value), expected true or false")
        }
        return flag
    }

    /// - Throws: ``ModelError`` unless a width divides into the parts that another key counts.
    func requireMultiple(_ key: String, _ width: Int, of countKey: String, _ count: Int) throws(ModelError) {
        guard width % count == 0 else {
            throw ModelError(.badData, "\(path): \(key) \(width) is not a multiple of \(countKey) \(count)")
        }
    }

    /// - Throws: ``ModelError`` for keys that say that the network is no plain encoder, or its tensors not those of one.
    func refuseChangedNetworks() throws(ModelError) {
        for key in ["is_decoder", "add_cross_attention"] where json[key] as? Bool == true {
            throw ModelError(.badData, "\(path): \(key) is true, expected an encoder")
        }
        for key in ["pruned_heads", "quantization_config"] {
            guard let value = value(key), (value as? [String: Any])?.isEmpty != true else { continue }
            throw ModelError(
                .badData, "\(path): \(key) is set, which this version does not read; save the model without it")
        }
    }

    func require(_ key: String, default fallback: String, among choices: [String]) throws(ModelError) {
        let found = value(key) as? String ?? fallback
        guard choices.contains(found) else {
            throw ModelError(
                .badData,
                "\(path): \(key) is '\(found)', expected \(choices.joined(separator: " or ")); "
                    + "this version computes no other")
        }
    }

    /// A list of whole numbers, or one number for all `length` of them.
    func counts(
        _ key: String, default fallback: [Int]? = nil, length: Int?, in range: ClosedRange<Int>
    ) throws(ModelError) -> [Int] {
        guard let value = value(key) else {
            guard let fallback else { throw ModelError(.badData, "\(path): no \(key); is the file complete?") }
            return fallback
        }
        let numbers =
            value as? [NSNumber] ?? (value as? NSNumber).map { Array(repeating: $0, count: length ?? 1) } ?? []
        let counts = numbers.compactMap { Int(exactly: $0.doubleValue) }
        guard !counts.isEmpty, counts.count == numbers.count, counts.count == length ?? counts.count,
            counts.allSatisfy(range.contains)
        else {
            throw ModelError(
                .badData,
                "\(path): \(key) is \(value), expected \(length.map { "\($0) " } ?? "")whole numbers from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return counts
    }
}
