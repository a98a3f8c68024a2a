from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
import structlog.testing
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

from chassis import context
from chassis.errors import AlreadyExists, EtagMismatch, FieldInvalid, InvalidArgument, Unavailable, Violation
from services.gateway.app import openapi
from services.gateway.operations import peer_of
from services.gateway.peers import APIS
from tests.unit.gateway.conftest import Backend, Gateway
from tonewright.artists.v1 import artists_pb2
from tonewright.assets.v1 import assets_pb2
from tonewright.datasets.v1 import datasets_pb2, training_files_pb2
from tonewright.operations.v1 import operations_pb2 as view
from tonewright.prompt.v1 import prompt_pb2
from tonewright.sessions.v1 import sessions_pb2
from tonewright.stems.v1 import stems_pb2

A = "/v1/artists/nova"
# What only services say to one another.
INTERNAL = {
    "ResolveMembership",
    "HoldAsset",
    "ReleaseAsset",
    "BatchHoldAssets",
    "ReleaseHolder",
    "GetExportLayout",
    "ReceiveTrainingWebhook",
}
# What a route of its own does with more than translation.
BY_HAND = {
    "ListMemberships",
    "CreateUpload",
    "CreateLiveSet",
    "GetConversationContent",
    "GetTrainingFileContent",
}


def operation(uid: str = "separations-1", *, done: bool = False) -> operations_pb2.Operation:
    made = operations_pb2.Operation(name=f"artists/nova/operations/{uid}", done=done)
    made.metadata.Pack(view.OperationMetadata(state=view.STATE_SUCCEEDED if done else view.STATE_QUEUED))
    return made


def test_every_rpc_has_a_route_or_is_internal() -> None:
    ids = {
        operation["operationId"]
        for item in openapi()["paths"].values()
        for operation in item.values()
        if "operationId" in operation
    }
    told = {"".join(word.capitalize() for word in name.split("_")) for name in ids}
    renamed = {"ListStemsJobs": "ListJobs", "RetryStemsJob": "RetryJob", "CancelStemsJob": "CancelJob"}
    renamed |= {"ConnectPerformance": "CreateTicket", "ListAssetHolds": "ListHolds"}
    told |= {renamed[name] for name in told if name in renamed}

    methods = {method.name for api in APIS for method in api.descriptor.methods}

    assert methods - told - INTERNAL - BY_HAND == set()


def test_operation_ids_are_unique() -> None:
    ids = [o["operationId"] for item in openapi()["paths"].values() for o in item.values()]

    assert len(ids) == len(set(ids))


