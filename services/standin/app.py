"""The provider's HTTP API over the stand-in. Source: spec, Replicate API for trainings."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.clock import Clock
from services.standin.provider import TRAINER, TRAINER_VERSIONS, StandIn, public

_PAGE = 100
_MODEL_VERSIONS = ("stereo-melody", "stereo-small", "stereo-medium", "melody", "small", "medium")
_EVENTS = ("start", "output", "logs", "completed")
# Per minute: predictions that are created, and everything else.
_CREATES, _OTHERS = 600, 3000


class Problem(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def make_app(standin: StandIn, *, creates_per_minute: int = _CREATES, calls_per_minute: int = _OTHERS) -> ASGIApp:
    """The API; addresses that it hands out begin as the first request's did."""
    api = _Api(standin)
    routes = [
        Route("/v1/account", api.account),
        Route("/v1/hardware", api.hardware),
        Route("/v1/models", api.create_model, methods=["POST"]),
        Route("/v1/models/{owner}/{name}", api.get_model),
        Route("/v1/models/{owner}/{name}/versions", api.list_versions),
        Route("/v1/models/{owner}/{name}/versions/{version}", api.get_version),
        Route("/v1/models/{owner}/{name}/versions/{version}/trainings", api.create_training, methods=["POST"]),
        Route("/v1/trainings", api.list_trainings),
        Route("/v1/trainings/{uid}", api.get_training),
        Route("/v1/trainings/{uid}/cancel", api.cancel_training, methods=["POST"]),
        Route("/v1/predictions", api.list_predictions),
        Route("/v1/predictions", api.create_prediction, methods=["POST"]),
        Route("/v1/predictions/{uid}", api.get_prediction),
        Route("/v1/predictions/{uid}/cancel", api.cancel_prediction, methods=["POST"]),
        Route("/v1/webhooks/default/secret", api.webhook_secret),
        Route("/files/{name}", api.get_file),
    ]
    limits = {"creates": creates_per_minute, "calls": calls_per_minute}
    gate = Middleware(_Gate, standin=standin, limits=limits)
    return Starlette(routes=routes, middleware=[gate], exception_handlers={Problem: _answer, 404: _not_found})


