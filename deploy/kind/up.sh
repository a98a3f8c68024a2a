#!/usr/bin/env bash
# up.sh TAG [REPOSITORY]: a one-node cluster on Docker, with the images REPOSITORY/<service>:TAG loaded into it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=deploy/kind/versions.sh
. "$here/versions.sh"
tag=${1:?the tag of the images to load}
repository=${2:-localhost/tonewright}
images=(gateway prompt datasets sessions stems-stub realtime)
state="$root/build/kind"

docker info >/dev/null 2>&1 || { echo "kind needs Docker, and no Docker daemon answers; start one, or use make test-cluster with a KUBECONFIG" >&2; exit 1; }
mkdir -p "$state"
kind=$("$here/fetch.sh" "$state")

for image in "${images[@]}"; do
    docker image inspect "$repository/$image:$tag" >/dev/null 2>&1 || { echo "image $repository/$image:$tag is missing: make images TAG=$tag REPOSITORY=$repository" >&2; exit 1; }
done
"$kind" get clusters 2>/dev/null | grep -qx "$CLUSTER" ||
    "$kind" create cluster --name "$CLUSTER" --image "$NODE_IMAGE" --config "$here/cluster.yaml" --kubeconfig "$state/kubeconfig" --wait 180s

loaded=()
for image in "${images[@]}"; do
    docker tag "$repository/$image:$tag" "$repository/$image:$NEXT_TAG"
    loaded+=("$repository/$image:$tag" "$repository/$image:$NEXT_TAG")
done
"$kind" load docker-image --name "$CLUSTER" "${loaded[@]}"

cat >"$state/env" <<ENV
export KUBECONFIG=$state/kubeconfig IMAGE_REPOSITORY=$repository IMAGE_TAG=$tag NEXT_IMAGE_TAG=$NEXT_TAG STORAGE_CLASS=standard BACKEND_IMAGES=public
ENV
echo "ready: make test-kind, or . $state/env for helm and kubectl"
