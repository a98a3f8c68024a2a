"""The application: routes, and the layers around them from the outermost in."""

from __future__ import annotations

import functools
from typing import Any, cast

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.errors import AppError
from services.gateway import health
from services.gateway.access import Access, Doors, Roles
from services.gateway.context import ServerTools, tools_of
from services.gateway.cors import Cors
from services.gateway.document import describe
from services.gateway.edge import Edge, Faults
from services.gateway.limits import Bodies, RateLimit
from services.gateway.problems import from_http, from_validation
from services.gateway.replies import json_reply
from services.gateway.routes import (
    artists,
    assets,
    captions,
    datasets,
    exports,
    links,
    live_sets,
    operations,
    operator,
    performances,
    separations,
    sessions,
    training_files,
    trainings,
    webhooks,
)
from services.gateway.unknown import refuse_unknown

_ROUTERS: tuple[APIRouter, ...] = (
    artists.router,
    live_sets.router,
    captions.router,
    assets.router,
    sessions.router,
    separations.router,
    datasets.router,
    exports.router,
    training_files.router,
    trainings.router,
    performances.router,
    operations.router,
    links.router,
    webhooks.router,
    operator.router,
)


class WithTools:
    """Gives each request the tools of the application that serves it, so that the routes are built once."""

    def __init__(self, app: ASGIApp, tools: ServerTools) -> None:
        self._app = app
        self._tools = tools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request with the tools in its state."""
        if scope["type"] == "http":
            scope.setdefault("state", {})["tools"] = self._tools
        await self._app(scope, receive, send)


@functools.cache
def routes() -> FastAPI:
    """All routes, without the layers around them and without anything behind them."""
    api = FastAPI(title="tonewright", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    api.include_router(health.router)
    for router in _ROUTERS:
        api.include_router(router, dependencies=[Depends(refuse_unknown)])
    links.OPENERS.update({"assets": assets.asset_content, "exports": exports.export_content})
    links.OPENERS["stems"] = separations.chunk_content
    _add_documents(api)
    _add_handlers(api)
    return api


@functools.cache
def openapi() -> dict[str, Any]:
    """The OpenAPI document."""
    return describe(routes())


def create_app(tools: ServerTools, doors: Doors) -> ASGIApp:
    """The application, ready to serve."""
    settings = tools.settings
    app: ASGIApp = Bodies(routes(), max_json_bytes=settings.max_json_bytes, max_upload_bytes=settings.max_upload_bytes)
    app = Access(
        app,
        doors=doors,
        roles=Roles(tools.peers, tools.clock, settings.roles_ttl_s),
        limit=RateLimit(settings.rate_limit_per_s, settings.rate_limit_burst, tools.clock),
    )
    app = WithTools(Faults(app, tools.problems), tools)
    if settings.cors_origins:
        app = Cors(app, settings.cors_origins, tools.problems)
    return Edge(app, tools.clock, tools.health)


def _add_documents(api: FastAPI) -> None:
    async def get_openapi(request: Request) -> Response:
        return json_reply(openapi(), headers={"cache-control": "public, max-age=60"})

    async def get_docs(request: Request) -> Response:
        return get_swagger_ui_html(openapi_url="/openapi.json", title="tonewright API")

    async def get_root(request: Request) -> Response:
        return RedirectResponse("/docs")

    api.add_route("/openapi.json", get_openapi, include_in_schema=False)
    api.add_route("/docs", get_docs, include_in_schema=False)
    api.add_route("/", get_root, include_in_schema=False)


def _add_handlers(api: FastAPI) -> None:
    async def typed(request: Request, error: Exception) -> Response:
        return tools_of(request).problems.response(cast(AppError, error))

    async def http(request: Request, error: Exception) -> Response:
        found = from_http(cast(HTTPException, error), request.method, request.url.path)
        return tools_of(request).problems.response(found)

    async def invalid(request: Request, error: Exception) -> Response:
        return tools_of(request).problems.response(from_validation(cast(RequestValidationError, error).errors()))

    async def unexpected(request: Request, error: Exception) -> Response:
        return tools_of(request).problems.unexpected(error)

    api.add_exception_handler(AppError, typed)
    api.add_exception_handler(HTTPException, http)
    api.add_exception_handler(RequestValidationError, invalid)
    api.add_exception_handler(Exception, unexpected)
