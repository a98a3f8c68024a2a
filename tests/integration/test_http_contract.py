"""The HTTP contract as the running gateway keeps it: what it documents is answered, and all else is refused."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.house import ROOT, House
from tests.material.openapi_answers import Contract
from tonewright_client.demo_live_set import write_live_set
from tonewright_client.demo_material import conversation

STUDIO = "https://studio.example"
PER_S, BURST = 5, 20
A = "/v1/artists/{artist}"


class Walker:
    """Calls routes by their templates with the ids of what it has met; keeps what answers have wrong."""

    def __init__(self, http: httpx2.Client) -> None:
        self.http = http
        self.contract = Contract(http.get("/openapi.json").json())
        self.ids: dict[str, str] = {}
        self.faults: list[str] = []
        self.answered: dict[str, int] = {}

    def call(self, method: str, template: str, **request: Any) -> Any:
        """What the route answers, if it is JSON."""
        answer = self.send(method, template, **request)
        self.answered[f"{method} {template}"] = answer.status_code
        if answer.status_code != 501:
            self.faults += self.contract.faults(method, template, answer)
        body = answer.json() if answer.headers.get("content-type") == "application/json" else None
        self._check_etag(method, template, answer, body)
        self._meet(body)
        return body

    def send(self, method: str, template: str, **request: Any) -> httpx2.Response:
        """The bare answer."""
        return self.http.request(method, template.format(**self.ids), **request)

    def finish(self, operation: dict[str, Any]) -> None:
        """Wait for long work and meet what it made."""
        self.ids["operation"] = operation["name"].rpartition("/")[2]
        done = self.call("POST", f"{A}/operations/{{operation}}:wait", json={"timeout_s": 60})
        assert done["metadata"]["state"] == "SUCCEEDED", done
        self._meet(done["response"])

    def open_routes(self, *methods: str) -> Iterator[tuple[str, str]]:
        """Routes that need a key and whose ids are known, lists before what is in them."""
        for template in sorted(self.contract.paths, key=len):
            for method in self.contract.paths[template]:
                is_known = set(re.findall(r"{(\w+)}", template)) <= set(self.ids)
                is_keyed = self.contract.paths[template][method].get("security") != []
                if method.upper() in methods and is_known and is_keyed and "/operator/" not in template:
                    yield method.upper(), template

    def _check_etag(self, method: str, template: str, answer: httpx2.Response, body: Any) -> None:
        if method != "GET" or not isinstance(body, dict) or not body.get("etag"):
            return
        known = self.send("GET", template, headers={"If-None-Match": answer.headers.get("ETag", "none")})
        if answer.headers.get("ETag") != f'"{body["etag"]}"' or known.status_code != 304:
            self.faults.append(f"GET {template}: ETag {answer.headers.get('ETag')}, then {known.status_code}")

    def _meet(self, body: Any) -> None:
        if not isinstance(body, dict):
            return
        rows = [value[0] for value in body.values() if isinstance(value, list) and value]
        for name in (str(one.get("name", "")) for one in [body, *rows] if isinstance(one, dict)):
            for template in self.contract.paths:
                found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/:]+)", template), f"/v1/{name}")
                if found and found.groupdict().get("artist") == self.ids.get("artist", found["artist"]):
                    self.ids = found.groupdict() | self.ids


@pytest.fixture(scope="session")
def walker(house: House, piece: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    """Has made one of each thing and read all that can be read."""
    live_set = write_live_set(tmp_path_factory.mktemp("contract") / "set.als")
    with house.http() as http:
        walk = Walker(http)
        _make_one_of_each(walk, piece.read_bytes(), live_set.read_bytes())
        for method, template in walk.open_routes("GET"):
            if not template.endswith("/content"):
                walk.call(method, template)
        for method, template in walk.open_routes("GET"):
            if f"{method} {template}" not in walk.answered:
                walk.call(method, template)
        yield walk


def _make_one_of_each(walk: Walker, audio: bytes, live_set: bytes) -> None:
    walk.call("POST", "/v1/artists", json={"display_name": "Contract"})
    walk.call("POST", f"{A}/members", json={"principal": "bob", "role": "VIEWER"})
    asset = walk.call("POST", f"{A}/assets", content=audio, headers={"Content-Type": "audio/wav"})["name"]
    walk.call("POST", f"{A}/assets/{{asset}}:link")
    walk.call("POST", f"{A}/assets:batchGet", json={"names": [asset]})
    walk.call("POST", f"{A}/uploads", json={"sha256": "0" * 64, "size_bytes": 1000, "media_type": "audio/wav"})
    walk.call("POST", f"{A}/live-sets", params={"file_name": "set.als"}, content=live_set)
    caption = walk.call("POST", f"{A}/captions:generate", json={"asset": asset})
    walk.call("POST", f"{A}/captions:check", json={"text": caption["text"]})
    walk.call("POST", f"{A}/sessions", json={"display_name": "One", "snapshot": {"version": 1}})
    walk.call("PATCH", f"{A}/sessions/{{session}}", json={"display_name": "Two"}, headers={"If-Match": "*"})
    walk.call("POST", f"{A}/sessions/{{session}}:copy", json={})
    walk.call("POST", f"{A}/sessions/{{session}}:open", json={})
    walk.call("POST", f"{A}/sessions/{{session}}:checkDirty", json={"snapshot": {"version": 1}})
    walk.finish(walk.call("POST", f"{A}/separations", json={"asset": asset}))
    walk.call("POST", f"{A}/operations/{{operation}}:cancel")
    walk.call("POST", f"{A}/operations/{{operation}}/events:ticket")
    walk.call("POST", f"{A}/separations/{{separation}}/events:ticket")
    walk.call("POST", f"{A}/separations:batchCreate", json={"requests": [{"separation": {"asset": asset}}]})
    walk.call("POST", f"{A}/training-items", json={"asset": asset, "caption": "Warm pads over a steady beat. BPM: 120"})
    walk.finish(walk.call("POST", f"{A}/exports", json={}))
    batch = [{"caption": "Cold bells over a slow beat. BPM: 90"}, {"caption": "no tempo"}]
    walk.call("POST", f"{A}/training-items:batchCreate", json={"training_items": batch})
    walk.call("POST", f"{A}/training-items:matchFiles", json={"file_names": ["set final.wav"]})
    edits = {"edits": [{"suffix": "Lo-fi."}, {"find_replace": {"find": "slow", "replace": "lazy"}}]}
    walk.call("POST", f"{A}/training-items:editCaptions", json=edits)
    walk.call("POST", f"{A}/training-items:readiness", json={})
    walk.call("POST", f"{A}/training-items", json={"asset": asset, "tempo_bpm": 120})
    walk.finish(walk.call("POST", f"{A}/caption-runs", json={"hint": "shorter"}))
    walk.call("POST", f"{A}/caption-runs/{{caption_run}}:cancel")
    walk.call("POST", f"{A}/exports/{{export}}:link")
    talk = walk.call("POST", f"{A}/conversations", json=dict(conversation()))["name"]
    walk.call("POST", f"{A}/conversations/{{conversation}}:enrich", json={})
    walk.call("POST", f"{A}/training-files:preflight", json={"conversations": [talk]})
    body = {"training_file": {"display_name": "One"}, "conversations": [talk]}
    walk.finish(walk.call("POST", f"{A}/training-files", json=body))
    walk.call("POST", f"{A}/performances", json={"asset": asset})
    walk.call("POST", f"{A}/performances/{{performance}}:connect", json={})
    walk.call("POST", f"{A}/performances/{{performance}}:stop", json={})


def test_what_is_served_is_what_is_committed(walker: Walker) -> None:
    served = walker.http.get("/openapi.json")

    assert served.json() == json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert served.headers["content-type"] == "application/json"


def test_every_operation_has_an_id_and_says_how_it_refuses(walker: Walker) -> None:
    operations = [
        (f"{method} {template}", operation)
        for template, item in walker.contract.paths.items()
        for method, operation in item.items()
    ]
    ids = [operation.get("operationId", "") for _, operation in operations]
    silent = [
        name
        for name, operation in operations
        if operation["security"] and not {"401", "404"} <= set(operation["responses"])
    ]

    assert all(re.fullmatch(r"[a-z][a-z0-9_]+", one) for one in ids)
    assert len(set(ids)) == len(ids)
    assert not silent
    assert {"403", "404"} <= set(walker.contract.paths["/v1/links/{token}/{file_name}"]["get"]["responses"])


def test_refusals_are_as_documented(walker: Walker, house: House) -> None:
    faults = []
    template = f"{A}/sessions/{{session}}"
    with house.http(None) as nobody, house.http("bob") as bob:
        path = template.format(**walker.ids)
        missing = f"/v1/artists/{walker.ids['artist']}/sessions/{'0' * 32}"
        answers = [
            ("GET", nobody.get(path)),
            ("GET", walker.http.get(missing)),
            ("PATCH", walker.http.patch(path, json={"display_name": 7})),
            ("PATCH", walker.http.patch(path, json={"display_name": "x"})),
            ("PATCH", walker.http.patch(path, json={"display_name": "x"}, headers={"If-Match": '"old"'})),
            ("PATCH", bob.patch(path, json={"display_name": "x"}, headers={"If-Match": "*"})),
            ("PATCH", walker.http.patch(path, content=b"x", headers={"Content-Type": "text/csv"})),
        ]
    faults = [fault for method, answer in answers for fault in walker.contract.faults(method, template, answer)]

    assert [answer.status_code for _, answer in answers] == [401, 404, 400, 428, 412, 403, 415]
    assert not faults


def test_every_answer_of_a_walk_is_as_documented(walker: Walker) -> None:
    read = [name for name, status in walker.answered.items() if name.startswith("GET ") and status == 200]
    made = [name for name, status in walker.answered.items() if name.startswith("POST ") and status < 300]

    assert not walker.faults, "\n".join(walker.faults)
    # What later releases fill in says so, and two things are for operators to read.
    refused = {name: status for name, status in walker.answered.items() if status >= 400 and status != 501}
    assert refused == {f"GET {A}/quota": 403, f"GET {A}/audit-entries": 403}
    assert len(read) > 45
    assert len(made) > 20


def test_unknown_parameters_are_refused_by_every_route(walker: Walker) -> None:
    wrong = []
    for method, template in walker.open_routes("GET", "DELETE"):
        answer = walker.send(method, template, params={"colour": "red"})
        if answer.status_code != 400 or "query.colour" not in answer.text:
            wrong.append(f"{method} {template}: {answer.status_code} {answer.text[:200]}")

    assert not wrong, "\n".join(wrong)


def test_unknown_members_are_refused_by_every_route(walker: Walker) -> None:
    wrong = []
    for method, template in walker.open_routes("POST", "PATCH", "PUT"):
        bodies = walker.contract.paths[template][method.lower()].get("requestBody", {}).get("content", {})
        if bodies and "application/json" not in bodies:
            continue
        answer = walker.send(method, template, json={"colour": "red"})
        fields = [error["field"] for error in answer.json().get("errors", [])] if answer.content else []
        if answer.status_code != 400 or "colour" not in fields:
            wrong.append(f"{method} {template}: {answer.status_code} {answer.text[:200]}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("collection", ["sessions", "separations", "uploads", "exports"])
def test_an_idempotency_key_has_1_to_255_characters(walker: Walker, collection: str) -> None:
    template = f"{A}/{collection}"
    body = {
        "sessions": {"display_name": "Once", "snapshot": {"version": 1}},
        "separations": {"asset": "artists/{artist}/assets/{asset}".format(**walker.ids)},
        "uploads": {"sha256": "1" * 64, "size_bytes": 10, "media_type": "audio/wav"},
        "exports": {},
    }[collection]

    long, empty, strange, longest = (
        walker.send("POST", template, json=body, headers={"Idempotency-Key": key})
        for key in ("k" * 256, "", "clé".encode("latin-1"), "k" * 255)
    )

    for answer in (long, empty, strange):
        assert (answer.status_code, answer.json()["reason"]) == (400, "HEADER_INVALID")
        assert answer.json()["errors"][0]["field"] == "header.Idempotency-Key"
    assert longest.status_code < 300, longest.text


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A platform with an origin list, a low rate limit, and links and tickets that live for a second."""
    settings = {
        "TONEWRIGHT_GATEWAY_CORS_ORIGINS": f"{STUDIO}, http://localhost:5173",
        "TONEWRIGHT_GATEWAY_RATE_LIMIT_PER_S": str(PER_S),
        "TONEWRIGHT_GATEWAY_RATE_LIMIT_BURST": str(BURST),
        "TONEWRIGHT_GATEWAY_LINK_TTL_S": "1",
        "TONEWRIGHT_GATEWAY_TICKET_TTL_S": "1",
    }
    house = House(tmp_path_factory.mktemp("strict-house"), settings)
    house.start()
    yield house
    house.stop()


