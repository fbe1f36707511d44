#!/usr/bin/env bash
# Installs the Debian packages among its arguments that are missing.
#
#   launch/install-packages.sh libopenmpi-dev openmpi-bin
#
# Needs root or sudo only if something is missing. On a system without Debian's packages it says what is needed and
# leaves the rest to whoever looks after the machine. Exit code 69: something is missing and cannot be installed.
set -euo pipefail

say() { printf 'rankwise: %s\n' "$*" >&2; }

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "this system has no Debian packages; what these hold must be installed: $*"
    exit 0
fi

missing=()
for package in "$@"; do
    # A Python from elsewhere is as good as Debian's.
    case $package in
        python3) command -v python3 >/dev/null && continue ;;
        python3-pip) python3 -m pip --version >/dev/null 2>&1 && continue ;;
    esac
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        say "missing packages, and neither root nor sudo to install them; run as root: apt-get install ${missing[*]}"
        exit 69
    fi
    as_root=(sudo)
    # Without a terminal nobody can type a password, and sudo would wait for one.
    [ -t 0 ] || as_root=(sudo -n)
fi

say "installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes "$@" </dev/null >>"$log" 2>&1
}
# The package lists of a fresh container are empty, and old ones name files that are gone; without a network, packages
# may still come from the cache.
apt update || true
if ! apt install --no-install-recommends "${missing[@]}"; then
    tail -n 20 "$log" >&2
    say "installing failed (see above); run by hand: apt-get update && apt-get install ${missing[*]}"
    exit 69
fi
