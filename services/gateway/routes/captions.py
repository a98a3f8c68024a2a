"""Captions, prompt templates and chat."""

from __future__ import annotations

from fastapi import APIRouter

from services.gateway.peers import PROMPT
from services.gateway.transcode import Rpc, expose

router = APIRouter(prefix="/v1")
_ARTIST = "/artists/{artist}"

expose(
    router,
    "captions",
    Rpc(f"POST {_ARTIST}/captions:generate", PROMPT, "GenerateCaption", timeout_s=120),
    Rpc(f"POST {_ARTIST}/captions:stream", PROMPT, "StreamCaption"),
    Rpc(f"POST {_ARTIST}/captions:check", PROMPT, "CheckCaption"),
    Rpc(f"POST {_ARTIST}/captions:batchCheck", PROMPT, "BatchCheckCaptions", timeout_s=60),
    Rpc(f"GET {_ARTIST}/captions", PROMPT, "ListCaptions"),
    Rpc(f"GET {_ARTIST}/captions/{{caption}}", PROMPT, "GetCaption"),
)
expose(
    router,
    "prompt templates",
    Rpc(f"POST {_ARTIST}/prompt-templates", PROMPT, "CreatePromptTemplate"),
    Rpc(f"GET {_ARTIST}/prompt-templates", PROMPT, "ListPromptTemplates"),
    Rpc(f"GET {_ARTIST}/prompt-templates/{{prompt_template}}", PROMPT, "GetPromptTemplate"),
    Rpc(f"POST {_ARTIST}/prompt-templates/{{prompt_template}}:approve", PROMPT, "ApprovePromptTemplate"),
    Rpc(f"POST {_ARTIST}/prompt-templates/{{prompt_template}}:retire", PROMPT, "RetirePromptTemplate"),
    Rpc(f"DELETE {_ARTIST}/prompt-templates/{{prompt_template}}", PROMPT, "DeletePromptTemplate"),
)
expose(router, "chat", Rpc(f"POST {_ARTIST}/chat:stream", PROMPT, "StreamChat"))
