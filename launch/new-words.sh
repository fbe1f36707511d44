#!/usr/bin/env bash
# Derives new Chinese words from a dictionary by truncating a matrix's singular values, on 1 and on 2 processes:
#
#   launch/new-words.sh [rankwise's path]
#
# Fetches jieba's dictionary (MIT), of which the 23,630 words of two characters with a frequency of 100 or more are a matrix of
# first by second characters; keeps the singular values above 1000; and prints the values of 21 words that the dictionary does
# not have at this frequency. Fails if both jobs do not leave the same bytes, or if a word's value is not the published one
# (Su Jianlin, https://kexue.fm/archives/4208).
#
#   RANKWISE_DATA   where the dictionary goes, or is (data/)
set -euo pipefail

here=$PWD
data=data
case ${RANKWISE_DATA:-} in "") ;; /*) data=$RANKWISE_DATA ;; *) data=$here/$RANKWISE_DATA ;; esac
rankwise=${1:-}
[ -z "$rankwise" ] || rankwise=$(readlink -f "$rankwise")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -z "$rankwise" ]; then
    if ! command -v swift >/dev/null; then
        echo "rankwise: swift is not on the PATH; install Swift 6.1 or later (www.swift.org/install), then run this again" >&2
        exit 69
    fi
    launch/install-packages.sh libopenmpi-dev openmpi-bin libopenblas-dev liblapacke-dev pkg-config
    swift build --configuration release --product rankwise </dev/null
    rankwise=$(swift build --configuration release --show-bin-path </dev/null)/rankwise
fi
RANKWISE_DATA=$data launch/fetch-data.sh jieba

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
mpirun=(mpirun -q --oversubscribe)
[ "$(id -u)" -ne 0 ] || mpirun+=(--allow-run-as-root)
export OMPI_MCA_btl_vader_single_copy_mechanism=${OMPI_MCA_btl_vader_single_copy_mechanism:-none}
for processes in 1 2; do
    printf '\n== %s process(es)\n' "$processes"
    "${mpirun[@]}" -np "$processes" "$rankwise" factor "$data/jieba/words.tsv" --sigma-above 1000 --method gram --relu \
        --derive-above 10 --derived "$results/words$processes.tsv" --output "$results/factors$processes.safetensors" </dev/null
done
cmp "$results/words1.tsv" "$results/words2.tsv"
cmp "$results/factors1.safetensors" "$results/factors2.safetensors"

printf '\n== the 21 words, the same bytes on both\n'
code=0
while read -r first second expected; do
    found=$(awk -F '\t' -v first="$first" -v second="$second" '$1 == first && $2 == second { print $3 }' "$results/words1.tsv")
    verdict=
    [ "$found" = "$expected" ] || { verdict="  expected $expected" code=65; }
    printf '%s%s  %s%s\n' "$first" "$second" "${found:-none}" "$verdict"
done <<'WORDS'
龙 脑 10.271244
龙 脚 12.496673
龙 腊 16.860170
龙 腿 12.172765
龙 莲 11.362767
龙 蔗 67.800909
龙 薯 30.580730
七 讲 11.439969
七 评 12.362163
七 课 11.587767
七 郎 12.789438
七 隐 10.479609
七 页 15.499356
七 项 18.802959
怨 怒 29.831461
怨 恶 15.875075
怨 苦 24.979326
怪 兔 10.246062
怪 奇 12.768122
怪 孩 14.391967
怪 形 14.856068
WORDS
exit "$code"
