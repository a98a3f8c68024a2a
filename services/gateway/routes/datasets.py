"""Training items, their captions, and snapshots."""

from __future__ import annotations

from fastapi import APIRouter

from services.gateway.peers import DATASETS
from services.gateway.transcode import Rpc, expose

router = APIRouter(prefix="/v1")
_ARTIST = "/artists/{artist}"
_ITEM = "/artists/{artist}/training-items/{training_item}"
_REVISION = f"{_ITEM}/caption-revisions/{{caption_revision}}"

expose(
    router,
    "training items",
    Rpc(f"POST {_ARTIST}/training-items", DATASETS, "CreateTrainingItem"),
    Rpc(f"POST {_ARTIST}/training-items:batchCreate", DATASETS, "BatchCreateTrainingItems"),
    Rpc(f"POST {_ARTIST}/training-items:matchFiles", DATASETS, "MatchFiles"),
    Rpc(f"POST {_ARTIST}/training-items:editCaptions", DATASETS, "EditCaptions", timeout_s=120),
    Rpc(f"POST {_ARTIST}/training-items:readiness", DATASETS, "CheckReadiness"),
    Rpc(f"GET {_ARTIST}/training-items", DATASETS, "ListTrainingItems"),
    Rpc(f"GET {_ARTIST}/duplicate-groups", DATASETS, "ListDuplicateGroups"),
    Rpc(f"GET {_ITEM}", DATASETS, "GetTrainingItem"),
    Rpc(f"PATCH {_ITEM}", DATASETS, "UpdateTrainingItem"),
    Rpc(f"DELETE {_ITEM}", DATASETS, "DeleteTrainingItem"),
    Rpc(f"POST {_ITEM}:fail", DATASETS, "FailTrainingItem"),
    Rpc(f"POST {_ITEM}:retry", DATASETS, "RetryTrainingItem"),
    Rpc(f"GET {_ITEM}/caption-revisions", DATASETS, "ListCaptionRevisions"),
    Rpc(f"POST {_REVISION}:restore", DATASETS, "RestoreCaptionRevision"),
)
expose(
    router,
    "caption runs",
    Rpc(f"POST {_ARTIST}/caption-runs", DATASETS, "CreateCaptionRun"),
    Rpc(f"GET {_ARTIST}/caption-runs", DATASETS, "ListCaptionRuns"),
    Rpc(f"GET {_ARTIST}/caption-runs/{{caption_run}}", DATASETS, "GetCaptionRun"),
    Rpc(f"POST {_ARTIST}/caption-runs/{{caption_run}}:cancel", DATASETS, "CancelCaptionRun"),
)
expose(
    router,
    "snapshots",
    Rpc(f"POST {_ARTIST}/snapshots", DATASETS, "CreateSnapshot", timeout_s=120),
    Rpc(f"GET {_ARTIST}/snapshots", DATASETS, "ListSnapshots"),
    Rpc(f"GET {_ARTIST}/snapshots/{{snapshot}}", DATASETS, "GetSnapshot"),
    Rpc(f"GET {_ARTIST}/snapshots/{{snapshot}}/members", DATASETS, "ListSnapshotMembers"),
    Rpc(f"DELETE {_ARTIST}/snapshots/{{snapshot}}", DATASETS, "DeleteSnapshot"),
)
