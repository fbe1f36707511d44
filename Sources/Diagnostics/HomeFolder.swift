#if canImport(Glibc)
    import Glibc
#endif

/// `path` with the user's home folder in the place of a `~` that it begins with, as a shell writes it where a path stands
/// alone: `~` and `~/runs`, but neither `./~` nor `a~`.
///
/// - Returns: nil for `~name`, another user's home, and where HOME is not set.
public func expandingHome(_ path: String) -> String? {
    guard path.first == "~" else { return path }
    let rest = path.dropFirst()
    guard rest.isEmpty || rest.first == "/", let home = getenv("HOME").map({ String(cString: $0) }), !home.isEmpty
    else { return nil }
    return home + rest
}
