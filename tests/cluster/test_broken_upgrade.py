"""An upgrade that cannot work fails, the old release serves on, and a rollback puts things right."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from tests.cluster.kube import CommandFailed
from tests.cluster_house import RELEASE, ClusterHouse

GIVEN_UP_AFTER_S = 30
ASK_EVERY_S = 0.2
WRONG_OWNER = {
    "name": "TONEWRIGHT_MIGRATION_DATABASE_URL",
    "value": f"postgresql://tonewright_owner:wrong@{RELEASE}-postgres:5432/tonewright",
}


@contextmanager
def _served_throughout(cluster: ClusterHouse) -> Iterator[list[str]]:
    """What went wrong while requests were made all the time."""
    wrong: list[str] = []
    ended = threading.Event()

    def ask() -> None:
        with cluster.http() as http:
            artist = http.post("/v1/artists", json={"display_name": "Steady"}).json()["name"]
            while not ended.wait(ASK_EVERY_S):
                for path in (f"/v1/{artist}", f"/v1/{artist}/sessions", f"/v1/{artist}/separations"):
                    try:
                        answer = http.get(path)
                    except httpx2.TransportError as fault:
                        wrong.append(f"{path}: {fault}")
                    else:
                        wrong.extend([f"{path}: {answer.text}"] if answer.status_code != 200 else [])

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield wrong
    finally:
        ended.set()
        thread.join()


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "change",
    [
        ["--set", "image.digests.gateway=sha256:" + "0" * 64],
        ["--set-json", f"migrations.extraEnv={json.dumps([WRONG_OWNER])}"],
    ],
    ids=["image", "migration"],
)
def test_the_old_release_serves_on_rolls_back_and_can_be_upgraded(cluster: ClusterHouse, change: list[str]) -> None:
    before = cluster.revision()

    with _served_throughout(cluster) as wrong:
        began = time.monotonic()
        with pytest.raises(CommandFailed):
            cluster.upgrade(*change, timeout_s=GIVEN_UP_AFTER_S)
        failed_s = time.monotonic() - began
        time.sleep(2)
        cluster.helm("rollback", RELEASE, str(before), "--wait", "--timeout", "120s")
        cluster.upgrade()

    assert failed_s < GIVEN_UP_AFTER_S + 30
    assert not wrong, wrong[:5]
    assert '"deployed"' in cluster.helm("status", RELEASE, "--output", "json")
    assert cluster.is_ready()
