"""What is up, what is down, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

import httpx2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    is_fine: bool
    detail: str
    advice: str = ""


def examine(url: str, key: str) -> list[Finding]:
    """Look at the gateway, everything behind it, and the key."""
    with httpx2.Client(base_url=url, timeout=5.0, trust_env=False) as http:
        try:
            alive = http.get("/livez")
        except httpx2.TransportError as fault:
            advice = "start it with `make run` or `tonewright up`, or name another address with --url"
            return [Finding("gateway", is_fine=False, detail=f"nothing answers at {url} ({fault})", advice=advice)]
        findings = [Finding("gateway", is_fine=alive.status_code == 200, detail=f"answers at {url}")]
        ready = http.get("/readyz")
        advice = "" if ready.status_code == 200 else "look into the log of what is named; it comes back by itself"
        findings.append(Finding("readiness", is_fine=ready.status_code == 200, detail=ready.text, advice=advice))
        if not key:
            advice = "set TONEWRIGHT_API_KEY, or run from the folder that holds .tonewright/api-key"
            return [*findings, Finding("key", is_fine=False, detail="none given", advice=advice)]
        me = http.get("/v1/me", headers={"Authorization": f"Bearer {key}"})
        is_known = me.status_code == 200
        advice = "" if is_known else "use the key in .tonewright/api-key, or ask the operator for one"
        return [*findings, Finding("key", is_fine=is_known, detail=me.text, advice=advice)]
