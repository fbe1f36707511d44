#!/usr/bin/env bash
# Adapts a network that was trained on Fashion-MNIST to digits: all its parameters, AdaLoRA's triplets at a tenth of them, as many
# of LoRA, and a new head alone, three seeds each, and prints a table. See docs/hcformer.md.
#
#   launch/adaptation.sh MODEL [OUTPUT]       MODEL: a run of launch/fashion-mnist.yaml, or its model/
#
# RANKWISE is the program (the release build, if it is not set), PROCESSES their number (2), RANKWISE_DATA the data (data/).
set -euo pipefail

launch=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
package=$(dirname "$launch")
data=${RANKWISE_DATA:-$package/data}
rankwise=${RANKWISE:-$package/.build/release/rankwise}
model=${1:?usage: launch/adaptation.sh MODEL [OUTPUT]}
output=${2:-runs/adaptation}
[ -d "$model/model" ] && model=$model/model

mpirun=(mpirun -q -np "${PROCESSES:-2}" --oversubscribe --bind-to none)
[ "$(id -u)" -ne 0 ] || mpirun+=(--allow-run-as-root)
export OMPI_MCA_btl_vader_single_copy_mechanism=${OMPI_MCA_btl_vader_single_copy_mechanism:-none}

# name, learning rate, and what else distinguishes it
train() {
    local name=$1 rate=$2 seed=$3
    shift 3
    [ -e "$output/$name-$seed/summary.json" ] || "${mpirun[@]}" "$rankwise" train --config "$launch/adaptation.yaml" \
        --set "model=$model" --set "data.train=$data/digits/train.csv" --set "data.test=$data/digits/test.csv" \
        --set "output=$output/$name-$seed" --set "seed=$seed" --set "optimizer.lr=$rate" "$@" </dev/null
}

for seed in 0 1 2; do
    train full 2e-3 "$seed" --set method=full
    train adalora 1e-2 "$seed" --set method=adalora
    train lora 1e-2 "$seed" --set method=lora --set adapter.init_r=4
    train head 1e-2 "$seed" --set method=head
done

printf '\n%-10s%12s%12s%12s%12s%12s\n' method seed\ 0 seed\ 1 seed\ 2 mean triplets
for name in full adalora lora head; do
    python3 - "$output" "$name" <<'TABLE'
import json
import sys

output, name = sys.argv[1:]
summaries = [json.load(open(f"{output}/{name}-{seed}/summary.json")) for seed in range(3)]
accuracies = [summary["metrics"]["test"]["accuracy"] for summary in summaries]
columns = accuracies + [sum(accuracies) / 3]
print(f"{name:10}" + "".join(f"{value:12.4f}" for value in columns) + f"{summaries[0]['total_rank']:12}")
TABLE
done
