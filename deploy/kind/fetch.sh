#!/usr/bin/env bash
# fetch.sh FOLDER: the pinned kind binary, downloaded into FOLDER once and checked by digest; prints its path.
set -euo pipefail
# shellcheck source=deploy/kind/versions.sh
. "$(dirname "$0")/versions.sh"
folder=${1:?folder for the binary}
system=$(uname -s | tr '[:upper:]' '[:lower:]')
machine=$(uname -m)
case $machine in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; esac
digest_name="KIND_SHA256_${system}_${machine}"
digest=${!digest_name:-}
[ -n "$digest" ] || { echo "no digest of kind for $system/$machine in deploy/kind/versions.sh" >&2; exit 1; }
binary="$folder/kind-$KIND_VERSION"

check() {
    if command -v sha256sum >/dev/null; then sha256sum --check --quiet; else shasum -a 256 --check --quiet; fi
}

if ! { [ -x "$binary" ] && echo "$digest  $binary" | check 2>/dev/null; }; then
    curl -fsSL -o "$binary.part" "https://github.com/kubernetes-sigs/kind/releases/download/$KIND_VERSION/kind-$system-$machine"
    echo "$digest  $binary.part" | check >&2 || { rm -f "$binary.part"; echo "kind $KIND_VERSION has another digest than deploy/kind/versions.sh" >&2; exit 1; }
    chmod +x "$binary.part"
    mv "$binary.part" "$binary"
fi
echo "$binary"
