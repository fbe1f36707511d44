#!/usr/bin/env bash
# From a machine that has Swift to a fine-tuned adapter of a real model, in one command:
#
#   launch/quickstart.sh [options of rankwise train]
#
# Installs the Debian packages that are missing, builds, fetches model and data, trains (launch/movie-reviews.yaml),
# evaluates on the test split, and shows the ranks that the modules kept. Run again after an interruption, it goes on
# from the last checkpoint.
#
#   RANKWISE_PROCESSES   processes of the job (2)
#   RANKWISE_DATA        where model and data go, or are (data/)
#   RANKWISE_RUNS        where the run goes (runs/)
set -euo pipefail

say() { printf '\n== %s\n' "$*"; }

# Folders of the caller's are relative to where the caller is; the default ones lie in the package.
here=$PWD
absolute() { case $1 in /*) printf '%s' "$1" ;; *) printf '%s/%s' "$here" "$1" ;; esac; }
data=data runs=runs
[ -z "${RANKWISE_DATA:-}" ] || data=$(absolute "$RANKWISE_DATA")
[ -z "${RANKWISE_RUNS:-}" ] || runs=$(absolute "$RANKWISE_RUNS")
processes=${RANKWISE_PROCESSES:-2}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run=$runs/quickstart

if ! command -v swift >/dev/null; then
    echo "rankwise: swift is not on the PATH; install Swift 6.1 or later (www.swift.org/install), then run this again" >&2
    exit 69
fi

launch/install-packages.sh \
    libopenmpi-dev openmpi-bin libopenblas-dev liblapacke-dev zlib1g-dev pkg-config python3 python3-pip

say "building"
swift build --configuration release --product rankwise </dev/null
rankwise=$(swift build --configuration release --show-bin-path </dev/null)/rankwise

say "model and data"
RANKWISE_DATA=$data launch/fetch-data.sh

start=()
case " $* " in
    *" --resume "* | *" --overwrite "* | *" --dry-run "*) ;;
    *)
        if [ -e "$run/summary.json" ]; then
            start=(finished)
        elif [ -e "$run/config.yaml" ] || [ -e "$run/checkpoints" ]; then
            start=(--resume)
        fi
        ;;
esac

if [ "${start[*]-}" = finished ]; then
    say "$run holds a finished run; to start over: launch/quickstart.sh --overwrite"
else
    say "training on $processes processes${start[*]:+, from the last checkpoint}"
    mpirun=(mpirun -q -np "$processes" --oversubscribe)
    [ "$(id -u)" -ne 0 ] || mpirun+=(--allow-run-as-root)
    # A process for each core is worth holding there; more of them, or fewer cores, are the system's to place.
    [ "$processes" -le "$(nproc)" ] || mpirun+=(--bind-to none)
    # Containers often forbid a process to read another's memory, which Open MPI reports at length and goes around.
    export OMPI_MCA_btl_vader_single_copy_mechanism=${OMPI_MCA_btl_vader_single_copy_mechanism:-none}
    "${mpirun[@]}" "$rankwise" train --config launch/movie-reviews.yaml \
        --set "model=$data/minilm" \
        --set "data.train=$data/movie-reviews/train.tsv" \
        --set "data.validation=$data/movie-reviews/validation.tsv" \
        --set "data.test=$data/movie-reviews/test.tsv" \
        --set "output=$run" \
        ${start[@]+"${start[@]}"} "$@" </dev/null
fi
case " $* " in *" --dry-run "*) exit 0 ;; esac

say "test split"
"$rankwise" evaluate --adapter "$run" --data "$data/movie-reviews/test.tsv" </dev/null

if [ -d "$run/adapter" ]; then
    say "ranks kept"
    "$rankwise" inspect "$run" </dev/null
    say "the adapter, for Hugging Face PEFT, is in $run/adapter"
else
    say "the model, for transformers, is in $run/model"
fi
echo "try it:  echo 'A wonderful film.' | $rankwise predict --adapter $run"
