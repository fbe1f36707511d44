#!/usr/bin/env bash
# Runs the superposition study: three sweeps of toy networks, some minutes on two cores.
#
#   launch/superposition.sh [--processes N] [--rankwise PATH] [--output FOLDER]
#
#   --processes   processes of each job (2)
#   --rankwise    the program (.build/release/rankwise of this package, or the one on the PATH)
#   --output      where the sweeps go (runs/superposition); what is finished there is kept
set -euo pipefail

processes=2 rankwise= output=runs/superposition
usage() { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 64; }
while [ $# -gt 0 ]; do
    case $1 in
        --processes) processes=${2-}; shift 2 || usage ;;
        --rankwise) rankwise=${2-}; shift 2 || usage ;;
        --output) output=${2-}; shift 2 || usage ;;
        *) usage ;;
    esac
done
case $processes in '' | *[!0-9]*) usage ;; esac
package=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ -z "$rankwise" ]; then
    rankwise=$package/.build/release/rankwise
    [ -x "$rankwise" ] || rankwise=$(command -v rankwise) ||
        { echo "superposition.sh: rankwise is not built; run swift build -c release" >&2; exit 69; }
fi
mpirun=(mpirun -q -np "$processes" --oversubscribe)
[ "$(id -u)" -ne 0 ] || mpirun+=(--allow-run-as-root)

for sweep in strong weak geometry; do
    echo "== $sweep"
    "${mpirun[@]}" "$rankwise" superposition sweep --config "$package/launch/superposition/$sweep.yaml" \
        --set "output=$output/$sweep" --resume </dev/null
done
