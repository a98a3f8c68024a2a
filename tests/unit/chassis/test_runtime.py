"""Health, the ops listener's answers, the work pool and background loops."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from collections.abc import AsyncIterator

import pytest

from chassis import context, health, ops, runtime
from chassis.health import Health
from chassis.pool import Overloaded, WorkPool


def fail() -> None:
    raise OSError("nobody there")


@pytest.fixture
async def watched() -> AsyncIterator[Health]:
    made = Health()
    yield made
    made.close()


async def test_a_process_is_ready_while_what_it_requires_answers(watched: Health) -> None:
    watched.add("database", lambda: None)
    watched.add("broker", fail, required=False)

    report = await watched.check()

    assert report.ready
    assert report.failed == {"broker": "nobody there"}
    assert report.dependencies == {"database": True, "broker": False}


async def test_readyz_names_what_fails(watched: Health) -> None:
    watched.add("database", fail)

    status, media_type, body = await ops.respond(watched, "GET", "/readyz")

    assert status.startswith("503")
    assert media_type == "application/json"
    assert json.loads(body) == {
        "status": "not ready", "failed": {"database": "nobody there"}, "dependencies": {"database": False}
    }  # fmt: skip


async def test_a_probe_that_hangs_fails_and_is_not_started_twice(
    watched: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_TIMEOUT_S", 0.02)
    monkeypatch.setattr(health, "_REMEMBERED_S", 0.0)
    release, started = threading.Event(), []

    def hang() -> None:
        started.append(1)
        release.wait(5)

    watched.add("database", hang)
    first, second = await watched.check(), await watched.check()
    release.set()

    assert first.failed == second.failed == {"database": "no answer within 0.02 s"}
    assert started == [1]


async def test_a_probe_that_fails_late_is_no_forgotten_exception(
    watched: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_TIMEOUT_S", 0.01)
    monkeypatch.setattr(health, "_REMEMBERED_S", 0.0)
    forgotten: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, facts: forgotten.append(facts))
    release = threading.Event()

    def fail_late() -> None:
        release.wait(5)
        fail()

    watched.add("broker", fail_late)
    await watched.check()
    release.set()
    await asyncio.sleep(0.05)
    await watched.check()
    gc.collect()

    assert forgotten == []


async def test_probes_are_remembered_for_a_second(watched: Health) -> None:
    calls: list[int] = []
    watched.add("database", lambda: calls.append(1))

    await asyncio.gather(watched.check(), watched.check(), watched.check())

    assert calls == [1]


async def test_a_draining_process_is_alive_and_not_ready(watched: Health) -> None:
    watched.is_draining = True

    assert (await ops.respond(watched, "GET", "/livez"))[0] == "200 OK"
    assert (await ops.respond(watched, "GET", "/readyz"))[0].startswith("503")
    assert (await ops.respond(watched, "GET", "/nowhere"))[0].startswith("404")
    assert (await ops.respond(watched, "POST", "/livez"))[0].startswith("405")


async def test_work_runs_in_a_thread_with_its_context() -> None:
    pool = WorkPool(1)

    with context.in_request("r1"):
        found = await pool.run(lambda: (context.request_id(), threading.current_thread().name))
    pool.close()

    assert found[0] == "r1"
    assert found[1].startswith("work")


async def test_a_full_pool_refuses_work() -> None:
    pool, release = WorkPool(1), threading.Event()
    tasks = [asyncio.ensure_future(pool.run(release.wait, 5)) for _ in range(50)]
    await asyncio.sleep(0)

    with pytest.raises(Overloaded) as raised:
        await pool.run(release.wait, 5)
    release.set()
    await asyncio.gather(*tasks)
    pool.close()

    assert raised.value.retry_after_s == 1.0


async def test_a_loop_that_raises_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_AGAIN_S", 0.01)
    rounds: list[int] = []

    async def loop(stop: asyncio.Event) -> None:
        rounds.append(1)
        if len(rounds) < 3:
            raise RuntimeError("not yet")

    await asyncio.wait_for(runtime._keep(loop, asyncio.Event()), 2)

    assert len(rounds) == 3
