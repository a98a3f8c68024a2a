"""What operators of the platform do: jobs, artists and limits across all tenants."""

from __future__ import annotations

from fastapi import APIRouter

from services.gateway.peers import ARTISTS, DATASETS, REALTIME, STEMS
from services.gateway.transcode import Rpc, expose

router = APIRouter(prefix="/v1/operator")
_STEMS_JOB = "/jobs/stems/artists/{artist}/separations/{separation}"
_DATASETS_JOB = "/jobs/datasets/artists/{artist}/jobs/{job}"
_STEMS_NAME = "artists/{artist}/separations/{separation}"
_DATASETS_NAME = "artists/{artist}/jobs/{job}"

expose(
    router,
    "operator",
    Rpc("GET /jobs/stems", STEMS, "ListJobs", operation_id="list_stems_jobs"),
    Rpc(f"POST {_STEMS_JOB}:retry", STEMS, "RetryJob", name=_STEMS_NAME, operation_id="retry_stems_job"),
    Rpc(f"POST {_STEMS_JOB}:cancel", STEMS, "CancelJob", name=_STEMS_NAME, operation_id="cancel_stems_job"),
    Rpc("GET /jobs/datasets", DATASETS, "ListJobs", name="artists/-", operation_id="list_datasets_jobs"),
    Rpc(f"POST {_DATASETS_JOB}:retry", DATASETS, "RetryJob", name=_DATASETS_NAME, operation_id="retry_datasets_job"),
    Rpc(f"POST {_DATASETS_JOB}:cancel", DATASETS, "CancelJob", name=_DATASETS_NAME, operation_id="cancel_datasets_job"),
    Rpc("GET /artists", ARTISTS, "SearchArtists"),
    Rpc("PATCH /artists/{artist}/quota", ARTISTS, "UpdateQuota", name="artists/{artist}/quota"),
    Rpc("POST /artists/{artist}:purge", ARTISTS, "PurgeArtist", name="artists/{artist}"),
    Rpc("GET /performances", REALTIME, "SearchPerformances"),
)
