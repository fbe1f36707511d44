#!/usr/bin/env bash
# Trains under mpirun, and starts again from the newest valid checkpoint after a crash.
#
#   launch/run.sh [--processes N] [--restarts N] [--rankwise PATH] [--mpirun "OPTIONS"] -- --config run.yaml [options of rankwise train]
#
#   --processes   processes of the job (2)
#   --restarts    restarts at most (10); never twice in a row without a newer checkpoint in between
#   --rankwise    the program (.build/release/rankwise of this package, or the one on the PATH)
#   --mpirun      further options of mpirun, for instance "--hostfile hosts"
#
# SIGTERM, SIGINT and SIGUSR1 to this script stop the run after the step at hand, with a checkpoint; the exit code is then 75.
# It passes on the exit codes that a restart would not mend: 0, 64, 65, 66, 75.
set -uo pipefail

processes=2 restarts=10 rankwise= options=
usage() { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 64; }
while [ $# -gt 0 ]; do
    case $1 in
        --processes) processes=${2-}; shift 2 || usage ;;
        --restarts) restarts=${2-}; shift 2 || usage ;;
        --rankwise) rankwise=${2-}; shift 2 || usage ;;
        --mpirun) options=${2-}; shift 2 || usage ;;
        --) shift; break ;;
        *) usage ;;
    esac
done
[ $# -gt 0 ] || usage
case $processes$restarts in *[!0-9]*) usage ;; esac
say() { printf 'run.sh: %s %s\n' "$(date '+%F %T')" "$*" >&2; }

if [ -z "$rankwise" ]; then
    rankwise=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.build/release/rankwise
    [ -x "$rankwise" ] || rankwise=$(command -v rankwise) || { say "rankwise is not built; run swift build -c release"; exit 69; }
fi
if [ -n "${OMPI_COMM_WORLD_RANK:-}${PMIX_RANK:-}${PMI_RANK:-}" ]; then
    say "started inside a process of an MPI job, where mpirun cannot start another; start run.sh itself, without mpirun or srun"
    exit 64
fi
session=${TMPDIR:-/tmp}
if ! mkdir -p "$session" 2>/dev/null || [ ! -w "$session" ]; then
    say "TMPDIR ($session) cannot be written, and mpirun keeps its session there; set TMPDIR to a folder on this host"
    exit 74
fi
output=$("$rankwise" train "$@" --show output) || exit

mpirun=(mpirun -q -np "$processes" --oversubscribe)
[ "$(id -u)" -ne 0 ] || mpirun+=(--allow-run-as-root)
# The options are words of mpirun's own command line.
# shellcheck disable=SC2206
mpirun+=($options)

newest() { ls "$output/checkpoints" 2>/dev/null | grep -E '^step-[0-9]+$' | sort | tail -n 1; }

# mpirun in a process group of its own, so that a terminal's Ctrl-C reaches it through the trap below alone.
set -m
job=
asked=
stop() {
    asked=yes
    [ -z "$job" ] || kill -USR1 "$job" 2>/dev/null
}
trap stop TERM INT USR1

count=0 stuck=
while :; do
    # Asked between two starts.
    [ -z "$asked" ] || exit 75
    before=$(newest)
    "${mpirun[@]}" "$rankwise" train "$@" --resume </dev/null &
    job=$!
    [ -z "$asked" ] || kill -USR1 "$job" 2>/dev/null
    wait "$job"
    code=$?
    # A trapped signal ends wait with a status above 128, not the job; and the job may end at that very moment.
    while [ "$code" -gt 128 ] && kill -0 "$job" 2>/dev/null; do
        wait "$job"
        code=$?
    done
    if [ "$code" -gt 128 ]; then
        wait "$job" 2>/dev/null
        again=$?
        [ "$again" -eq 127 ] || code=$again
    fi
    job=
    case $code in
        0 | 64 | 65 | 66 | 75) exit "$code" ;;
        # Ended by the request itself, before it could listen.
        130 | 138 | 143) [ -z "$asked" ] || exit 75 ;;
    esac
    cause="exit code $code"
    [ "$code" -le 128 ] || cause="signal $((code - 128))"
    if [ -n "$asked" ]; then
        say "ended with $cause while it was asked to stop; continue later from ${after:-the newest checkpoint}"
        exit "$code"
    fi
    after=$(newest)
    if [ "$after" = "$before" ]; then
        if [ -n "$stuck" ]; then
            say "ended with $cause, the second time without a newer checkpoint than '${after:-none}'; giving up"
            exit "$code"
        fi
        stuck=yes
    else
        stuck=
    fi
    count=$((count + 1))
    if [ "$count" -gt "$restarts" ]; then
        say "ended with $cause after $restarts restarts; giving up"
        exit "$code"
    fi
    say "ended with $cause; restart $count of $restarts from '${after:-the beginning}'"
done
