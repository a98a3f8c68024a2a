"""Reasons that no other test of the service meets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from chassis.channels import Channels
from chassis.runtime import WorkPool
from services.realtime.domain.performance import SessionIncomplete
from services.realtime.peers import SessionsPeer
from services.sessions.api import SessionsServicer
from services.sessions.domain.assets import Recording
from services.sessions.domain.errors import UploadChanged
from services.sessions.use_cases.uploads import UploadSpec
from tests.unit.sessions.conftest import OTHER_WAV, WAV, Room


@dataclass
class Line:
    """A channel to the service in this process."""

    servicer: SessionsServicer

    def sync(self, peer: str) -> Line:
        return self

    def unary_unary(self, method: str, *_: Any, **__: Any) -> Callable[[Any], Any]:
        serve = getattr(self.servicer, method.rpartition("/")[2])
        return lambda request: asyncio.run(serve(request, None))


def test_bytes_that_are_replaced_while_they_are_verified_are_not_kept(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = room.uploads.create("nova", UploadSpec()).upload
    room.blobs.put(upload.object_key, WAV)
    measure = room.prober.measure

    def meanwhile(audio: Path, peaks: Path) -> Recording:
        room.blobs.put(upload.object_key, OTHER_WAV)
        return measure(audio, peaks)

    monkeypatch.setattr(room.prober, "measure", meanwhile)
    with pytest.raises(UploadChanged, match="complete it again"):
        room.uploads.complete("nova", upload.uid)
    monkeypatch.undo()
    again = room.uploads.complete("nova", upload.uid)

    assert room.blobs.read_bytes(again.blob_key, limit=1 << 20) == OTHER_WAV


def test_a_session_whose_audio_is_lost_opens_no_performance(room: Room) -> None:
    asset = room.upload()
    session = room.save(asset)
    room.blobs.delete(asset.blob_key)
    pool = WorkPool(1)
    peer = SessionsPeer(cast("Channels", Line(SessionsServicer(room.sessions, pool))))

    with pytest.raises(SessionIncomplete, match="1 missing: upload the same audio again"):
        peer.open(session.name)

    pool.close()
