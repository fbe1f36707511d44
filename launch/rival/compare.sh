#!/usr/bin/env bash
# rankwise and Hugging Face PEFT train the same, in turn, on this machine; prints figures and ratios.
#
#   launch/rival/compare.sh [--python PATH] [options of compare.py]
#
#   --python   a Python that has what Tests/goldens/requirements.txt names; without it, one is made in
#              ${XDG_CACHE_HOME:-~/.cache}/rankwise (some gigabytes, once)
#
# launch/rival/compare.sh --help shows the other options. Build first: swift build -c release; and fetch model and data:
# launch/fetch-data.sh. Nothing else should run on the machine meanwhile.
set -euo pipefail

rival=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
requirements=$rival/../../Tests/goldens/requirements.txt

python=
if [ "${1-}" = --python ]; then
    python=${2:?compare.sh: --python needs a path}
    shift 2
fi
if [ -z "$python" ]; then
    # Other pins, another environment.
    pins=$(sha256sum <"$requirements" | cut -c 1-12)
    environment=${XDG_CACHE_HOME:-$HOME/.cache}/rankwise/peft-$pins
    python=$environment/bin/python
    if [ ! -e "$environment/complete" ]; then
        echo "compare.sh: installing PEFT and PyTorch into $environment" >&2
        python3 -m venv --clear "$environment"
        "$python" -m pip install --quiet --requirement "$requirements"
        touch "$environment/complete"
    fi
fi
exec "$python" "$rival/compare.py" "$@"
