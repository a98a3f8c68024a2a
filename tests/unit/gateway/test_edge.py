from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog.testing

from chassis import context
from services.gateway.headers import sane_request_id
from tests.unit.gateway.conftest import Backend, Gateway, make_gateway
from tonewright.assets.v1 import assets_pb2
from tonewright.sessions.v1 import sessions_pb2

A = "/v1/artists/nova"


async def test_request_id_is_taken_over_told_and_passed_on(http: httpx2.AsyncClient, backend: Backend) -> None:
    seen = []

    def read(request: Any) -> sessions_pb2.Session:
        seen.append(context.request_id())
        return sessions_pb2.Session()

    backend.on("GetSession", read)

    answer = await http.get(f"{A}/sessions/1", headers={"x-request-id": "mine-1"})
    made = await http.get(f"{A}/sessions/1", headers={b"x-request-id": "no good\u00e9".encode("latin-1")})

    assert (answer.headers["x-request-id"], seen[0]) == ("mine-1", "mine-1")
    assert made.headers["x-request-id"] == seen[1] != ""


@pytest.mark.parametrize("text", ["", " ", "a b", "x" * 129, "a\nb", "{}"])
def test_request_id_that_could_harm_a_log_is_not_taken(text: str) -> None:
    assert sane_request_id(text) is None


async def test_trace_of_the_caller_goes_on(http: httpx2.AsyncClient) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"

    answer = await http.get("/v1/nothing", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})

    assert answer.headers["traceparent"].split("-")[1] == trace


async def test_log_line_has_the_route_and_no_secret(gateway: Gateway) -> None:
    gateway.backend.on("GetAsset", assets_pb2.Asset(size_bytes=0, sha256="e", blob_key="artists/nova/x"))
    link = (await gateway.client().post(f"{A}/assets/1:link")).json()["url"]

    with structlog.testing.capture_logs() as lines:
        await gateway.client(None).get(link)
        await gateway.client(None).get(f"{A}/operations/separations-1/events?ticket=hush")
        await gateway.client().get(f"{A}/assets/1")

    answered = [line for line in lines if line["event"] == "request_answered"]
    assert answered[0]["route"] == "/v1/links/{token}/{file_name}"
    assert answered[2]["route"] == "/v1/artists/{artist}/assets/{asset}"
    assert (answered[2]["artist"], answered[2]["status"]) == ("nova", 200)
    text = repr(lines)
    assert "hush" not in text
    assert link.split("/")[-2] not in text
    assert "twk_" not in text


async def test_metrics_count_requests_by_route(gateway: Gateway) -> None:
    gateway.backend.on("GetSession", sessions_pb2.Session())
    await gateway.client().get(f"{A}/sessions/1")

    text = (await gateway.client(None).get("/metrics")).text

    line = 'tonewright_gateway_request_seconds_count{method="GET",route="/v1/artists/{artist}/sessions/{session}"'
    assert line in text


async def test_origins_of_the_allow_list_may_read_what_they_need(tmp_path: Path) -> None:
    gateway = make_gateway(tmp_path, cors_origins=("https://studio.example.com",))
    browser = gateway.client(None)
    asked = {"origin": "https://studio.example.com", "access-control-request-method": "PATCH"}

    asked["access-control-request-headers"] = "if-match"
    preflight = await browser.options(f"{A}/sessions/1", headers=asked)
    refused = await browser.get("/v1/me", headers={"origin": "https://studio.example.com"})
    stranger = await browser.get("/v1/me", headers={"origin": "https://evil.example.com"})

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://studio.example.com"
    assert refused.headers["access-control-allow-origin"] == "https://studio.example.com"
    assert "ETag" in refused.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in stranger.headers


async def test_liveness_needs_nothing(gateway: Gateway) -> None:
    assert (await gateway.client(None).get("/livez")).status_code == 200


async def test_readiness_names_what_is_down_and_why(gateway: Gateway) -> None:
    from grpc_health.v1 import health_pb2

    kind = health_pb2.HealthCheckResponse
    well, ill = kind(status=kind.SERVING), kind(status=kind.NOT_SERVING)
    statuses = {"": ill, "dependency/database": ill, "dependency/objects": well}
    gateway.backend.on("List", health_pb2.HealthListResponse(statuses=statuses))
    gateway.backend.down.add("stems")

    answer = await gateway.client(None).get("/readyz")

    body = answer.json()
    assert answer.status_code == 503
    assert body["failing"] == ["datasets", "prompt", "realtime", "sessions", "stems"]
    assert body["checks"]["sessions"]["failing"] == ["database"]


async def test_gateway_stays_ready_without_what_most_requests_do_without(gateway: Gateway) -> None:
    from grpc_health.v1 import health_pb2

    kind = health_pb2.HealthCheckResponse
    well, ill = kind(status=kind.SERVING), kind(status=kind.NOT_SERVING)
    gateway.backend.on("List", health_pb2.HealthListResponse(statuses={"": well, "dependency/openai": ill}))

    answer = await gateway.client(None).get("/readyz")

    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "degraded")
    assert body["checks"]["prompt"] == {"status": "degraded", "detail": "without: openai", "failing": ["openai"]}


async def test_gateway_is_ready_when_all_services_are(gateway: Gateway) -> None:
    from grpc_health.v1 import health_pb2

    kind = health_pb2.HealthCheckResponse
    gateway.backend.on("List", health_pb2.HealthListResponse(statuses={"": kind(status=kind.SERVING)}))

    answer = await gateway.client(None).get("/readyz")
    gateway.tools.health.is_draining = True
    draining = await gateway.client(None).get("/readyz")

    assert (answer.status_code, answer.json()["failing"]) == (200, [])
    assert draining.status_code == 503


async def test_a_gateway_whose_object_store_is_away_takes_requests_all_the_same(gateway: Gateway) -> None:
    def fail() -> None:
        raise OSError("nobody there")

    gateway.tools.health.add("objects", fail)

    alone, all_ = [await gateway.client(None).get(f"/readyz{query}") for query in ("?scope=self", "")]

    assert (alone.status_code, alone.json()["status"], alone.json()["failing"]) == (200, "degraded", ["objects"])
    assert all_.status_code == 503


async def test_answers_of_a_gateway_that_drains_end_their_connections(gateway: Gateway) -> None:
    client = gateway.client()
    gateway.backend.on("GetSession", sessions_pb2.Session())
    before = await client.get(f"{A}/sessions/1")
    gateway.tools.health.is_draining = True
    during, refused = await client.get(f"{A}/sessions/1"), await gateway.client(None).get(f"{A}/sessions/1")

    assert "connection" not in before.headers
    assert (during.status_code, during.headers["connection"]) == (200, "close")
    assert (refused.status_code, refused.headers["connection"]) == (401, "close")


async def test_docs_are_public(gateway: Gateway) -> None:
    client = gateway.client(None)

    assert (await client.get("/docs")).headers["content-type"].startswith("text/html")
    assert (await client.get("/")).headers["location"] == "/docs"
