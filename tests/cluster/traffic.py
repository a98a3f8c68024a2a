"""Steady traffic against a gateway, as a program on its own: it runs as a pod beside the platform.

Requests start at an even pace whatever the answers take, over kept connections, and none is sent twice: what fails is
told. Performance sockets are held by the SDK, which connects again when the server asks for that. One JSON object per
line goes to standard output: that it has started, each failure, each word of a socket that matters, and a summary.

The environment variable TRAFFIC holds the settings as JSON: url, key, rate_per_s, sockets, and socket_address
(host:port that replaces the one of socket tickets, empty: as the ticket says). The file /tmp/stop ends it.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import math
import os
import random
import struct
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2

from tonewright_client import ArtistHandle, Tonewright
from tonewright_client.performance import LivePerformance, Slice, connect
from tonewright_client.socket_messages import Event, Ready, Reconnect, Stopped

STOP = Path("/tmp/stop")
TIMEOUT_S = 30.0
CONNECTIONS = 32
# One request in six writes; those that measure audio come every four seconds at 50 requests per second.
WRITES = ("session", "rename", "session", "link", "check", "profile") * 5 + ("upload", "caption")
READS = ("one session", "sessions", "assets", "asset", "separations", "operations", "artist", "me", "content")


def say(event: str, **facts: Any) -> None:
    """One line for the test that reads along."""
    print(json.dumps({"event": event, "at": time.time(), **facts}), flush=True)


def tone(seed: int, *, duration_s: float = 0.2, rate_hz: int = 8_000) -> bytes:
    """A short WAV file; another seed gives other bytes."""
    chance = random.Random(seed)
    hertz = 200 + seed % 500
    frames = [
        round(9000 * math.sin(math.tau * hertz * place / rate_hz)) + chance.randrange(-2000, 2000)
        for place in range(int(duration_s * rate_hz))
    ]
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(struct.pack(f"<{len(frames)}h", *frames))
    return target.getvalue()


class Traffic:
    """The artist whose things are read and written, and the account of it."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.client = Tonewright(settings["url"], settings["key"])
        self.artist: ArtistHandle = self.client.create_artist("Traffic")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "loop.wav"
            path.write_bytes(tone(0, duration_s=3, rate_hz=44_100))
            self.asset = self.artist.assets.upload(path)["name"]
        self.session = self.artist.sessions.create("Held", {"version": 1})["name"]
        self.artist.captions.generate(asset=self.asset)
        self.made: dict[str, list[str]] = {"sessions": [], "assets": []}
        self.sent = self.failed = 0
        self.took_s: list[float] = []
        limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=60)
        self.http = httpx2.AsyncClient(
            base_url=settings["url"],
            headers={"Authorization": f"Bearer {settings['key']}"},
            limits=limits,
            timeout=TIMEOUT_S,
            trust_env=False,
        )

    async def run(self) -> None:
        """Requests at the pace, and sockets, until the stop file is there."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self.settings["sockets"]):
                tasks.create_task(self.keep(number))
            say("started", artist=self.artist.name, asset=self.asset)
            start = time.monotonic()
            for number, kind in enumerate(_kinds()):
                if STOP.exists():
                    break
                await asyncio.sleep(max(0.0, start + number / self.settings["rate_per_s"] - time.monotonic()))
                tasks.create_task(self.send(kind, number))
            lasted_s = time.monotonic() - start
        await self.http.aclose()
        self.sum_up(lasted_s)

    async def send(self, kind: str, number: int) -> None:
        """One request, sent once."""
        self.sent += 1
        method, path, body = self._request(kind, number)
        began = time.monotonic()
        try:
            answer = await self.http.request(method, path, **body)
        except httpx2.HTTPError as fault:
            self._tell(kind, method, path, began, f"{type(fault).__name__}: {fault}")
            return
        self.took_s.append(time.monotonic() - began)
        if answer.status_code >= 400:
            self._tell(kind, method, path, began, f"{answer.status_code} {answer.text[:300]}")
        elif kind == "session":
            self.made["sessions"].append(answer.json()["name"])
        elif kind == "upload":
            self.made["assets"].append(answer.json()["name"])

    def _tell(self, kind: str, method: str, path: str, began: float, what: str) -> None:
        self.failed += 1
        say("failed", kind=kind, method=method, path=path, after_s=round(time.monotonic() - began, 3), what=what)

    def _request(self, kind: str, number: int) -> tuple[str, str, dict[str, Any]]:
        base = f"/v1/{self.artist.name}"
        page = {"params": {"page_size": 10}}
        session = {"display_name": f"Take {number}", "snapshot": {"version": 1, "take": number}}
        audio = {"Content-Type": "audio/wav"}
        requests: dict[str, tuple[str, str, dict[str, Any]]] = {
            "me": ("GET", "/v1/me", {}),
            "artist": ("GET", base, {}),
            "sessions": ("GET", f"{base}/sessions", page),
            "session": ("POST", f"{base}/sessions", {"json": session}),
            "one session": ("GET", f"/v1/{self.session}", {}),
            "assets": ("GET", f"{base}/assets", page),
            "asset": ("GET", f"/v1/{self.asset}", {}),
            "content": ("GET", f"/v1/{self.asset}/content", {"headers": {"Range": "bytes=0-4095"}}),
            "captions": ("GET", f"{base}/captions", page),
            "separations": ("GET", f"{base}/separations", page),
            "operations": ("GET", f"{base}/operations", page),
            "rename": (
                "PATCH",
                f"/v1/{self.session}",
                {"json": {"display_name": f"Held {number}"}, "headers": {"If-Match": "*"}},
            ),
            "profile": (
                "PATCH",
                f"{base}/profile",
                {"json": {"notes": f"Note {number}"}, "headers": {"If-Match": "*"}},
            ),
            "link": ("POST", f"/v1/{self.asset}:link", {"json": {}}),
            "check": ("POST", f"{base}/captions:check", {"json": {"text": "Warm pads over a steady beat"}}),
            "caption": ("POST", f"{base}/captions:generate", {"json": {"asset": self.asset}}),
        }
        if kind == "upload":
            return "POST", f"{base}/assets", {"content": tone(number), "headers": audio}
        return requests[kind]

    async def keep(self, number: int) -> None:
        """A socket; if it is lost for good, that is told and the rest goes on."""
        try:
            await self.hold_socket(number)
        except* Exception as faults:
            say("socket", number=number, word="lost", what="; ".join(map(repr, _leaves(faults))))

    async def hold_socket(self, number: int) -> None:
        """One performance with its socket open until the end."""
        performances = self.artist.performances
        made = await asyncio.to_thread(performances.create, asset=self.asset, skip_stem_extraction=True)
        ticket = await asyncio.to_thread(performances.connect, made["name"])

        def on_event(event: Event | Slice) -> None:
            if isinstance(event, Ready | Reconnect | Stopped):
                say("socket", number=number, word=type(event).__name__.lower())

        async with await connect(self._reached(ticket["socket_url"]), on_event=on_event) as live:
            await live.start()
            say("socket", number=number, word="started")
            await self._turn_knobs(live)
            say("socket", number=number, word="ended", connections=live.connections)
        await asyncio.to_thread(performances.stop, made["name"])

    async def _turn_knobs(self, live: LivePerformance) -> None:
        while not STOP.exists():
            await live.turn(gain_db=-random.uniform(0, 12))
            await asyncio.sleep(1)

    def _reached(self, url: str) -> str:
        address = self.settings.get("socket_address")
        return urlunsplit(urlsplit(url)._replace(netloc=address)) if address else url

    def sum_up(self, lasted_s: float) -> None:
        """Look for everything that was acknowledged, and say how it went."""
        there = {session["name"] for session in self.artist.sessions.list(page_size=1000)}
        there |= {asset["name"] for asset in self.artist.assets.list(page_size=1000)}
        lost = [name for names in self.made.values() for name in names if name not in there]
        took = sorted(self.took_s) or [0.0]
        say(
            "summary",
            sent=self.sent,
            failed=self.failed,
            made={kind: len(names) for kind, names in self.made.items()},
            lost=lost,
            rate_per_s=round(self.sent / lasted_s, 1),
            p50_ms=round(took[len(took) // 2] * 1000),
            p99_ms=round(took[len(took) * 99 // 100] * 1000),
            longest_ms=round(took[-1] * 1000),
        )


def _leaves(faults: BaseExceptionGroup) -> Iterator[BaseException]:
    for fault in faults.exceptions:
        if isinstance(fault, BaseExceptionGroup):
            yield from _leaves(fault)
        else:
            yield fault


def _kinds() -> Iterator[str]:
    """What each request is, for ever."""
    writes, reads = itertools.cycle(WRITES), itertools.cycle(READS)
    for number in itertools.count():
        yield next(writes) if number % 6 == 5 else next(reads)


if __name__ == "__main__":
    asyncio.run(Traffic(json.loads(os.environ["TRAFFIC"])).run())
