from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from chassis.context import Role
from services.gateway.access import is_public
from services.gateway.app import openapi
from tests.unit.gateway.conftest import OPERATOR_KEY, OTHER_KEY, Gateway, make_gateway
from tonewright.artists.v1 import artists_pb2
from tonewright.stems.v1 import stems_pb2

DOCUMENT = openapi()


async def test_every_route_but_the_public_ones_needs_a_key(gateway: Gateway) -> None:
    client = gateway.client(None)

    refused = {}
    for path, item in DOCUMENT["paths"].items():
        for method in item:
            answer = await client.request(method, path.replace("{", "").replace("}", ""))
            refused[f"{method} {path}"] = answer.status_code == 401

    assert {route for route, is_refused in refused.items() if not is_refused} == {
        f"{method} {path}" for path, item in DOCUMENT["paths"].items() for method in item if is_public(path)
    }


async def test_every_route_of_an_artist_is_not_found_for_a_stranger(gateway: Gateway) -> None:
    client = gateway.client(OTHER_KEY)

    for path, item in DOCUMENT["paths"].items():
        if not path.startswith("/v1/artists/{artist}"):
            continue
        for method in item:
            answer = await client.request(method, path.replace("{artist}", "nova").replace("{", "").replace("}", ""))
            assert (answer.status_code, answer.json()["reason"]) == (404, "ARTIST_NOT_FOUND"), (method, path)

    assert {name for name, _, _ in gateway.backend.calls} == {"ResolveMembership"}


async def test_missing_key_says_how_to_send_one(gateway: Gateway) -> None:
    answer = await gateway.client(None).get("/v1/me")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Authorization: Bearer" in answer.json()["detail"]


@pytest.mark.parametrize("header", ["Bearer twk_wrong", "Basic abc", "Bearer ", "Bearer tw\u00e4k"])
async def test_wrong_credentials_are_refused(gateway: Gateway, header: str) -> None:
    answer = await gateway.client(None).get("/v1/me", headers={b"authorization": header.encode()})

    assert answer.status_code == 401


async def test_key_file_is_read_again_when_it_changes(gateway: Gateway) -> None:
    gateway.backend.on("ListMemberships", artists_pb2.ListMembershipsResponse())
    assert (await gateway.client("twk_new").get("/v1/me")).status_code == 401

    entry = {"principal": "new", "sha256": hashlib.sha256(b"twk_new").hexdigest()}
    gateway.tools.settings.keys_file.write_text(f'[[keys]]\nprincipal = "new"\nsha256 = "{entry["sha256"]}"\n')
    os.utime(gateway.tools.settings.keys_file, ns=(1, 1))
    gateway.clock.advance(2)

    assert (await gateway.client("twk_new").get("/v1/me")).json()["principal"] == "new"


async def test_unreadable_key_file_keeps_the_keys_read_before(gateway: Gateway) -> None:
    gateway.backend.on("ListMemberships", artists_pb2.ListMembershipsResponse())
    client = gateway.client()
    assert (await client.get("/v1/me")).status_code == 200

    gateway.tools.settings.keys_file.write_text("[[keys]\nbroken")
    gateway.clock.advance(2)

    assert (await client.get("/v1/me")).status_code == 200


async def test_expired_key_says_so(tmp_path: Path) -> None:
    gateway = make_gateway(tmp_path, api_keys_file=tmp_path / "keys.json")
    entry = {
        "principal": "old",
        "sha256": hashlib.sha256(b"twk_old").hexdigest(),
        "expire_time": "2025-12-31T00:00:00Z",
    }
    (tmp_path / "keys.json").write_text(json.dumps([entry]))

    answer = await gateway.client("twk_old").get("/v1/me")

    assert (answer.status_code, answer.json()["reason"]) == (401, "KEY_EXPIRED")


async def test_role_is_asked_once_in_thirty_seconds(gateway: Gateway) -> None:
    gateway.backend.on("ListSeparations", stems_pb2.ListSeparationsResponse())
    client = gateway.client()

    for _ in range(3):
        await client.get("/v1/artists/nova/separations")
    gateway.clock.advance(31)
    await client.get("/v1/artists/nova/separations")

    assert len(gateway.backend.requests("ResolveMembership")) == 2


async def test_absence_of_a_role_is_not_remembered(gateway: Gateway) -> None:
    gateway.backend.on("ListSeparations", stems_pb2.ListSeparationsResponse())
    client = gateway.client(OTHER_KEY)
    assert (await client.get("/v1/artists/nova/separations")).status_code == 404

    gateway.backend.members["eve", "artists/nova"] = "VIEWER"

    assert (await client.get("/v1/artists/nova/separations")).status_code == 200


async def test_changed_members_are_asked_for_again_at_once(gateway: Gateway) -> None:
    gateway.backend.on("ListSeparations", stems_pb2.ListSeparationsResponse())
    gateway.backend.on("DeleteMember", artists_pb2.DeleteMemberResponse())
    client = gateway.client()

    await client.get("/v1/artists/nova/separations")
    await client.delete("/v1/artists/nova/members/x")
    await client.get("/v1/artists/nova/separations")

    assert len(gateway.backend.requests("ResolveMembership")) == 2


async def test_services_hear_who_is_calling_and_in_which_role(gateway: Gateway) -> None:
    gateway.backend.on("ListSeparations", stems_pb2.ListSeparationsResponse())
    gateway.backend.members["ada", "artists/nova"] = "EDITOR"

    await gateway.client().get("/v1/artists/nova/separations")

    caller = next(caller for name, _, caller in gateway.backend.calls if name == "ListSeparations")
    assert (caller.service, caller.principal, caller.artist, caller.role) == ("gateway", "ada", "nova", Role.EDITOR)


async def test_operator_routes_are_for_operators(gateway: Gateway) -> None:
    gateway.backend.on("ListJobs", stems_pb2.ListJobsResponse())

    refused = await gateway.client().get("/v1/operator/jobs/stems")
    accepted = await gateway.client(OPERATOR_KEY).get("/v1/operator/jobs/stems")

    assert (refused.status_code, refused.json()["reason"]) == (403, "OPERATOR_REQUIRED")
    assert accepted.json() == {"jobs": [], "next_page_token": ""}


async def test_rate_limit_answers_429_until_there_is_room(tmp_path: Path) -> None:
    gateway = make_gateway(tmp_path, rate_limit_per_s=1, rate_limit_burst=2)
    gateway.backend.on("ListMemberships", artists_pb2.ListMembershipsResponse())
    client = gateway.client()

    statuses = [(await client.get("/v1/me")).status_code for _ in range(3)]
    refused = await client.get("/v1/me")
    gateway.clock.advance(1)
    again = await client.get("/v1/me")

    assert statuses == [200, 200, 429]
    assert (refused.json()["reason"], refused.headers["retry-after"]) == ("RATE_LIMITED", "1")
    assert again.status_code == 200
    assert again.headers["ratelimit"] == '"key";r=0;t=2'
