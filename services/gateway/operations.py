"""Which service knows which operation."""

from __future__ import annotations

from chassis.operations import OperationNotFound

# The first part of an operation's id names the collection of its resource, and so the service.
PEER_BY_COLLECTION = {
    "artist-exports": "prompt",
    "artist-purges": "prompt",
    "bundles": "sessions",
    "caption-runs": "datasets",
    "exports": "datasets",
    "generations": "datasets",
    "separations": "stems",
    "training-file-builds": "datasets",
    "training-file-exports": "datasets",
    "training-file-versions": "datasets",
    "training-files": "datasets",
    "trainings": "datasets",
    "verifications": "sessions",
}
PEERS = ("stems", "datasets", "prompt", "sessions")
# What EventSource clients are told to wait before they connect again, and others before they ask again.
RETRY_AFTER_S = 1


def peer_of(operation_id: str) -> str:
    """The service that knows an operation.

    Raises:
        OperationNotFound: No service makes operations of this kind.
    """
    peer = PEER_BY_COLLECTION.get(operation_id.rpartition("-")[0])
    if peer is None:
        raise OperationNotFound(f"there is no operation {operation_id!r}; check its name")
    return peer