class _Gate:
    """Asks for a token, and throttles."""

    def __init__(self, app: ASGIApp, standin: StandIn, limits: dict[str, int]) -> None:
        self._app, self._standin = app, standin
        self._creates = _Bucket(limits["creates"], standin.clock)
        self._calls = _Bucket(limits["calls"], standin.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it."""
        if scope["type"] != "http" or scope["path"].startswith("/files/"):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        self._standin.base_url = self._standin.base_url or str(request.base_url).rstrip("/")
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        bucket = self._creates if (request.method, request.url.path) == ("POST", "/v1/predictions") else self._calls
        if kind not in ("Bearer", "Token") or not token:
            await _problem(401, "You did not pass a valid authentication token")(scope, receive, send)
        elif (wait_s := bucket.take()) > 0:
            text = f"Request was throttled. Your rate limit resets in ~{wait_s}s."
            headers = {"retry-after": str(wait_s), "ratelimit-remaining": "0", "ratelimit-reset": str(wait_s)}
            await _problem(429, text, headers)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Bucket:
    """So many calls per minute."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._size, self._left, self._clock, self._since = per_minute, per_minute, clock, clock.monotonic()

    def take(self) -> int:
        """Seconds to wait; 0 when a call was let through."""
        now = self._clock.monotonic()
        if now - self._since >= 60:
            self._since, self._left = now, self._size
        if self._left > 0:
            self._left -= 1
            return 0
        return max(1, round(60 - (now - self._since)))


class _Api:
    def __init__(self, standin: StandIn) -> None:
        self._standin = standin

    async def account(self, request: Request) -> Response:
        return JSONResponse({"type": "user", "username": "standin", "name": "Stand-in", "github_url": None})

    async def hardware(self, request: Request) -> Response:
        skus = {"CPU": "cpu", "Nvidia L40S GPU": "gpu-l40s", "Nvidia A100 (80GB) GPU": "gpu-a100-large"}
        return JSONResponse([{"name": name, "sku": sku} for name, sku in skus.items()])

    async def create_model(self, request: Request) -> Response:
        body = await _json(request)
        missing = [name for name in ("owner", "name", "visibility", "hardware") if not isinstance(body.get(name), str)]
        if missing or body["visibility"] not in ("public", "private"):
            raise Problem(422, f"- {', '.join(missing) or 'visibility'} is required")
        if self._standin.model(body["owner"], body["name"]) is not None:
            raise Problem(409, "A model with that name and owner already exists.")
        made = self._standin.add_model(body["owner"], body["name"], body["visibility"])
        return JSONResponse(made, 201)

    async def get_model(self, request: Request) -> Response:
        found = self._standin.model(request.path_params["owner"], request.path_params["name"])
        return JSONResponse(_found(found))

    async def list_versions(self, request: Request) -> Response:
        owner, name = request.path_params["owner"], request.path_params["name"]
        _found(self._standin.model(owner, name))
        return JSONResponse({"next": None, "previous": None, "results": self._standin.versions(owner, name)})

    async def get_version(self, request: Request) -> Response:
        versions = self._standin.versions(request.path_params["owner"], request.path_params["name"])
        wanted = request.path_params["version"]
        return JSONResponse(_found(next((version for version in versions if version["id"] == wanted), None)))

    async def create_training(self, request: Request) -> Response:
        owner, name, version = (request.path_params[part] for part in ("owner", "name", "version"))
        body = await _json(request)
        if f"{owner}/{name}" != TRAINER or version not in TRAINER_VERSIONS:
            raise Problem(404, "The requested resource could not be found.")
        given, destination = body.get("input"), str(body.get("destination") or "")
        if not isinstance(given, dict) or not str(given.get("dataset_path", "")).startswith("http"):
            raise Problem(422, "- input.dataset_path is required: Does not match format 'uri'")
        if given.get("model_version", "stereo-melody") not in _MODEL_VERSIONS:
            raise Problem(422, f"- input.model_version must be one of: {', '.join(_MODEL_VERSIONS)}")
        if destination.count("/") != 1 or self._standin.model(*destination.split("/")) is None:
            raise Problem(404, "The specified training destination does not exist")
        webhook, events = _webhook(body)
        made = self._standin.start_training(version, destination, given, webhook, events)
        return JSONResponse(public(made), 201)

    async def list_trainings(self, request: Request) -> Response:
        return self._page(request, "trainings")

    async def get_training(self, request: Request) -> Response:
        return self._run(request, "trainings")

    async def cancel_training(self, request: Request) -> Response:
        return JSONResponse(public(_found(self._standin.cancel("trainings", request.path_params["uid"]))))

    async def create_prediction(self, request: Request) -> Response:
        body = await _json(request)
        given = body.get("input")
        if not isinstance(given, dict) or not (given.get("prompt") or given.get("input_audio")):
            raise Problem(422, "- input is required: prompt or input_audio")
        webhook, events = _webhook(body)
        version = str(body.get("version", "")).rpartition(":")[2]
        made = self._standin.start_prediction(version, given, webhook, events)
        return JSONResponse(public(_found(made)), 201)

    async def list_predictions(self, request: Request) -> Response:
        return self._page(request, "predictions")

    async def get_prediction(self, request: Request) -> Response:
        return self._run(request, "predictions")

    async def cancel_prediction(self, request: Request) -> Response:
        return JSONResponse(public(_found(self._standin.cancel("predictions", request.path_params["uid"]))))

    async def webhook_secret(self, request: Request) -> Response:
        return JSONResponse({"key": self._standin.secret})

    async def get_file(self, request: Request) -> Response:
        path = self._standin.file(request.path_params["name"])
        return FileResponse(path) if path is not None else _problem(404, "This file is not there any more.")

    def _run(self, request: Request, kind: str) -> Response:
        return JSONResponse(public(_found(self._standin.records.get(kind, request.path_params["uid"]))))

    def _page(self, request: Request, kind: str) -> Response:
        newest = sorted(self._standin.records.all(kind), key=lambda record: record["created_at"], reverse=True)
        at = _place(request.query_params.get("cursor", ""))
        following = f"{self._standin.base_url}/v1/{kind}?cursor={_cursor(at + _PAGE)}"
        results = [public(record) for record in newest[at : at + _PAGE]]
        return JSONResponse(
            {"previous": None, "next": following if len(newest) > at + _PAGE else None, "results": results}
        )


def _webhook(body: dict[str, Any]) -> tuple[str, list[str]]:
    url, events = str(body.get("webhook") or ""), body.get("webhook_events_filter") or ["output", "completed"]
    host = urlsplit(url).hostname or ""
    if url and not url.startswith("https://") and host not in ("127.0.0.1", "localhost", "::1"):
        raise Problem(422, "- webhook: URL must be a valid HTTPS URL")
    if not isinstance(events, list) or any(event not in _EVENTS for event in events):
        raise Problem(422, f"- webhook_events_filter must hold some of: {', '.join(_EVENTS)}")
    return url, events


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise Problem(400, "The request body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise Problem(400, "The request body is not a JSON object.")
    return body


def _found(record: dict[str, Any] | None) -> dict[str, Any]:
    if record is None:
        raise Problem(404, "The requested resource could not be found.")
    return record


def _cursor(at: int) -> str:
    return base64.urlsafe_b64encode(f"at={at}".encode()).decode()


def _place(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("at=")) if cursor else 0
    except ValueError as error:
        raise Problem(400, "The cursor is not valid.") from error


async def _answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _problem(error.status, error.detail, error.headers)


async def _not_found(request: Request, error: Exception) -> Response:
    return _problem(404, "The requested resource could not be found.")


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    body = {"detail": detail, "status": status, "title": detail.partition(".")[0]}
    return Response(json.dumps(body), status, headers, media_type="application/problem+json")
