import Foundation

/// Why something failed, in a few words: what the system says ("No such file or directory"), or an error of this program's
/// own. The sentences of libraries, which repeat the path and speak of operations, are left out.
public func plainReason(_ error: any Error) -> String {
    if let diagnosis = error as? any Diagnosis { return diagnosis.description }
    var next: NSError? = error as NSError
    while let error = next {
        if error.domain == NSPOSIXErrorDomain {
            return String(cString: strerror(Int32(truncatingIfNeeded: error.code)))
        }
        // Here the error that lies below need not be an NSError.
        next = (error.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError }
    }
    switch (error as? CocoaError)?.code {
    case .fileNoSuchFile, .fileReadNoSuchFile: return String(cString: strerror(ENOENT))
    case .fileReadNoPermission, .fileWriteNoPermission: return String(cString: strerror(EACCES))
    case .fileWriteOutOfSpace: return String(cString: strerror(ENOSPC))
    case .fileWriteFileExists: return String(cString: strerror(EEXIST))
    case .fileWriteVolumeReadOnly: return String(cString: strerror(EROFS))
    default: return "\((error as NSError).domain) \((error as NSError).code)"
    }
}
