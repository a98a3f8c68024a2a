"""Whether the model's server answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2

from chassis.clock import Clock
from chassis.errors import DependencyUnavailable


def make_probe(base_url: str, api_key: str, clock: Clock) -> Callable[[], None]:
    """A probe of the API for health checks; what it found is remembered for 15 s, since every call goes out."""
    remembered: dict[str, Any] = {"until": float("-inf"), "fault": None}

    def probe() -> None:
        if clock.monotonic() >= remembered["until"]:
            remembered["fault"] = _fault(base_url, api_key)
            remembered["until"] = clock.monotonic() + (5 if remembered["fault"] else 15)
        if remembered["fault"]:
            raise DependencyUnavailable("openai", remembered["fault"])

    return probe


def _fault(base_url: str, api_key: str) -> str | None:
    try:
        headers = {"Authorization": f"Bearer {api_key}"}
        answer = httpx2.get(f"{base_url.rstrip('/')}/models", headers=headers, timeout=1.5)
    except httpx2.HTTPError as error:
        return f"openai cannot be reached ({type(error).__name__}); repeat the request later"
    if answer.status_code in {401, 403}:
        return f"openai refuses the key with status {answer.status_code}"
    return f"openai answers with status {answer.status_code}" if answer.status_code >= 500 else None
