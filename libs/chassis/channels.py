"""Channels to the other services, made when first asked for."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any, cast

import grpc
import grpc.aio

from chassis.rpc.client import CHANNEL_CONFIG, AioCall, PeerChannel, SyncCall
from chassis.settings import Settings
from chassis.tokens import Signer

MESSAGE_BYTES = 4 << 20
METADATA_BYTES = 32 << 10


class Channels:
    """Channels by peer; each call carries a token for the current caller.

    Calls end after 30 s unless they are given a time, repeat on a lost connection where that is safe, and raise
    the `AppError` that the peer answered. Close it when done.
    """

    def __init__(self, settings: Settings, signer: Signer | None = None, *, message_bytes: int = MESSAGE_BYTES) -> None:
        self._settings = settings
        self._signer = signer or Signer(settings.SERVICE, settings.signing_key_file)
        self._options = _options(message_bytes)
        self._aio: dict[str, PeerChannel] = {}
        self._sync: dict[str, PeerChannel] = {}
        self._lock = threading.Lock()

    def aio(self, peer: str) -> grpc.aio.Channel:
        """The channel to a peer for coroutines of the running loop."""
        if peer not in self._aio:
            dial = partial(grpc.aio.insecure_channel, self._target(peer), options=self._options)
            self._aio[peer] = PeerChannel(dial, peer, self._signer, AioCall)
        return cast(grpc.aio.Channel, self._aio[peer])

    def sync(self, peer: str) -> grpc.Channel:
        """The channel to a peer for threads."""
        with self._lock:
            if peer not in self._sync:
                dial = partial(grpc.insecure_channel, self._target(peer), options=self._options)
                self._sync[peer] = PeerChannel(dial, peer, self._signer, SyncCall)
            return cast(grpc.Channel, self._sync[peer])

    async def close(self) -> None:
        """Close every channel."""
        for channel in self._aio.values():
            await channel.close()
        self.close_sync()
        self._aio.clear()

    def close_sync(self) -> None:
        """Close the channels of threads."""
        with self._lock:
            for channel in self._sync.values():
                channel.close()
            self._sync.clear()

    def _target(self, peer: str) -> str:
        target = self._settings.target_of(peer)
        return target if "://" in target or target.startswith("unix:") else f"dns:///{target}"


def _options(message_bytes: int) -> list[tuple[str, Any]]:
    return [
        ("grpc.service_config", CHANNEL_CONFIG),
        ("grpc.enable_http_proxy", 0),
        ("grpc.max_send_message_length", message_bytes),
        ("grpc.max_receive_message_length", message_bytes),
        ("grpc.max_metadata_size", METADATA_BYTES),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # A peer that restarts is found again within a second; the usual two minutes would outlast every deadline.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        # A process that took a peer's place is found before the retries of a call are used up; usual are 30 s.
        ("grpc.dns_min_time_between_resolutions_ms", 500),
    ]
