#!/usr/bin/env bash
# Damages a checkpoint of a real run in every way that a disk, a copy or a person may, and demands that each is found before use.
#
#   launch/damage.sh [--flips N] [--truncations N] [--resumes N] [--seed N] [--rankwise PATH]
#
#   --flips        single bits flipped, one at a time, anywhere in the checkpoint (1000)
#   --truncations  lengths to which each file is cut (100)
#   --resumes      damages after which the run is also resumed, which must take the checkpoint before (10)
#
# Uses the real MiniLM and movie reviews in RANKWISE_DATA (data/). Ends with a line "N passed, N failed".
set -uo pipefail

flips=1000 truncations=100 resumes=10 seed=1 rankwise=
while [ $# -gt 0 ]; do
    case $1 in
        --flips) flips=$2 ;;
        --truncations) truncations=$2 ;;
        --resumes) resumes=$2 ;;
        --seed) seed=$2 ;;
        --rankwise) rankwise=$2 ;;
        *) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
    esac
    shift 2 || exit 64
done
package=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
data=${RANKWISE_DATA:-$package/data}
rankwise=${rankwise:-$package/.build/release/rankwise}
for file in "$rankwise" "$data/minilm/config.json" "$data/movie-reviews/train.tsv"; do
    [ -e "$file" ] || { echo "damage.sh: $file is missing; run launch/quickstart.sh first" >&2; exit 66; }
done
RANDOM=$seed
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat >"$scratch/run.yaml" <<YAML
model: $data/minilm
data: { train: $data/movie-reviews/train.tsv, max_length: 48 }
adapter: { init_r: 6, target_r: 2, tinit: 3, tfinal: 6, deltaT: 3 }
total_step: 24
optimizer: { warmup_steps: 4 }
batch_size: 8
checkpoint: { every: 4, keep: 3 }
output: $scratch/run
YAML
options=(-q -np 2 --oversubscribe)
[ "$(id -u)" -ne 0 ] || options+=(--allow-run-as-root)
mpirun "${options[@]}" "$rankwise" train --config "$scratch/run.yaml" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 70; }
expected=$(cat "$scratch"/run/adapter/* | sha256sum)
checkpoint=$(ls -d "$scratch"/run/checkpoints/step-* | tail -n 1)
cp -r "$checkpoint" "$scratch/intact"
restore() { rm -rf "$checkpoint"; cp -r "$scratch/intact" "$checkpoint"; }
random() { echo $(((RANDOM << 30 | RANDOM << 15 | RANDOM) % $1)); }

passed=0 failed=0 resumed=0
# demand WHAT: the damage must be found, and a resume must take the checkpoint before.
demand() {
    "$rankwise" checkpoint verify "$scratch/run" >"$scratch/log" 2>&1
    local code=$?
    if [ "$code" -ne 65 ]; then
        failed=$((failed + 1))
        echo "NOT FOUND: $1 (exit code $code)"
        return
    fi
    if [ "$resumed" -lt "$resumes" ] && [ $((RANDOM % 40)) -eq 0 ]; then
        resumed=$((resumed + 1))
        rm -rf "$scratch/copy"
        cp -r "$scratch/run" "$scratch/copy"
        "$rankwise" train --config "$scratch/run.yaml" --set output="$scratch/copy" --resume >"$scratch/log" 2>&1
        if ! grep -q 'skipping a damaged checkpoint' "$scratch/log" || [ "$(cat "$scratch"/copy/adapter/* | sha256sum)" != "$expected" ]; then
            failed=$((failed + 1))
            echo "WRONG RESUME: $1"
            return
        fi
    fi
    passed=$((passed + 1))
}

files=("$checkpoint"/*)
for _ in $(seq "$flips"); do
    file=${files[$((RANDOM % ${#files[@]}))]}
    offset=$(random "$(stat -c %s "$file")") bit=$((1 << RANDOM % 8))
    byte=$(od -An -tu1 -j "$offset" -N 1 "$file")
    printf "\\x$(printf %x $((byte ^ bit)))" | dd of="$file" bs=1 seek="$offset" conv=notrunc 2>/dev/null
    demand "bit $bit of byte $offset of ${file##*/}"
    printf "\\x$(printf %x $((byte)))" | dd of="$file" bs=1 seek="$offset" conv=notrunc 2>/dev/null
done
echo "$flips flipped bits"
for file in "${files[@]}"; do
    for _ in $(seq "$truncations"); do
        length=$(random "$(stat -c %s "$scratch/intact/${file##*/}")")
        truncate -s "$length" "$file"
        demand "${file##*/} cut to $length bytes"
        cp "$scratch/intact/${file##*/}" "$file"
    done
    rm "$file"
    demand "${file##*/} removed"
    restore
done
echo "$((truncations * ${#files[@]})) truncations, ${#files[@]} removals"
mv "$checkpoint/shard-00000.safetensors" "$scratch/swap"
mv "$checkpoint/shard-00001.safetensors" "$checkpoint/shard-00000.safetensors"
mv "$scratch/swap" "$checkpoint/shard-00001.safetensors"
demand "shards swapped"
restore
sed -i 's/"step" : 24/"step" : 23/' "$checkpoint/manifest.json"
demand "step edited in the manifest"
restore
sed -i 's/"format_version" : 1/"format_version" : 2/' "$checkpoint/manifest.json"
demand "a newer format version"
restore
"$rankwise" checkpoint verify "$scratch/run" >/dev/null || { failed=$((failed + 1)); echo "the intact checkpoint is not valid"; }
echo "$resumed resumes took the checkpoint before and gave the same bytes"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
