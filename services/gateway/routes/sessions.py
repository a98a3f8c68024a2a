"""Saved sessions, their history and bundles."""

from __future__ import annotations

from fastapi import APIRouter

from services.gateway.peers import SESSIONS
from services.gateway.transcode import Rpc, expose

router = APIRouter(prefix="/v1")
_SESSION = "/artists/{artist}/sessions/{session}"

expose(
    router,
    "sessions",
    Rpc("POST /artists/{artist}/sessions", SESSIONS, "CreateSession"),
    Rpc("GET /artists/{artist}/sessions", SESSIONS, "ListSessions"),
    Rpc("POST /artists/{artist}/sessions:importLocal", SESSIONS, "ImportLocalSessions"),
    Rpc(f"GET {_SESSION}", SESSIONS, "GetSession"),
    Rpc(f"PATCH {_SESSION}", SESSIONS, "UpdateSession", needs_etag=True),
    Rpc(f"DELETE {_SESSION}", SESSIONS, "DeleteSession", needs_etag=True),
    Rpc(f"POST {_SESSION}:undelete", SESSIONS, "UndeleteSession"),
    Rpc(f"POST {_SESSION}:copy", SESSIONS, "CopySession"),
    Rpc(f"POST {_SESSION}:open", SESSIONS, "OpenSession"),
    Rpc(f"POST {_SESSION}:checkDirty", SESSIONS, "CheckDirty"),
    Rpc(f"POST {_SESSION}:exportBundle", SESSIONS, "ExportBundle"),
    Rpc(f"GET {_SESSION}/diff", SESSIONS, "DiffRevisions"),
    Rpc(f"GET {_SESSION}/revisions", SESSIONS, "ListRevisions"),
    Rpc(f"GET {_SESSION}/revisions/{{revision}}", SESSIONS, "GetRevision"),
    Rpc(f"POST {_SESSION}/revisions/{{revision}}:restore", SESSIONS, "RestoreRevision", needs_etag=True),
    Rpc("GET /artists/{artist}/bundles/{bundle}", SESSIONS, "GetBundle"),
)
