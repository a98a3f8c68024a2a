"""What operators see of every process: health, metrics, one trace through all of them, and `--check`."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from services.launcher.settings import PROCESSES, LauncherSettings
from tests.house import ROOT, House
from tonewright_client import ArtistHandle

pytestmark = pytest.mark.target("embedded", "backends")  # reads logs and ports of local processes
Checks = Mapping[str, subprocess.CompletedProcess[str]]
NAMES = [spec.name for spec in PROCESSES]
SECRET = "hidden-word"
NOWHERE = {
    "TONEWRIGHT_DATABASE_URL": f"postgresql://app:{SECRET}@127.0.0.1:1/none",
    "TONEWRIGHT_OBJECTS_URL": "s3://none?endpoint=http://127.0.0.1:1",
    "TONEWRIGHT_BROKER_URL": f"amqp://app:{SECRET}@127.0.0.1:1//",
    "AWS_ACCESS_KEY_ID": "app",
    "AWS_SECRET_ACCESS_KEY": SECRET,
}
# What each process stands on and cannot reach then.
MISSED = {
    "prompt": {"database", "schema", "objects"},
    "datasets": {"database", "schema", "objects", "broker"},
    "datasets-worker": {"database", "schema", "objects", "broker"},
    "sessions": {"database", "schema", "objects"},
    "stems": {"database", "schema", "objects", "broker"},
    "stems-worker": {"database", "schema", "objects", "broker"},
    "realtime": {"database", "schema", "objects"},
    "gateway": {"objects"},
}


@pytest.fixture
def http(house: House) -> Iterator[httpx2.Client]:
    with house.http() as connected:
        yield connected


def _ops(house: House, name: str, path: str) -> httpx2.Response:
    """What a process answers its operators."""
    word = name.upper().replace("-", "_")
    variable = "TONEWRIGHT_GATEWAY_PORT" if name == "gateway" else f"TONEWRIGHT_{word}_OPS_PORT"
    return httpx2.get(f"http://127.0.0.1:{house.ports[variable]}{path}", timeout=10, trust_env=False)


def _metrics(house: House, name: str) -> dict[str, Metric]:
    answer = _ops(house, name, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def _count(family: Metric, **labels: str) -> float:
    """Observations of a histogram under these labels."""
    counts = [sample for sample in family.samples if sample.name == f"{family.name}_count"]
    return sum(sample.value for sample in counts if labels.items() <= sample.labels.items())


@pytest.mark.parametrize("name", NAMES)
def test_every_process_says_how_it_is(house: House, name: str) -> None:
    alive, ready = _ops(house, name, "/livez"), _ops(house, name, "/readyz")

    assert (alive.status_code, ready.status_code) == (200, 200)
    assert ready.json()["status"] in ("ready", "ok")
    for answer in (alive, ready):
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", NAMES)
def test_every_process_measures_its_calls(house: House, name: str) -> None:
    families = _metrics(house, name)

    assert families["grpc_server_handling_seconds"].type == "histogram"
    assert families["grpc_client_handling_seconds"].type == "histogram"


def test_each_call_of_a_separation_is_in_the_histograms(
    house: House, http: httpx2.Client, artist: ArtistHandle, piece: Path
) -> None:
    asset = artist.assets.upload(piece)
    http.post(f"/v1/{artist.name}/separations", json={"asset": "nowhere"})
    artist.operations.wait(artist.separations.start(asset["name"]))

    stems, worker, gateway = (_metrics(house, name) for name in ("stems", "stems-worker", "gateway"))

    create = {"grpc_service": "tonewright.stems.v1.StemsService", "grpc_method": "CreateSeparation"}
    for family in (stems["grpc_server_handling_seconds"], gateway["grpc_client_handling_seconds"]):
        assert _count(family, **create, grpc_code="OK") >= 1
        assert _count(family, **create) > _count(family, **create, grpc_code="OK"), "refusals count as well"
    complete = {"grpc_service": "tonewright.assets.v1.AssetsService", "grpc_method": "CompleteUpload"}
    assert _count(worker["grpc_client_handling_seconds"], **complete, grpc_code="OK") >= 4
    route = {"method": "POST", "route": "/v1/artists/{artist}/separations", "status": "202"}
    assert _count(gateway["tonewright_gateway_request_seconds"], **route) >= 1
    families = [family for name in NAMES for family in _metrics(house, name).values()]
    values = {value for family in families for sample in family.samples for value in sample.labels.values()}
    uids = [name.rpartition("/")[2] for name in (artist.name, asset["name"])]
    assert not [value for value in values if any(uid in value for uid in uids)], "labels have few values"


@pytest.mark.parametrize("service", ["stems", "datasets"])
def test_workers_measure_how_long_jobs_wait_and_run(
    house: House, artist: ArtistHandle, piece: Path, service: str
) -> None:
    noun = {"stems": "separation", "datasets": "export"}[service]
    wait_s, run_s = (f"tonewright_{service}_job_{what}_seconds" for what in ("wait", "run"))
    before = _metrics(house, f"{service}-worker")
    asset = artist.assets.upload(piece)
    artist.training_items.create(asset=asset["name"], caption="Warm pads over a steady beat. BPM: 120")
    starts: dict[str, Callable[[], Any]] = {
        "stems": partial(artist.separations.start, asset["name"]),
        "datasets": artist.exports.start,
    }
    ended_before = _count(before[run_s], noun=noun, state="SUCCEEDED")

    artist.operations.wait(starts[service]())

    after = _ended(house, service, run_s, ended_before, noun)
    assert _count(after[wait_s], noun=noun) == _count(before[wait_s], noun=noun) + 1
    assert _count(after[run_s], noun=noun, state="SUCCEEDED") == ended_before + 1


def _ended(house: House, service: str, family: str, before: float, noun: str) -> dict[str, Metric]:
    """The worker's metrics once it has counted the run, a moment after its result was committed."""
    deadline = time.monotonic() + 5
    while _count((found := _metrics(house, f"{service}-worker"))[family], noun=noun, state="SUCCEEDED") == before:
        assert time.monotonic() < deadline, "the run was not counted"
        time.sleep(0.05)
    return found


