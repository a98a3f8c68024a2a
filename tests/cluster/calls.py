"""One gRPC call from inside a pod of the platform, as a program on its own; prints the code of the answer as JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import grpc

from chassis.context import Caller, Role
from chassis.tokens import Signer

# A read of each service that names one resource.
METHODS = {
    "prompt": "tonewright.artists.v1.ArtistsService/GetArtist",
    "datasets": "tonewright.datasets.v1.DatasetsService/GetTrainingItem",
    "sessions": "tonewright.assets.v1.AssetsService/GetAsset",
    "stems": "tonewright.stems.v1.StemsService/GetSeparation",
    "realtime": "tonewright.realtime.v1.RealtimeService/GetPerformance",
}
NAMES = {
    "prompt": "artists/nobody",
    "datasets": "artists/nobody/trainingItems/none",
    "sessions": "artists/nobody/assets/none",
    "stems": "artists/nobody/separations/none",
    "realtime": "artists/nobody/performances/none",
}


def main(asked: dict[str, str]) -> str:
    """The code that the call is answered with."""
    metadata: tuple[tuple[str, str | bytes], ...] = ()
    if asked["signer"]:
        key = Path(os.environ["TONEWRIGHT_SIGNING_KEY_FILE"])
        caller = Caller(asked.get("claims_to_be", asked["signer"]), "ada", "nobody", Role.OWNER)
        token = Signer(caller.service, key).sign(asked["service"], caller)
        metadata = (("authorization", f"Bearer {token}"),)
    name = NAMES[asked["service"]].encode()
    with grpc.insecure_channel(asked["target"]) as channel:
        # The name is field 1 of each of these requests.
        call = channel.unary_unary(f"/{METHODS[asked['service']]}", bytes, bytes)
        try:
            call(b"\x0a" + bytes([len(name)]) + name, timeout=20, metadata=metadata)
        except grpc.RpcError as refused:
            return str(refused.code().name)
    return "OK"


if __name__ == "__main__":
    print(json.dumps({"code": main(json.loads(sys.argv[1]))}))
