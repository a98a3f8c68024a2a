"""Replicate's API for trainings and predictions; repeats of a create are the caller's business, never this client's.

Source: spec, Replicate API for trainings.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from chassis.clock import Clock
from chassis.metrics import counter
from services.datasets.domain import provider_failures as failures
from services.datasets.domain.provider_runs import (
    ProviderAway,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnsure,
    Told,
)
from services.datasets.replicate.answers import parsed, raise_for, rest_s, to_told
from services.datasets.replicate.files import FetchedFile, Files

_CALLS = counter("tonewright_datasets_training_provider_calls_total", "Calls to the provider's API", ("status",))
_EVENTS = ["start", "completed"]
_PAGES = 200  # of a hundred entries each
_FRESH_EVERY_S = 60.0
_MAX_ANSWER = 64 << 20  # a page of a hundred trainings carries their logs
# Raised before a byte of the request has left: nobody can have taken it.
_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class Replicate:
    """The API, on behalf of the installation's account; close it when done.

    Args:
        base_url: As `https://api.replicate.com/v1`.
        token: Of the account; goes into one header and nowhere else.
        clock: Source of time.
        timeout_s: For connecting, and between bytes.
        hardware: What destinations that are made here run on.
        max_output_bytes: Largest audio that is fetched.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        clock: Clock,
        *,
        timeout_s: float = 30.0,
        hardware: str = "gpu-l40s",
        max_output_bytes: int = 256 << 20,
    ) -> None:
        self._base, self._clock, self._hardware = base_url.rstrip("/"), clock, hardware
        self._http = httpx2.Client(
            headers={"authorization": f"Bearer {token}", "user-agent": "tonewright"},
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
        )
        self._files = Files(self._base, timeout_s, max_output_bytes)
        self._rest_until = 0.0
        self._secret, self._secret_time = "", float("-inf")
        self._lock = threading.Lock()

    def trainer_version(self, trainer: str) -> str:
        """The trainer with its version; `latest` is looked up."""
        model, _, version = trainer.partition(":")
        if version not in ("", "latest"):
            return trainer
        answer = self._call("GET", f"/models/{_path(model)}/versions")
        versions = answer.get("results") if isinstance(answer, dict) else None
        if not isinstance(versions, list) or not versions or not isinstance(versions[0].get("id"), str):
            raise ProviderRefused(
                failures.TrainerNotFound(f"the provider has no version of {model}; check the trainer")
            )
        return f"{model}:{versions[0]['id']}"

    def ensure_destination(self, destination: str, *, create: bool) -> None:
        """Nothing if the model exists or was made now, else ProviderRefused."""
        if self._call("GET", f"/models/{_path(destination)}") is not None:
            return
        if not create:
            raise ProviderRefused(
                failures.DestinationNotFound(
                    f"the provider has no model {destination}; make it there, or repeat with create_destination"
                )
            )
        owner, name = destination.split("/")
        body = {"owner": owner, "name": name, "visibility": "private", "hardware": self._hardware}
        try:
            self._call("POST", "/models", body)
        except ProviderRefused:
            # Another training may have made it just now.
            if self._call("GET", f"/models/{_path(destination)}") is None:
                raise

    def start_training(self, trainer: str, destination: str, inputs: dict[str, Any], webhook_url: str) -> Told:
        """A new training; sent once."""
        model, _, version = trainer.partition(":")
        body = {"destination": destination, "input": inputs, **_webhook(webhook_url)}
        answer = self._call("POST", f"/models/{_path(model)}/versions/{quote(version, safe='')}/trainings", body)
        if answer is None:
            raise ProviderRefused(
                failures.TrainerNotFound(f"the provider has no {trainer}, or no destination {destination}; check both")
            )
        return to_told(answer)

    def training(self, provider_id: str) -> Told | None:
        """One training, None if the provider does not know it."""
        return self._told("GET", f"/trainings/{quote(provider_id, safe='')}")

    def find_training(self, input_url: str, since: datetime) -> Told | None:
        """The training with this input, taken at or after that time; the oldest, should there be several."""
        found = None
        for told in self._listed("/trainings", since):
            complete = told if told.input else self.training(told.id) or told
            if complete.input.get("dataset_path") == input_url:
                found = complete
        return found

    def cancel_training(self, provider_id: str) -> Told | None:
        """The training after the wish to stop it, None if the provider does not know it."""
        return self._told("POST", f"/trainings/{quote(provider_id, safe='')}/cancel")

    def start_prediction(self, version: str, inputs: dict[str, Any], webhook_url: str) -> Told:
        """A new prediction of a version; sent once."""
        body = {"version": version.rpartition(":")[2], "input": inputs, **_webhook(webhook_url)}
        answer = self._call("POST", "/predictions", body)
        if answer is None:
            raise ProviderRefused(
                failures.VersionNotFound(f"the provider has no version {version} any more; train again")
            )
        return to_told(answer)

    def prediction(self, provider_id: str) -> Told | None:
        """One prediction, None if the provider does not know it."""
        return self._told("GET", f"/predictions/{quote(provider_id, safe='')}")

    def predictions(self, version: str, since: datetime) -> list[Told]:
        """Predictions taken at or after that time, newest first; their inputs tell whose they are."""
        return list(self._listed("/predictions", since))

    def cancel_prediction(self, provider_id: str) -> Told | None:
        """The prediction after the wish to stop it, None if the provider does not know it."""
        return self._told("POST", f"/predictions/{quote(provider_id, safe='')}/cancel")

    def webhook_secret(self, *, fresh: bool = False) -> str:
        """What webhooks are signed with; kept, and asked for again at most once a minute."""
        with self._lock:
            now = self._clock.monotonic()
            if self._secret and not (fresh and now - self._secret_time > _FRESH_EVERY_S):
                return self._secret
            answer = self._call("GET", "/webhooks/default/secret")
            key = answer.get("key") if isinstance(answer, dict) else None
            if not isinstance(key, str):
                raise ProviderUnsure("the provider gave no webhook secret")
            self._secret, self._secret_time = key, now
            return key

    def read_webhook(self, body: bytes) -> Told | None:
        """The run that a webhook's body tells of, None if it tells of none."""
        try:
            return to_told(parsed(body))
        except ProviderUnsure:
            return None

    def check_archive(self, url: str) -> None:
        """Nothing if a ranged GET gives the start of a zip file, else ProviderRefused."""
        self._files.check_archive(url)

    def fetch_output(self, url: str) -> FetchedFile:
        """The audio behind a prediction's output; close it when done."""
        return self._files.fetch(url)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._files.close()

    def _told(self, method: str, path: str) -> Told | None:
        answer = self._call(method, path)
        return to_told(answer) if answer is not None else None

    def _listed(self, path: str, since: datetime) -> Iterator[Told]:
        following: str | None = path
        for _ in range(_PAGES):
            if following is None:
                return
            page = self._call("GET", following)
            results = page.get("results") if isinstance(page, dict) else None
            if not isinstance(results, list):
                raise ProviderUnsure("the list has no results")
            for entry in results:
                told = to_told(entry)
                if told.create_time is not None and told.create_time < since:
                    return
                yield told
            following = page.get("next")
        # A list that was not read to its end must not be taken for an answer.
        raise ProviderUnsure("the list is too long")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON of the answer; None for a 404."""
        now_s = self._clock.monotonic()
        if now_s < self._rest_until:
            raise ProviderThrottled("the provider's limit is used up", self._rest_until - now_s)
        status, headers, content = self._send(method, self._url(path), body)
        _CALLS.labels(f"{status // 100}xx").inc()
        self._rest_until = max(self._rest_until, self._clock.monotonic() + rest_s(headers))
        if status == 404:
            return None
        raise_for(status, headers, content, self._clock.now())
        return parsed(content)

    def _send(self, method: str, url: str, body: dict[str, Any] | None) -> tuple[int, httpx2.Headers, bytes]:
        try:
            with self._http.stream(method, url, json=body) as answer:
                content = bytearray()
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > _MAX_ANSWER:
                        raise ProviderUnsure("the answer is too large")
                return answer.status_code, answer.headers, bytes(content)
        except _UNSENT as error:
            _CALLS.labels("unsent").inc()
            raise ProviderAway(f"{type(error).__name__}: no connection to the provider") from error
        except httpx2.HTTPError as error:
            _CALLS.labels("broken").inc()
            raise ProviderUnsure(f"{type(error).__name__}: the connection broke or the time was up") from error

    def _url(self, path: str) -> str:
        if not path.startswith("http"):
            return self._base + path
        # Cursor addresses come from the provider; the token goes to no other host.
        own, asked = urlsplit(self._base), urlsplit(path)
        if (own.scheme, own.netloc) != (asked.scheme, asked.netloc):
            raise ProviderUnsure("the list goes on at another host")
        return path


def is_loopback(url: str) -> bool:
    """Whether the address is on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _path(model: str) -> str:
    return "/".join(quote(part, safe="") for part in model.split("/"))


def _webhook(url: str) -> dict[str, Any]:
    return {"webhook": url, "webhook_events_filter": _EVENTS} if url else {}