def _preflight(http: httpx2.Client, origin: str, *, method: str = "PATCH", headers: str = "if-match") -> Any:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return http.options("/v1/me", headers=asked)


def _words(answer: httpx2.Response, header: str) -> set[str]:
    return {word.strip().lower() for word in answer.headers.get(header, "").split(",")}


def test_a_listed_origin_may_send_what_the_contract_takes(strict: House) -> None:
    wanted = "authorization, content-type, if-match, if-none-match, range, idempotency-key, last-event-id, traceparent"
    with strict.http(None) as browser:
        answer = _preflight(browser, STUDIO, headers=wanted)

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == STUDIO
    assert _words(answer, "Access-Control-Allow-Methods") >= {"get", "head", "post", "put", "patch", "delete"}
    assert _words(answer, "Access-Control-Allow-Headers") >= {word.strip() for word in wanted.split(",")}
    assert "origin" in _words(answer, "Vary")
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_other_origins_and_headers_are_refused_with_a_problem(strict: House) -> None:
    with strict.http(None) as browser:
        stranger = _preflight(browser, "https://evil.example")
        strange = _preflight(browser, STUDIO, headers="x-evil")

    assert "Access-Control-Allow-Origin" not in stranger.headers
    for answer in (stranger, strange):
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["reason"] == "HEADER_INVALID"


