import Diagnostics
import Foundation
import LinearAlgebra
public import MessagePassing
import Safetensors

/// Checks that all processes of a job work on the same input, with the same BLAS kernels. Collective.
///
/// - Parameters:
///   - contents: what must be alike.
///   - what: its name in a message.
/// - Throws: ``FactoringError`` naming the first process that differs from process 0, and its host.
public func requireAgreement(
    on contents: @autoclosure () -> String, _ what: String, _ communicator: borrowing Communicator
) throws {
    guard !communicator.isAlone else { return }
    let own = [
        FileDigest.hexadecimal(of: Data(contents().utf8)), BLASLibrary.kernelType, try communicator.hostName(),
    ]
    let gathered = try communicator.allGathered(varying: [UInt8](own.joined(separator: "\n").utf8))
    let all = (0..<communicator.processCount).map {
        String(decoding: gathered.elements[gathered.layout.range(of: $0)], as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }
    for (process, other) in all.enumerated() {
        for (index, name) in [what, "the BLAS kernel type"].enumerated() where other[index] != all[0][index] {
            throw FactoringError(
                .usage,
                "process \(process) on \(other[2]) differs: \(name) is \(other[index].prefix(16)), process 0 on \(all[0][2]) has "
                    + "\(all[0][index].prefix(16)); all processes must read the same files on the same type of processor"
            )
        }
    }
}

extension NamedMatrix {
    /// A digest of the numbers.
    public var digest: String {
        withExtendedLifetime(matrix) {
            FileDigest.hexadecimal(
                of: Data(bytesNoCopy: matrix.pointer, count: matrix.count * 8, deallocator: .none))
        }
    }
}
