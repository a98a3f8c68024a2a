"""Another artist's things do not exist, and nothing opens without a key: every route, every RPC."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.context import Caller, Role
from chassis.rpc.rules import names_in
from chassis.tokens import Signer
from tests.house import ROOT, House
from tonewright_client import Tonewright
from tonewright_client.demo_live_set import write_live_set
from tonewright_client.demo_material import conversation

# Answers anyone; docs/contracts.md says why.
PUBLIC = re.compile(r"^/(livez|readyz|metrics|openapi\.json|docs.*|v1/webhooks/.*|v1/links/.*)$")
# At no artist: a stranger gets an empty or an own answer.
OWN = {
    "GET /v1/me",
    "GET /v1/artists",
    "POST /v1/artists",
}


@pytest.fixture(scope="session")
def names(house: House, piece: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One real resource of ada's per collection, by the collection's name."""
    with house.client("ada") as client:
        return _make_one_of_each(client, piece, tmp_path_factory.mktemp("tenancy"))


def _make_one_of_each(client: Tonewright, piece: Path, folder: Path) -> dict[str, str]:
    artist = client.create_artist("Tenant one")
    asset = artist.assets.upload(piece)
    live_set = artist.live_sets.upload(write_live_set(folder / "set.als"))
    caption = artist.captions.generate(asset=asset["name"], live_set=live_set["name"])
    operation = artist.separations.start(asset["name"])
    separation = artist.operations.wait(operation)
    item = artist.training_items.create(asset=asset["name"], caption=caption["text"])
    export = artist.operations.wait(artist.exports.start())
    talk = artist.conversations.create(dict(conversation()))
    session = artist.sessions.create("Private", {"version": 1})
    performance = artist.performances.create(asset=asset["name"])
    found = [asset, live_set, caption, operation, separation, item, export, talk, session, performance]
    return {"artists": artist.name} | {str(one["name"]).split("/")[2]: str(one["name"]) for one in found}


def _routes(http: httpx2.Client) -> Iterator[tuple[str, str]]:
    document = http.get("/openapi.json").json()
    for path, verbs in document["paths"].items():
        for verb in verbs:
            if verb in {"get", "post", "put", "patch", "delete", "head"}:
                yield verb.upper(), path


def _filled(path: str, names: dict[str, str]) -> str:
    """The path with ada's real ids where there are some."""
    parts: list[str] = []
    for part in path.split("/"):
        found = re.fullmatch(r"\{[a-z_]+\}(:[a-zA-Z]+)?", part)
        if found is None:
            parts.append(part)
            continue
        name = names.get(parts[-1].partition(":")[0], "x/" + "0" * 32)
        parts.append(name.rsplit("/", 1)[-1] + (found.group(1) or ""))
    return "/".join(parts)


def _send(http: httpx2.Client, verb: str, path: str) -> httpx2.Response:
    body: dict[str, Any] = {"json": {}} if verb in {"POST", "PUT", "PATCH"} else {}
    return http.request(verb, path, headers={"If-Match": "*"}, **body)


def test_every_route_hides_another_artists_resources(house: House, names: dict[str, str]) -> None:
    wrong: list[str] = []
    with house.http("bob") as bob:
        for verb, path in _routes(bob):
            if "{artist}" not in path or "/operator/" in path:
                continue
            answer = _send(bob, verb, _filled(path, names))
            if answer.status_code != 404:
                wrong.append(f"{verb} {path}: {answer.status_code} {answer.text[:200]}")
            elif answer.headers["content-type"] != "application/problem+json" and verb != "HEAD":
                wrong.append(f"{verb} {path}: {answer.headers['content-type']}")

    assert not wrong, "\n".join(wrong)


def test_every_route_wants_a_key(house: House, names: dict[str, str]) -> None:
    wrong: list[str] = []
    with house.http(None) as nobody:
        for verb, path in _routes(nobody):
            if PUBLIC.match(path):
                continue
            answer = _send(nobody, verb, _filled(path, names))
            if answer.status_code != 401 or "WWW-Authenticate" not in answer.headers:
                wrong.append(f"{verb} {path}: {answer.status_code} {answer.text[:200]}")

    assert not wrong, "\n".join(wrong)


def test_routes_at_no_artist_are_known(house: House) -> None:
    with house.http("bob") as bob:
        free = {f"{verb} {path}" for verb, path in _routes(bob) if "/artists/{artist}" not in path}

    assert {route for route in free if "/operator/" not in route and not PUBLIC.match(route.split(" ")[1])} == OWN


def test_operator_routes_refuse_others(house: House) -> None:
    with house.http("bob") as bob:
        answers = {
            f"{verb} {path}": _send(bob, verb, _filled(path, {})).status_code
            for verb, path in _routes(bob)
            if "/operator/" in path
        }

    assert answers
    assert set(answers.values()) == {403}, answers


