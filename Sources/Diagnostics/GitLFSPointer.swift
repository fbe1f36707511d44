/// What Git leaves in place of a large file that was not fetched: a few lines of text that say which file it would be.
public enum GitLFSPointer {
    /// What is wrong with a file that begins so, to be put behind its path; nil for any other file.
    ///
    /// - Parameter bytes: of the file, from its start.
    public static func complaint(about bytes: some Sequence<UInt8>) -> String? {
        guard bytes.starts(with: "version https://git-lfs.github.com/spec/".utf8) else { return nil }
        return
            "a Git LFS pointer, which stands for a file that was not fetched; run 'git lfs pull' where the folder was "
            + "cloned, or download the file itself"
    }
}
