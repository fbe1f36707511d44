#!/usr/bin/env bash
# Kills training runs at random moments, restarts them on other numbers of processes until they are done, and compares the bytes
# of their adapters with those of a run that nobody disturbed.
#
#   launch/torture.sh [--runs N] [--seed N] [--minutes N] [--rankwise PATH]
#
#   --runs      runs to disturb (20)
#   --seed      of the random moments, targets and process counts (1)
#   --minutes   stop starting new runs after so long (30)
#
# What is killed, with SIGKILL: a random process of the job, or mpirun, at a random moment; or a process as soon as the checkpoint of a
# random step, or the adapter at the end, is being written. The next start follows at once, on another number of processes.
# Uses the real MiniLM and movie reviews in RANKWISE_DATA (data/), and a schedule of 24 steps that meets every phase. Ends with a line
# "N passed, N failed".
set -uo pipefail
exec 3>&2 2>/dev/null  # Bash tells of every killed job; what matters goes to standard output.

runs=20 seed=1 minutes=30 rankwise=
while [ $# -gt 0 ]; do
    case $1 in
        --runs) runs=$2 ;;
        --seed) seed=$2 ;;
        --minutes) minutes=$2 ;;
        --rankwise) rankwise=$2 ;;
        *) sed -n '2,16s/^# \{0,1\}//p' "$0" >&3; exit 64 ;;
    esac
    shift 2 || exit 64
done
package=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
data=${RANKWISE_DATA:-$package/data}
rankwise=${rankwise:-$package/.build/release/rankwise}
for file in "$rankwise" "$data/minilm/config.json" "$data/movie-reviews/train.tsv"; do
    [ -e "$file" ] || { echo "torture.sh: $file is missing; run launch/quickstart.sh first" >&3; exit 66; }
done
# Bash draws repeatable numbers from a seed.
RANDOM=$seed
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/run.yaml" <<YAML
model: $data/minilm
data: { train: $data/movie-reviews/train.tsv, max_length: 48 }
adapter: { init_r: 6, target_r: 2, tinit: 3, tfinal: 6, deltaT: 3, lora_dropout: 0.1 }
optimizer: { warmup_steps: 4, max_grad_norm: 1.0 }
total_step: 24
batch_size: 16
checkpoint: { every: 1, keep: 3 }
step_timeout: 60
output: $scratch/run
YAML

# train FOLDER PROCESSES: one start of the run.
train() {
    local options=(-q -np "$2" --oversubscribe --bind-to none)
    [ "$(id -u)" -ne 0 ] || options+=(--allow-run-as-root)
    exec mpirun "${options[@]}" "$rankwise" train --config "$scratch/run.yaml" --set output="$1" --resume
}

# What must be equal: every file of the adapter, and the metrics but for times.
fingerprint() {
    cat "$1"/adapter/* | sha256sum
    sed 's/"step_seconds":[^,}]*//' "$1/metrics.jsonl" | sha256sum
}

# The processes of the job of an mpirun.
children() { pgrep -P "$1" || true; }

(train "$scratch/undisturbed" 2) >"$scratch/log" 2>&1 </dev/null || { cat "$scratch/log"; exit 70; }
expected=$(fingerprint "$scratch/undisturbed")

passed=0 failed=0 kills=0 starts=0 began=$SECONDS
for run in $(seq "$runs"); do
    [ $((SECONDS - began)) -lt $((minutes * 60)) ] || { echo "stopped after $minutes minutes"; break; }
    folder=$scratch/disturbed history=
    rm -rf "$folder"
    for attempt in $(seq 60); do
        processes=$((RANDOM % 4 + 1))
        # After three disturbed starts the run may go through.
        moment=$((RANDOM % 1800 + 400)) target=$((RANDOM % 4)) victim=$((RANDOM % processes + 1))
        (train "$folder" "$processes") >"$scratch/log" 2>&1 </dev/null &
        job=$!
        starts=$((starts + 1))
        if [ "$attempt" -le 3 ]; then
            if [ "$target" -eq 3 ]; then
                # While a checkpoint is written, or just after; after the last one come the adapter and the summary.
                moment=$((RANDOM % 26 + 1))
                sign=$(printf '%s/checkpoints/step-%08d*' "$folder" "$moment")
                [ "$moment" -le 24 ] || sign=$folder/adapter*
                until compgen -G "$sign" >/dev/null || ! kill -0 "$job" 2>/dev/null; do sleep 0.002; done
            else
                sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
            fi
            if kill -0 "$job" 2>/dev/null; then
                if [ "$target" -eq 0 ]; then
                    what=mpirun
                    # The others notice by themselves that mpirun is gone; the next start waits for the run's folder.
                    kill -KILL "$job" 2>/dev/null
                else
                    what=$([ "$target" -eq 3 ] && echo checkpoint || echo process)
                    pid=$(children "$job" | sed -n "${victim}p")
                    kill -KILL "$pid" 2>/dev/null || what=
                fi
                if [ -n "$what" ]; then
                    kills=$((kills + 1))
                    history+=" $processes:$what@$moment$([ "$target" -eq 3 ] || echo ms)"
                fi
            fi
        fi
        wait "$job" 2>/dev/null
        code=$?
        if [ "$code" -eq 0 ] && [ -e "$folder/summary.json" ]; then break; fi
    done
    if [ "$(fingerprint "$folder" 2>/dev/null)" = "$expected" ]; then
        passed=$((passed + 1))
        echo "run $run: equal bytes after$history, finished by $processes"
    else
        failed=$((failed + 1))
        echo "run $run: DIFFERENT after$history, exit code $code"
        tail -n 3 "$scratch/log"
    fi
done
echo "$starts starts, $kills kills, $((SECONDS - began)) s"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