async def test_create_puts_the_body_into_the_resource(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("CreateSeparation", operation())

    answer = await http.post(
        f"{A}/separations",
        json={"asset": "artists/nova/assets/1", "stem_set": "TWO_STEMS", "parameters": {"overlap": 0.5}},
        headers={"idempotency-key": "once"},
    )

    request = backend.requests("CreateSeparation")[0]
    assert request.parent == "artists/nova"
    assert request.request_id == "once"
    assert request.separation.stem_set == stems_pb2.STEM_SET_TWO_STEMS
    assert request.separation.parameters.overlap == 0.5
    assert answer.status_code == 202
    assert answer.headers["location"] == f"{A}/operations/separations-1"
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["metadata"]["state"] == "QUEUED"


async def test_create_answers_201_with_its_place_and_etag(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("CreateSession", sessions_pb2.Session(name="artists/nova/sessions/1", etag="e1"))

    answer = await http.post(f"{A}/sessions", json={"display_name": "x", "snapshot": {"a": 1}})

    assert (answer.status_code, answer.headers["location"]) == (201, f"{A}/sessions/1")
    assert answer.headers["etag"] == '"e1"'


async def test_request_with_more_than_the_resource_keeps_both(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("CreateTrainingFile", operation("training-files-1"))

    await http.post(
        f"{A}/training-files",
        json={"training_file": {"display_name": "t"}, "conversations": ["artists/nova/conversations/1"]},
    )

    request = backend.requests("CreateTrainingFile")[0]
    assert request.training_file.display_name == "t"
    assert list(request.conversations) == ["artists/nova/conversations/1"]


async def test_chosen_id_travels_as_a_parameter(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("CreateArtist", artists_pb2.Artist(name="artists/vega"))

    await http.post("/v1/artists?artist_id=vega", json={"display_name": "Vega"})

    request = backend.requests("CreateArtist")[0]
    assert (request.artist_id, request.artist.display_name) == ("vega", "Vega")


async def test_update_changes_what_the_body_names(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("UpdateSession", sessions_pb2.Session(name="artists/nova/sessions/1"))

    await http.patch(f"{A}/sessions/1", json={"display_name": "b"}, headers={"if-match": '"e1"'})

    request = backend.requests("UpdateSession")[0]
    assert request.session.name == "artists/nova/sessions/1"
    assert list(request.update_mask.paths) == ["display_name"]
    assert request.etag == "e1"


async def test_etag_goes_into_the_resource_where_the_request_has_none(
    http: httpx2.AsyncClient, backend: Backend
) -> None:
    backend.on("UpdateTrainingItem", datasets_pb2.TrainingItem(name="artists/nova/training-items/1"))

    await http.patch(f"{A}/training-items/1", json={"caption": None}, headers={"if-match": '"e1"'})

    request = backend.requests("UpdateTrainingItem")[0]
    assert request.training_item.etag == "e1"
    assert list(request.update_mask.paths) == ["caption"]


async def test_change_without_if_match_is_428_where_it_is_required(http: httpx2.AsyncClient, backend: Backend) -> None:
    answer = await http.patch(f"{A}/sessions/1", json={"display_name": "b"})

    assert (answer.status_code, answer.json()["reason"]) == (428, "IF_MATCH_REQUIRED")
    assert backend.requests("UpdateSession") == []


async def test_changed_resource_is_412(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("UpdateSession", EtagMismatch("it changed"))

    answer = await http.patch(f"{A}/sessions/1", json={"display_name": "b"}, headers={"if-match": '"old"'})

    assert answer.status_code == 412


@pytest.mark.parametrize("etag", ["e1", 'W/"e1"', '"a", "b"', ""])
async def test_if_match_that_is_no_strong_etag_is_refused(http: httpx2.AsyncClient, etag: str) -> None:
    answer = await http.patch(f"{A}/sessions/1", json={"display_name": "b"}, headers={"if-match": etag})

    assert (answer.status_code, answer.json()["reason"]) == (400, "HEADER_INVALID")


async def test_custom_verb_takes_its_name_from_the_path(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("CopySession", sessions_pb2.Session(name="artists/nova/sessions/2"))

    answer = await http.post(f"{A}/sessions/1:copy", json={"display_name": "copy"})
    bare = await http.post(f"{A}/sessions/1:copy")

    first = backend.requests("CopySession")[0]
    assert (first.name, first.display_name) == ("artists/nova/sessions/1", "copy")
    assert (answer.status_code, bare.status_code) == (201, 201)


async def test_nested_names_and_collections_are_told_apart(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("ListRevisions", sessions_pb2.ListRevisionsResponse())
    backend.on("GetProfile", artists_pb2.Profile())
    backend.on("ListHolds", assets_pb2.ListHoldsResponse())
    backend.on("GetTrainingFileStatistics", training_files_pb2.TrainingFileStatistics())

    await http.get(f"{A}/sessions/1/revisions")
    await http.get(f"{A}/profile")
    await http.get(f"{A}/assets/1/holds")
    await http.get(f"{A}/training-files/1/statistics")

    assert backend.requests("ListRevisions")[0].parent == "artists/nova/sessions/1"
    assert backend.requests("GetProfile")[0].name == "artists/nova/profile"
    assert backend.requests("ListHolds")[0].asset == "artists/nova/assets/1"
    assert backend.requests("GetTrainingFileStatistics")[0].name == "artists/nova/training-files/1"


@pytest.mark.parametrize(
    ("method", "path", "body", "unknown"),
    [
        ("GET", "/v1/me?colour=red&size=1", None, ["query.colour", "query.size"]),
        ("GET", f"{A}/sessions/1?colour=red", None, ["query.colour"]),
        ("GET", f"{A}/sessions?page_sise=1", None, ["query.page_sise"]),
        ("GET", f"{A}/operations/separations-1/events?tickets=1", None, ["query.tickets"]),
        ("GET", f"{A}/exports/1/content?part=1", None, ["query.part"]),
        ("POST", f"{A}/sessions?colour=red", {"display_name": "x"}, ["query.colour"]),
        ("POST", f"{A}/operations/separations-1:cancel", {"why": "", "when": 1}, ["why", "when"]),
        ("POST", f"{A}/exports/1:link", {"days": 2}, ["days"]),
        ("POST", f"{A}/assets?name=x", None, ["query.name"]),
    ],
)
async def test_what_a_route_does_not_know_is_refused(
    http: httpx2.AsyncClient, backend: Backend, method: str, path: str, body: dict[str, Any] | None, unknown: list[str]
) -> None:
    answer = await http.request(method, path, json=body) if body else await http.request(method, path)

    assert (answer.status_code, answer.json()["reason"]) == (400, "FIELD_INVALID"), answer.text
    assert [error["field"] for error in answer.json()["errors"]] == unknown
    assert {name for name, _, _ in backend.calls} <= {"ResolveMembership"}


@pytest.mark.parametrize("content", [b"[1]", b"why?", b'"x"'])
async def test_a_route_without_a_body_takes_an_empty_object_alone(http: httpx2.AsyncClient, content: bytes) -> None:
    answer = await http.post(f"{A}/exports/1:link", content=content, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["reason"]) == (400, "BODY_INVALID")


async def test_lists_take_size_token_and_filters(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("ListSeparations", stems_pb2.ListSeparationsResponse(next_page_token="n"))

    answer = await http.get(f"{A}/separations?page_size=2&page_token=t&state=RUNNING")

    request = backend.requests("ListSeparations")[0]
    assert (request.page_size, request.page_token, request.state) == (2, "t", view.STATE_RUNNING)
    assert answer.json() == {"separations": [], "next_page_token": "n"}


async def test_delete_answers_nothing(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("DeleteSeparation", empty_pb2.Empty())

    answer = await http.delete(f"{A}/separations/1")

    assert (answer.status_code, answer.content) == (204, b"")


async def test_replay_is_marked(http: httpx2.AsyncClient, backend: Backend) -> None:
    def replay(request: Any) -> sessions_pb2.Session:
        context.mark_replayed()
        return sessions_pb2.Session(name="artists/nova/sessions/1")

    backend.on("CreateSession", replay)

    answer = await http.post(f"{A}/sessions", json={"display_name": "x", "snapshot": {}})

    assert answer.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tbed"])
async def test_idempotency_key_has_1_to_255_characters(http: httpx2.AsyncClient, key: str) -> None:
    answer = await http.post(f"{A}/sessions", json={"snapshot": {}}, headers={"idempotency-key": key})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "header.Idempotency-Key")


async def test_a_key_that_a_service_asks_for_is_named_as_the_header(http: httpx2.AsyncClient, backend: Backend) -> None:
    def missing(request: Any) -> sessions_pb2.Session:
        expectation = "1 to 255 characters; it costs money"
        raise FieldInvalid(f"request_id: {expectation}", violations=[Violation("request_id", expectation)])

    backend.on("CreateSession", missing)

    answer = (await http.post(f"{A}/sessions", json={"display_name": "x", "snapshot": {}})).json()

    assert answer["detail"] == "header.Idempotency-Key: 1 to 255 characters; it costs money"
    assert [error["field"] for error in answer["errors"]] == ["header.Idempotency-Key"]


async def test_read_with_a_known_etag_is_304(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("GetSession", sessions_pb2.Session(name="artists/nova/sessions/1", etag="e1"))

    answer = await http.get(f"{A}/sessions/1", headers={"if-none-match": '"e0", "e1"'})

    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"asset": 3}, {"asset"}),
        ({}, {"asset"}),
        ({"asset": "a", "colour": 1, "stem_set": "THREE"}, {"colour", "stem_set"}),
        ({"asset": "a", "parameters": {"shifts": "2", "x": 1}}, {"parameters.shifts", "parameters.x"}),
        ({"asset": "a", "parameters": {"shifts": 2**40}}, {"parameters.shifts"}),
        ({"asset": "a", "wanted_stems": ["x", 2]}, {"wanted_stems.1"}),
        ([], {"body"}),
        ("text", {"body"}),
    ],
)
async def test_invalid_body_names_every_field(http: httpx2.AsyncClient, body: Any, fields: set[str]) -> None:
    answer = await http.post(f"{A}/separations", json=body)

    problem = answer.json()
    assert (answer.status_code, problem["reason"]) == (400, "FIELD_INVALID")
    assert {error["field"] for error in problem["errors"]} == fields


@pytest.mark.parametrize("text", ["{", "nope", '{"asset": "a"} x', "[" * 100_000])
async def test_body_that_is_not_json_is_refused(http: httpx2.AsyncClient, text: str) -> None:
    answer = await http.post(f"{A}/separations", content=text, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["reason"]) == (400, "BODY_INVALID")


async def test_other_media_types_are_415(http: httpx2.AsyncClient) -> None:
    answer = await http.post(f"{A}/separations", content=b"a=b", headers={"content-type": "text/plain"})

    assert (answer.status_code, answer.json()["reason"]) == (415, "MEDIA_TYPE_UNSUPPORTED")


async def test_unknown_parameters_are_refused(http: httpx2.AsyncClient) -> None:
    answer = await http.get(f"{A}/separations?sort=up&page_size=many")

    assert {error["field"] for error in answer.json()["errors"]} == {"query.sort", "query.page_size"}


async def test_errors_of_services_keep_reason_facts_and_violations(http: httpx2.AsyncClient, backend: Backend) -> None:
    error = InvalidArgument("bad", metadata={"a": "b"}, violations=[Violation("asset", "an asset of yours")])
    error.reason, error.domain = "ODD", "stems.tonewright.dev"
    backend.on("CreateSeparation", error)

    problem = (await http.post(f"{A}/separations", json={"asset": "x"})).json()

    assert problem["type"].endswith("#odd")
    assert (problem["reason"], problem["domain"], problem["metadata"]) == ("ODD", "stems.tonewright.dev", {"a": "b"})
    assert problem["errors"] == [{"field": "asset", "description": "an asset of yours"}]


async def test_unavailable_service_is_503_with_retry_after(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.down.add("stems")

    answer = await http.get(f"{A}/separations")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["metadata"] == {"dependency": "stems"}


@pytest.mark.parametrize(("error", "status"), [(AlreadyExists("x"), 409), (Unavailable("x"), 503)])
async def test_codes_become_statuses(http: httpx2.AsyncClient, backend: Backend, error: Exception, status: int) -> None:
    backend.on("GetSession", error)

    assert (await http.get(f"{A}/sessions/1")).status_code == status


async def test_method_that_no_release_has_yet_is_501(http: httpx2.AsyncClient) -> None:
    answer = await http.post(f"{A}/trainings:emulate", json={})

    assert (answer.status_code, answer.json()["reason"]) == (501, "NOT_IMPLEMENTED")


async def test_unexpected_fault_shows_an_id_and_nothing_else(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("GetSession", RuntimeError("secret text"))

    with structlog.testing.capture_logs() as lines:
        answer = await http.get(f"{A}/sessions/1")

    assert answer.status_code == 500
    assert answer.json()["error_id"] in [line.get("error_id") for line in lines]
    assert answer.json()["error_id"] in answer.json()["detail"]
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [("GET", "/v1/nothing", 404, "ROUTE_NOT_FOUND"), ("PUT", "/v1/me", 405, "METHOD_NOT_ALLOWED")],
)
async def test_framework_errors_are_problems_too(
    http: httpx2.AsyncClient, method: str, path: str, status: int, reason: str
) -> None:
    answer = await http.request(method, path)

    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_captions_are_generated(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("GenerateCaption", prompt_pb2.Caption(name="artists/nova/captions/1", text="t"))

    answer = await http.post(f"{A}/captions:generate", json={"hints": {"tempo_bpm": 124, "genres": ["house"]}})

    request = backend.requests("GenerateCaption")[0]
    assert (request.parent, request.hints.tempo_bpm, list(request.hints.genres)) == ("artists/nova", 124, ["house"])
    assert answer.json()["text"] == "t"


async def test_webhook_goes_on_byte_for_byte_without_a_key(gateway: Gateway) -> None:
    gateway.backend.on("ReceiveTrainingWebhook", empty_pb2.Empty())
    body = b'{"b" : 1}'

    answer = await gateway.client(None).post(
        "/v1/webhooks/replicate",
        content=body,
        headers={"content-type": "application/json", "webhook-id": "w", "cookie": "c"},
    )

    request = gateway.backend.requests("ReceiveTrainingWebhook")[0]
    assert answer.status_code == 204
    assert (request.provider, request.body, request.headers["webhook-id"]) == ("replicate", body, "w")
    assert "cookie" not in request.headers


@pytest.mark.parametrize(
    ("uid", "peer"), [("separations-1", "stems"), ("training-file-versions-1", "datasets"), ("bundles-1", "sessions")]
)
def test_operation_id_leads_to_its_service(uid: str, peer: str) -> None:
    assert peer_of(uid) == peer


async def test_operations_are_read_waited_for_and_cancelled(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("GetOperation", operation(done=True))
    backend.on("WaitOperation", operation())
    backend.on("CancelOperation", empty_pb2.Empty())

    read = await http.get(f"{A}/operations/separations-1")
    waited = await http.post(f"{A}/operations/separations-1:wait", json={"timeout_s": 1.5})
    cancelled = await http.post(f"{A}/operations/separations-1:cancel")
    unknown = await http.get(f"{A}/operations/nothing-1")

    assert (read.json()["done"], waited.json()["done"], cancelled.status_code) == (True, False, 200)
    assert backend.requests("WaitOperation")[0].timeout.ToMilliseconds() == 1500
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "OPERATION_NOT_FOUND")


async def test_operations_are_listed_service_after_service(http: httpx2.AsyncClient, backend: Backend) -> None:
    backend.on("ListOperations", operations_pb2.ListOperationsResponse(operations=[operation()]))

    token, names = "", []
    for _ in range(4):
        page = (await http.get(f"{A}/operations?page_token={token}")).json()
        names += [found["name"] for found in page["operations"]]
        token = page["next_page_token"]

    assert (len(names), token) == (4, "")


async def test_openapi_is_public_and_the_same_as_the_committed_one(gateway: Gateway) -> None:
    answer = await gateway.client(None).get("/openapi.json")

    assert answer.json() == json.loads(json.dumps(openapi()))
    assert answer.json()["openapi"] == "3.1.0"