def test_one_trace_and_one_request_id_go_through_every_process(
    house: House, http: httpx2.Client, artist: ArtistHandle, piece: Path
) -> None:
    asset = artist.assets.upload(piece)
    trace_id, request_id = secrets.token_hex(16), f"journey-{secrets.token_hex(6)}"
    headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01", "X-Request-Id": request_id}

    answer = http.get(f"/v1/{artist.name}", headers=headers)
    started = http.post(f"/v1/{artist.name}/separations", json={"asset": asset["name"]}, headers=headers)
    artist.operations.wait(started.json())

    assert answer.headers["X-Request-Id"] == started.headers["X-Request-Id"] == request_id
    assert started.headers["traceparent"].split("-")[1] == trace_id
    # The worker's calls belong to the same request, and so does its last word on the job.
    told = {
        "gateway": "request_answered",
        "prompt": "ArtistsService/GetArtist",
        "stems": "StemsService/CreateSeparation",
        "stems-worker": "job_run",
        "sessions": "AssetsService/CompleteUpload",
    }
    for name, word in told.items():
        line = _line(house.home / "logs" / f"{name}.log", word, trace_id)
        assert request_id in line, line


def _line(log: Path, *words: str) -> str:
    """The first line that has all the words; a process writes its last ones just after the answer."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for line in log.read_text(errors="replace").splitlines():
            if all(word in line for word in words):
                return line
        time.sleep(0.05)
    raise AssertionError(f"{log.name} has no line with {words}")


def test_a_trace_that_is_none_is_replaced(http: httpx2.Client) -> None:
    answer = http.get("/v1/me", headers={"traceparent": "00-nonsense-01", "X-Request-Id": 'a" b\tc'})

    assert answer.status_code == 200
    assert len(answer.headers["traceparent"].split("-")[1]) == 32
    assert answer.headers["X-Request-Id"].isalnum()


def _check_all(house: House, environment: Mapping[str, str]) -> Checks:
    """`--check` of every process in the environment that the launcher gives it."""
    given = LauncherSettings(house.home, {**house.environment(), **environment}).child_environment(0)
    del given["TONEWRIGHT_LIFELINE_FD"]

    def check(arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments, "--check"]
        return subprocess.run(command, env=given, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    with ThreadPoolExecutor(4) as threads:
        return dict(zip(NAMES, threads.map(check, [spec.arguments for spec in PROCESSES]), strict=True))


@pytest.fixture(scope="module")
def checked(house: House) -> Checks:
    return _check_all(house, {})


@pytest.fixture(scope="module")
def checked_without(house: House) -> Checks:
    return _check_all(house, NOWHERE)


@pytest.mark.parametrize("name", NAMES)
def test_check_passes_where_everything_answers_and_masks_secrets(house: House, checked: Checks, name: str) -> None:
    found = checked[name]

    assert found.returncode == 0, found.stdout + found.stderr
    prefix = f"TONEWRIGHT_{name.partition('-')[0].upper()}_"
    lines = found.stdout.splitlines()
    assert f"{prefix}HOME={house.home}" in {line.partition("  #")[0] for line in lines}
    assert {line for line in lines if line.startswith("objects:")} <= {"objects: ok"}
    assert "signing key: ok" in lines
    told = found.stdout + found.stderr
    environment = house.environment()
    secret = [urlsplit(environment.get(f"TONEWRIGHT_{url}", "")).password for url in ("DATABASE_URL", "BROKER_URL")]
    secret += [environment.get("TONEWRIGHT_PROMPT_OPENAI_API_KEY"), environment.get("AWS_SECRET_ACCESS_KEY")]
    assert not [word for word in secret if word and len(word) > 6 and word in told]


@pytest.mark.target("embedded")
@pytest.mark.parametrize("name", NAMES)
def test_check_names_what_cannot_be_reached(checked_without: Checks, name: str) -> None:
    found = checked_without[name]

    assert found.returncode == 1, found.stdout + found.stderr
    answers = dict(line.split(": ", 1) for line in found.stdout.splitlines() if not line.startswith("TONEWRIGHT_"))
    assert {what for what, answer in answers.items() if answer != "ok"} - {"database role"} == MISSED[name]
    told = found.stdout + found.stderr
    assert SECRET not in told
    assert "postgresql://app:********@127.0.0.1:1/none" in told
