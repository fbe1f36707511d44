#!/usr/bin/env bash
# Installs what is missing, checks the format, builds, and runs all tests, those under mpirun included.
#
#   launch/test.sh [options of swift test]
#
# Tests of the real model use the files in RANKWISE_DATA (data/), which are fetched if they are not there.
set -euo pipefail

data=${RANKWISE_DATA:-}
[ -z "$data" ] || data=$(mkdir -p "$data" && cd "$data" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export RANKWISE_DATA=${data:-$PWD/data}
export OMPI_MCA_btl_vader_single_copy_mechanism=${OMPI_MCA_btl_vader_single_copy_mechanism:-none}

if ! command -v swift >/dev/null; then
    echo "rankwise: swift is not on the PATH; install Swift 6.1 or later (www.swift.org/install), then run this again" >&2
    exit 69
fi

launch/install-packages.sh \
    libopenmpi-dev openmpi-bin libopenblas-dev liblapacke-dev zlib1g-dev pkg-config python3 python3-pip iproute2 procps
launch/fetch-data.sh

echo "== format"
swift format lint --strict --recursive Package.swift Sources Tests </dev/null
echo "== build"
swift build </dev/null
echo "== tests"
swift test "$@" </dev/null

echo "== several hosts"
code=0
launch/several-hosts.sh --rankwise .build/debug/rankwise --seconds 300 || code=$?
# 77: this machine does not let network namespaces be made; the script has said why.
[ "$code" -eq 77 ] || exit "$code"