def test_answers_and_refusals_show_their_headers_to_listed_origins_alone(strict: House) -> None:
    with strict.http("ops") as http, strict.http(None) as nobody:
        fine, missing = (http.get(path, headers={"Origin": STUDIO}) for path in ("/v1/me", "/v1/nowhere"))
        refused = nobody.get("/v1/me", headers={"Origin": STUDIO})
        elsewhere = http.get("/v1/me", headers={"Origin": "https://evil.example"})

    shown = {"etag", "location", "retry-after", "x-request-id", "idempotent-replayed", "content-range"}
    assert [answer.status_code for answer in (fine, missing, refused)] == [200, 404, 401]
    for answer in (fine, missing, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == STUDIO
        assert _words(answer, "Access-Control-Expose-Headers") >= shown
    assert "Access-Control-Allow-Origin" not in elsewhere.headers


def test_a_key_that_calls_too_often_is_told_when_to_come_back(strict: House) -> None:
    with strict.http("bob") as bob, strict.http("ops") as ops:
        answers = [bob.get("/v1/me", headers={"Origin": STUDIO}) for _ in range(2 * BURST)]
        other, public = ops.get("/v1/me"), bob.get("/livez")
        refused = [answer for answer in answers if answer.status_code == 429]
        time.sleep(int(refused[-1].headers["Retry-After"]))
        again = bob.get("/v1/me")

    assert {answer.status_code for answer in answers} == {200, 429}
    assert sum(answer.status_code == 200 for answer in answers) >= BURST
    for answer in refused:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["reason"] == "RATE_LIMITED"
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["Access-Control-Allow-Origin"] == STUDIO
    assert answers[0].headers["RateLimit-Policy"].startswith(f'"key";q={BURST};')
    assert (other.status_code, public.status_code, again.status_code) == (200, 200, 200)


def test_links_and_tickets_end_when_they_say(strict: House, piece: Path) -> None:
    with strict.http("ada") as http, strict.http(None) as stranger:
        artist = http.post("/v1/artists", json={"display_name": "Brief"}).json()["name"]
        sent = http.post(f"/v1/{artist}/assets", content=piece.read_bytes(), headers={"Content-Type": "audio/wav"})
        operation = http.post(f"/v1/{artist}/separations", json={"asset": sent.json()["name"]}).json()["name"]
        http.post(f"/v1/{operation}:wait", json={"timeout_s": 30})
        link = http.post(f"/v1/{sent.json()['name']}:link").json()["url"]
        first_link = stranger.get(link)
        ticket = http.post(f"/v1/{operation}/events:ticket").json()
        first_ticket = stranger.get(ticket["url"])
        time.sleep(1.1)
        last_link, last_ticket = stranger.get(link), stranger.get(ticket["url"])

    assert (first_link.status_code, first_link.content) == (200, piece.read_bytes())
    assert (first_ticket.status_code, ticket["expires_in_s"]) == (200, 1)
    assert (last_link.status_code, last_link.json()["reason"]) == (403, "LINK_EXPIRED")
    assert (last_ticket.status_code, last_ticket.json()["reason"]) == (401, "TICKET_INVALID")
