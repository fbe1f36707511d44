import Crypto
import Diagnostics
public import Foundation

/// SHA-256 digests, in lower-case hexadecimal.
public enum FileDigest {
    /// Of bytes in memory.
    public static func hexadecimal(of data: Data) -> String {
        hexadecimal(SHA256.hash(data: data))
    }

    /// Of a file, read piece by piece.
    public static func hexadecimal(ofFile path: String) throws(SafetensorsError) -> String {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw SafetensorsError(
                .inputOutput, "\(path): cannot be opened for reading; check that it exists and its permissions")
        }
        defer { try? file.close() }
        var hash = SHA256()
        do {
            while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty { hash.update(data: piece) }
        } catch {
            throw SafetensorsError(.inputOutput, "\(path): reading failed (\(plainReason(error)))")
        }
        return hexadecimal(hash.finalize())
    }

    private static func hexadecimal(_ digest: SHA256.Digest) -> String {
        digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
