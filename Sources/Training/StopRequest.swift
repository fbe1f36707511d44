#if canImport(Glibc)
    import Glibc
#endif

/// A request to stop after the step at hand: SIGTERM, SIGINT, SIGHUP, which a terminal sends that is closed, or SIGUSR1, with
/// which batch systems announce the end of a job's time.
public enum StopRequest {
    // Written by a signal handler, which may do little more than that.
    nonisolated(unsafe) private static var firstSignalTime: Int = 0

    /// Takes over SIGUSR1 alone, which nothing but a request sends: for the start, during which SIGTERM and SIGINT end the
    /// process at once, as the launcher expects when another process has failed.
    public static func listenAtStart() {
        firstSignalTime = 0
        listen(to: [SIGUSR1])
        // Lines for a reader that is gone are dropped; they are no reason to end a run.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Takes over the signals of this process; SIGHUP not where `nohup` has it ignored.
    ///
    /// The first one asks to stop; the processes of a job agree on it at the next step. Another one, more than a second
    /// later, ends this process at once; within the second it counts as the same request, which may come from the
    /// launcher and from whoever signalled the launcher alike.
    static func listen() { listen(to: [SIGTERM, SIGINT, SIGUSR1] + (isIgnored(SIGHUP) ? [] : [SIGHUP])) }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    private static func listen(to signals: [Int32]) {
        for number in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                var now = timespec()
                clock_gettime(CLOCK_MONOTONIC, &now)
                if StopRequest.firstSignalTime == 0 {
                    StopRequest.firstSignalTime = max(now.tv_sec, 1)
                } else if now.tv_sec > StopRequest.firstSignalTime + 1 {
                    _exit(128 + number)
                }
            }
            action.sa_flags = Int32(SA_RESTART)
            sigaction(number, &action, nil)
        }
        // Whoever started this process may have blocked them.
        var set = sigset_t()
        sigemptyset(&set)
        for number in signals { sigaddset(&set, number) }
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Whether this process was asked to stop.
    static var isPending: Bool { firstSignalTime != 0 }
}
