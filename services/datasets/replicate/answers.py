"""Answers of Replicate's API: what they say, and which error they are."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from services.datasets.domain import provider_failures as failures
from services.datasets.domain.provider_runs import (
    ProviderRefused,
    ProviderThrottled,
    ProviderUnsure,
    Told,
)

_RESETS = re.compile(r"resets? in ~?(\d{1,6})\s?s")
_DEFAULT_WAIT_S, _LONGEST_WAIT_S = 10.0, 900.0


def raise_for(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raise what an answer that is no success means; nothing for a success.

    Raises:
        ProviderThrottled: 429; nothing was taken.
        ProviderUnsure: 408 or 5xx; it may have been taken.
        ProviderRefused: Any other refusal.
    """
    if 200 <= status < 300:
        return
    detail = _detail(body)
    if status == 429:
        raise ProviderThrottled(detail or "too many requests", _wait_s(headers, detail, now))
    if status == 408 or status >= 500:
        raise ProviderUnsure(f"HTTP {status}: {detail}")
    if status in (401, 403):
        text = (
            f"the provider refused the token of this installation ({detail or status}); the operator sets another one"
        )
        raise ProviderRefused(failures.ProviderTokenRefused(text))
    if status == 402:
        text = f"the provider's account has no credit ({detail or status}); add some there"
        raise ProviderRefused(failures.ProviderWantsPayment(text))
    raise ProviderRefused(failures.ProviderSaidNo(f"the provider refused: {detail or f'HTTP {status}'}"))


def to_told(found: Any) -> Told:
    """A training or prediction as the API gives it; ProviderUnsure if it is none."""
    if not isinstance(found, dict) or not isinstance(found.get("id"), str) or not 0 < len(found["id"]) <= 128:
        raise ProviderUnsure("the answer has no id")
    metrics = found["metrics"] if isinstance(found.get("metrics"), dict) else {}
    given = found["input"] if isinstance(found.get("input"), dict) else {}
    error = found.get("error")
    return Told(
        id=found["id"],
        status=str(found.get("status") or "starting")[:32],
        input=given,
        output=found.get("output"),
        error=error if isinstance(error, str) else json.dumps(error) if error else "",
        logs=found["logs"] if isinstance(found.get("logs"), str) else "",
        predict_time_s=_seconds(metrics.get("predict_time")),
        create_time=_moment(found.get("created_at")),
        start_time=_moment(found.get("started_at")),
    )


def parsed(body: bytes) -> Any:
    """The JSON of an answer; ProviderUnsure if it is none."""
    try:
        return json.loads(body)
    except ValueError as error:
        raise ProviderUnsure("the answer is no JSON") from error


def rest_s(headers: Mapping[str, str]) -> float:
    """How long to leave the API alone after this answer: until its limit resets once nothing remains."""
    if headers.get("ratelimit-remaining", "").strip() != "0":
        return 0.0
    return min(_LONGEST_WAIT_S, _seconds(headers.get("ratelimit-reset")))


def _wait_s(headers: Mapping[str, str], detail: str, now: datetime) -> float:
    after = headers.get("retry-after", "")
    wait_s = _seconds(after) or _until(after, now) or _seconds(headers.get("ratelimit-reset"))
    if not wait_s and (found := _RESETS.search(detail)):
        wait_s = float(found[1])
    return min(_LONGEST_WAIT_S, max(1.0, wait_s or _DEFAULT_WAIT_S))


def _until(header: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return 0.0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def _detail(body: bytes) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(found, dict):
        return ""
    said = found.get("detail") or found.get("title") or ""
    return " ".join(str(said).split())[:500]


def _seconds(value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return 0.0
    return found if math.isfinite(found) and found > 0 else 0.0


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