def test_every_rpc_hides_another_artists_resources(house: House, names: dict[str, str]) -> None:
    wrong: list[str] = []
    caller = Caller("gateway", "bob", "bobs-artist", Role.OWNER)
    for service, method in _methods():
        request = _naming(method, names)
        if not list(names_in(request)):
            continue
        code = _call(house, service, method, request, caller)
        if code not in _expected(method):
            wrong.append(f"{service.full_name}/{method.name}: {code}")

    assert not wrong, "\n".join(wrong)


def test_every_rpc_wants_a_token(house: House, names: dict[str, str]) -> None:
    wrong: list[str] = []
    for service, method in _methods():
        code = _call(house, service, method, _naming(method, names), None)
        if code is not grpc.StatusCode.UNAUTHENTICATED:
            wrong.append(f"{service.full_name}/{method.name}: {code}")

    assert not wrong, "\n".join(wrong)


def test_a_service_that_may_not_call_is_refused(house: House, names: dict[str, str]) -> None:
    caller = Caller("stems", "ada", names["artists"].removeprefix("artists/"), Role.OWNER)
    service, method = next((s, m) for s, m in _methods() if m.name == "GetArtist")

    code = _call(house, service, method, _naming(method, names), caller)

    assert code is grpc.StatusCode.UNAUTHENTICATED


# Asked at no artist: the gateway looks roles up with it, and a new artist's name is never the caller's to choose.
_PLATFORM = {"ResolveMembership", "CreateArtist"}
# Operators alone may ask, whoever's the resource is.
_OPERATOR = {"ListAuditEntries", "ListJobs", "RetryJob", "CancelJob", "GetQuota", "UpdateQuota", "ExportArtist"}


def _expected(method: MethodDescriptor) -> set[grpc.StatusCode]:
    if method.name in _PLATFORM:
        return {grpc.StatusCode.INVALID_ARGUMENT}
    if method.name in _OPERATOR | {"PurgeArtist"}:
        return {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND}
    return {grpc.StatusCode.NOT_FOUND}


def _methods() -> Iterator[tuple[ServiceDescriptor, MethodDescriptor]]:
    for path in sorted((ROOT / "gen" / "tonewright").glob("*/v1/*_pb2.py")):
        module = importlib.import_module(".".join(path.relative_to(ROOT / "gen").with_suffix("").parts))
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                yield service, method


def _naming(method: MethodDescriptor, names: dict[str, str]) -> Message:
    """A request whose name-like fields, at any depth, name what is ada's."""
    request = GetMessageClass(method.input_type)()
    _fill(request, names, depth=0)
    return request


def _fill(message: Message, names: dict[str, str], *, depth: int) -> None:
    from google.api import resource_pb2

    for field in message.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING:
            reference = field.GetOptions().HasExtension(resource_pb2.resource_reference)
            if field.name in ("name", "parent") or reference:
                value = names["artists"] if field.name == "parent" else _name_for(message, names)
                if field.is_repeated:
                    getattr(message, field.name).append(value)
                else:
                    setattr(message, field.name, value)
        elif field.message_type is not None and depth < 1 and not field.is_repeated and _is_ours(field):
            inner = getattr(message, field.name)
            inner.SetInParent()
            _fill(inner, names, depth=depth + 1)


def _is_ours(field: Any) -> bool:
    return bool(field.message_type.full_name.startswith("tonewright."))


def _name_for(message: Message, names: dict[str, str]) -> str:
    text = re.sub(r"(?<!^)(?=[A-Z])", "-", message.DESCRIPTOR.name).lower()
    for collection, name in names.items():
        if collection.rstrip("s") in text:
            return name
    return f"{names['artists']}/things/{'0' * 32}"


def _call(
    house: House, service: ServiceDescriptor, method: MethodDescriptor, request: Message, caller: Caller | None
) -> grpc.StatusCode:
    package = service.full_name.split(".")[1]
    home = {"artists": "prompt", "assets": "sessions"}.get(package, package)
    path = f"/{service.full_name}/{method.name}"
    answer_type = GetMessageClass(method.output_type)
    metadata: list[tuple[str, str]] = []
    if caller is not None:
        token = Signer(caller.service, house.home / "keys" / f"{caller.service}.key").sign(home, caller)
        metadata = [("authorization", f"Bearer {token}")]
    with grpc.insecure_channel("{}:{}".format(*house.grpc_address(home))) as channel:
        made: Any = channel.unary_stream if method.server_streaming else channel.unary_unary
        call = made(path, type(request).SerializeToString, answer_type.FromString)
        try:
            answer = call(request, timeout=10, metadata=metadata)
            if method.server_streaming:
                list(answer)
        except grpc.RpcError as refused:
            code: grpc.StatusCode = refused.code()
            return code
    return grpc.StatusCode.OK


def test_the_walk_reaches_every_contract() -> None:
    packages = {path.parent.parent.name for path in (ROOT / "proto" / "tonewright").glob("*/v1/*.proto")}

    assert {service.full_name.split(".")[1] for service, _ in _methods()} == packages - {"operations"}
