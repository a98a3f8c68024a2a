#!/usr/bin/env bash
# down.sh: remove the cluster of up.sh and what it kept.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=deploy/kind/versions.sh
. "$here/versions.sh"
command -v docker >/dev/null || { echo "kind needs Docker; there is nothing to remove" >&2; exit 0; }
kind=$("$here/fetch.sh" "$root/build/kind")
"$kind" delete cluster --name "$CLUSTER"
rm -f "$root/build/kind/kubeconfig" "$root/build/kind/env"
