"""A process from start to end, as a supervisor sees it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chassis.channels import Channels
from chassis.context import acting_as
from chassis.errors import AppError, DependencyUnavailable
from chassis.settings import Settings
from chassis.testing import caller_for, write_keys
from tonewright.stems.v1 import stems_pb2 as pb
from tonewright.stems.v1 import stems_pb2_grpc

SCRIPT = Path(__file__).with_name("small_service.py")
START_WITHIN_S = 30.0
DRAIN_WITHIN_S = 4.0


class GatewaySettings(Settings):
    SERVICE = "gateway"

    stems_target: str = ""


class Process:
    def __init__(self, home: Path, *arguments: str, **variables: str) -> None:
        self.home = home
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TONEWRIGHT_")}
        environment |= {
            "TONEWRIGHT_HOME": str(home),
            "TONEWRIGHT_CALLERS_FILE": str(home / "callers.toml"),
            "PYTHONUNBUFFERED": "1",
            **variables,
        }
        fds = [int(variables["TONEWRIGHT_LIFELINE_FD"])] if "TONEWRIGHT_LIFELINE_FD" in variables else []
        self.popen = subprocess.Popen(
            [sys.executable, str(SCRIPT), *arguments],
            env=environment,
            pass_fds=fds,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        with self.popen.stdout:
            self.lines.extend(iter(self.popen.stdout.readline, ""))

    def port(self, event: str) -> int:
        end = time.monotonic() + START_WITHIN_S
        while time.monotonic() < end:
            for line in list(self.lines):
                if event in line and (found := re.search(r"port=(\d+)", line)):
                    return int(found[1])
            assert self.popen.poll() is None, "".join(self.lines)
            time.sleep(0.02)
        raise AssertionError("".join(self.lines))

    def ops(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.port('ops_listening')}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()

    def wait(self, within_s: float = 30.0) -> int:
        code = self.popen.wait(within_s)
        self._reader.join()
        return code

    def channels(self) -> Channels:
        target = f"127.0.0.1:{self.port('grpc_listening')}"
        return Channels(GatewaySettings(home=self.home, stems_target=target))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    write_keys(tmp_path / "keys", ["gateway", "stems"])
    (tmp_path / "callers.toml").write_text('stems = ["gateway"]')
    started: list[Process] = []

    def begin(*arguments: str, **variables: str) -> Process:
        started.append(Process(tmp_path, *arguments, **variables))
        return started[-1]

    yield begin
    for process in started:
        if process.popen.poll() is None:
            process.popen.kill()
        process.wait()


def get(process: Process, name: str, channels: Channels) -> pb.Separation:
    with acting_as(caller_for("nova")):
        stub = stems_pb2_grpc.StemsServiceStub(channels.sync("stems"))
        return stub.GetSeparation(pb.GetSeparationRequest(name=f"artists/nova/separations/{name}"), timeout=10)


def test_a_process_serves_shows_itself_and_drains_within_its_time(start: Callable[..., Process]) -> None:
    process = start()
    channels = process.channels()
    answers: list[str] = []
    first = get(process, "one", channels)
    slow = threading.Thread(target=lambda: answers.append(get(process, "slow", channels).name))
    slow.start()
    live, ready, metrics = process.ops("/livez"), process.ops("/readyz"), process.ops("/metrics")
    time.sleep(0.3)

    asked = time.monotonic()
    process.popen.send_signal(signal.SIGINT)
    process.popen.send_signal(signal.SIGTERM)
    code = process.wait()
    took_s = time.monotonic() - asked
    slow.join()
    channels.close_sync()

    assert (first.name, answers) == ("artists/nova/separations/one", ["artists/nova/separations/slow"])
    assert (live[0], ready[0], json.loads(ready[1])["status"]) == (200, 200, "ready")
    assert 'grpc_method="GetSeparation"' in metrics[1]
    assert "tonewright_chassis_loop_failures_total{loop=" in metrics[1]
    assert code == 0
    assert took_s < DRAIN_WITHIN_S


async def test_an_open_stream_does_not_hold_the_drain_up(start: Callable[..., Process]) -> None:
    process = start()
    channels = await asyncio.to_thread(process.channels)
    with acting_as(caller_for("nova")):
        stub = stems_pb2_grpc.StemsServiceStub(channels.aio("stems"))
        stream = stub.WatchSeparation(pb.WatchSeparationRequest(name="artists/nova/separations/one"))
        await anext(aiter(stream))

        asked = time.monotonic()
        process.popen.send_signal(signal.SIGTERM)
        with pytest.raises(AppError):
            await anext(aiter(stream))
    code = await asyncio.to_thread(process.wait)
    took_s = time.monotonic() - asked
    await channels.close()

    assert code == 0
    assert took_s < DRAIN_WITHIN_S + 0.5


def test_work_that_hangs_in_a_thread_does_not_hold_the_drain_up(start: Callable[..., Process]) -> None:
    process = start(TONEWRIGHT_GRACE_S="1")
    channels = process.channels()
    failed: list[AppError] = []

    def call() -> None:
        try:
            get(process, "endless", channels)
        except AppError as error:
            failed.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    time.sleep(0.5)
    process.popen.send_signal(signal.SIGTERM)
    code = process.wait(DRAIN_WITHIN_S)
    caller.join()
    channels.close_sync()

    assert code == 0
    assert [error.reason for error in failed] == ["DEPENDENCY_UNAVAILABLE"]


def test_a_second_interrupt_ends_the_process_at_once(start: Callable[..., Process]) -> None:
    process = start(TONEWRIGHT_DRAIN_S="30")
    process.port("ops_listening")

    process.popen.send_signal(signal.SIGINT)
    while not any("process_drains" in line for line in list(process.lines)):
        time.sleep(0.02)
    process.popen.send_signal(signal.SIGINT)

    assert process.wait(1.0) == 130


def test_a_process_ends_when_its_parent_is_gone(start: Callable[..., Process]) -> None:
    watched, held = os.pipe()
    process = start(TONEWRIGHT_LIFELINE_FD=str(watched))
    os.close(watched)
    process.port("grpc_listening")

    os.close(held)

    assert process.wait(DRAIN_WITHIN_S) == 0


def test_a_dependency_that_fails_is_named(start: Callable[..., Process]) -> None:
    process = start(TONEWRIGHT_STEMS_BROKEN="true")

    status, body = process.ops("/readyz")
    check = start("--check", TONEWRIGHT_STEMS_BROKEN="true", TONEWRIGHT_BROKER_URL="amqp://me:secret@broker//")

    assert status == 503
    assert json.loads(body)["failed"] == {"engine": "nobody there"}
    assert process.ops("/livez")[0] == 200
    assert check.wait() == 1
    printed = "".join(check.lines)
    assert "engine: nobody there" in printed
    assert "amqp://me:********@broker//" in printed


def test_check_succeeds_when_everything_answers(start: Callable[..., Process]) -> None:
    process = start("--check")

    assert process.wait() == 0
    assert "engine: ok\n" in process.lines


def test_a_port_that_is_taken_ends_the_process_with_a_clear_line(start: Callable[..., Process]) -> None:
    port = start().port("grpc_listening")

    second = start(TONEWRIGHT_STEMS_GRPC_PORT=str(port))

    assert second.wait() == 1
    assert f"cannot listen on 127.0.0.1:{port}" in "".join(second.lines)
    assert "Traceback" not in "".join(second.lines)


def test_a_worker_runs_and_stops(start: Callable[..., Process]) -> None:
    process = start("worker", TONEWRIGHT_DRAIN_S="30")  # nobody calls a worker, so it stops at once

    assert process.ops("/readyz")[0] == 200
    process.popen.send_signal(signal.SIGTERM)
    assert process.wait(DRAIN_WITHIN_S) == 0


def test_a_worker_ends_when_nothing_is_left_to_do(start: Callable[..., Process]) -> None:
    assert start("worker", "--exit-when-idle").wait() == 0


def test_unknown_arguments_are_refused(start: Callable[..., Process]) -> None:
    process = start("dance")

    assert process.wait() == 1
    assert "unknown arguments dance" in "".join(process.lines)


def test_a_peer_that_is_away_is_a_typed_error(tmp_path: Path) -> None:
    write_keys(tmp_path / "keys", ["gateway"])
    channels = Channels(GatewaySettings(home=tmp_path, stems_target="127.0.0.1:1"))
    stub = stems_pb2_grpc.StemsServiceStub(channels.sync("stems"))

    with acting_as(caller_for("nova")), pytest.raises(DependencyUnavailable) as raised:
        stub.GetSeparation(pb.GetSeparationRequest(name="artists/nova/separations/one"), timeout=2)
    channels.close_sync()

    assert raised.value.metadata == {"dependency": "stems"}
