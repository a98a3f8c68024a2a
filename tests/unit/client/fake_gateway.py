"""A gateway in memory, as far as the client's own logic needs one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2

from tonewright_client.separations import StemChunk, StemChunkPart
from tonewright_client.transport import Transport

NAME = "artists/nova/separations/1"
Answer = Callable[[httpx2.Request], httpx2.Response]


def transport_to(answer: Answer) -> Transport:
    """A transport whose every request is answered by the function; it never sleeps."""
    transport = Transport("http://gateway", "twk_test", sleep=lambda _s: None)
    transport._http = httpx2.Client(
        base_url="http://gateway",
        headers={"Authorization": "Bearer twk_test", "Accept": "application/json"},
        transport=httpx2.MockTransport(answer),
    )
    return transport


def separation(state: str, percent: float = 0.0, *, name: str = NAME, **more: Any) -> dict[str, Any]:
    """A separation as the gateway tells it."""
    facts: dict[str, Any] = {
        "name": name,
        "asset": "artists/nova/assets/a",
        "model": "dsp-stub",
        "engine": "stub",
        "state": state,
        "stage": "separating" if state == "RUNNING" else "",
        "eta_s": 3.0 if state == "RUNNING" else None,
        "progress_percent": percent,
        "stems": [],
        "output_format": "FLAC_24",
        "real_time_factor": 0.0,
        "shared_with": "",
        "error_reason": "",
        "error_message": "",
    }
    return facts | more


def told(state: str, percent: float = 0.0, **more: Any) -> str:
    """The event that tells the separation."""
    return f"event: separation\ndata: {json.dumps({'separation': separation(state, percent, **more)})}\n\n"


def chunk(index: int) -> StemChunk:
    """A stretch of one second."""
    part: StemChunkPart = {"stem": "vocals", "url": f"http://store/{index}", "media_type": "audio/flac"}
    return {"index": index, "offset_frames": index * 44100, "frame_count": 44100, "rate_hz": 44100, "parts": [part]}


def told_chunk(index: int) -> str:
    """The event that tells it."""
    return f"event: chunk\nid: c{index}\ndata: {json.dumps({'chunk': chunk(index)})}\n\n"


def stream(text: str) -> httpx2.Response:
    """An answer of events."""
    return httpx2.Response(200, text=text, headers={"content-type": "text/event-stream"})
