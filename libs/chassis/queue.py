import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import kombu
from celery import Celery

from chassis import tracing
from chassis.errors import DependencyUnavailable
from chassis.logs import get_logger
from chassis.metrics import counter

log = get_logger(__name__)

WAKE = "tonewright.wake"
_EXPIRES_S = 60  # a message only wakes; by then workers have polled, and a queue without workers must not grow
_ANNOUNCEMENTS = counter(
    "tonewright_queue_announcements_total", "Wake-up messages by outcome (sent, dropped)", ("topic", "outcome")
)


class Queue:
    """Wake-up messages for workers through Celery's protocol; jobs never depend on their arrival.

    The URL decides the broker: `filesystem:///folder`, `amqp://…` (quorum queues) or `redis://…`.
    """

    def __init__(self, url: str) -> None:
        self._celery = partial(_celery, url)
        self._app = self._celery()
        self._durable = {"x-queue-type": "quorum"} if urlsplit(url).scheme.startswith(("amqp", "pyamqp")) else None
        self._outbox: queue.Queue[tuple[str, str] | None] = queue.Queue(maxsize=1000)
        self._lock = threading.Lock()
        self._sender: threading.Thread | None = None

    def announce(self, topic: str) -> None:
        """Wake a worker of the topic soon; never raises, never waits. A lost message costs one poll interval."""
        with self._lock:
            if self._sender is None:
                self._sender = threading.Thread(target=self._send_all, name="queue-announcer", daemon=True)
                self._sender.start()
        try:
            self._outbox.put_nowait((topic, tracing.traceparent()))
        except queue.Full:
            _ANNOUNCEMENTS.labels(topic, "dropped").inc()

    def listen(self, topics: Sequence[str], wake: Callable[[], None], stop: threading.Event) -> None:
        """Run a Celery worker that calls `wake` for every message until `stop`; a broker that is away is waited for."""
        from chassis.wakes import WakeWorker  # only a worker process pays for it

        def on_message(topic: str) -> None:  # the rows say what there is to do
            wake()

        while not stop.is_set():
            app = self._celery()
            app.conf.task_queues = [self._queue(topic, no_ack=True) for topic in topics]
            app.task(name=WAKE, shared=False)(on_message)
            WakeWorker(app, wake, stop).start()
            stop.wait(1)  # it ends by itself only after an error that it logs

    def ping(self) -> None:
        """Nothing if the broker answers, else DependencyUnavailable."""
        try:
            with self._app.connection_for_read() as connection:
                connection.connect()
        except Exception as error:
            raise DependencyUnavailable("broker") from error

    def close(self) -> None:
        """Send what waits, for a second at most, and stop."""
        if self._sender is not None:
            with contextlib.suppress(queue.Full):
                self._outbox.put_nowait(None)
            self._sender.join(timeout=1)

    def _queue(self, topic: str, *, no_ack: bool = False) -> kombu.Queue:
        # no_ack: a message carries no work, so it is acknowledged at delivery and no broker timeout matters.
        exchange = kombu.Exchange(topic)
        return kombu.Queue(topic, exchange, routing_key=topic, queue_arguments=self._durable, no_ack=no_ack)

    def _send_all(self) -> None:
        connection: Any = None
        while (item := self._outbox.get()) is not None:
            idle, connection = connection, self._try(connection, *item)
            if idle is not None and connection is None:  # it may have died while it idled
                connection = self._try(None, *item)
            _ANNOUNCEMENTS.labels(item[0], "dropped" if connection is None else "sent").inc()
        _close(connection)

    def _try(self, connection: Any, topic: str, traceparent: str) -> Any:
        """The connection that sent the message; None if it was not sent."""
        try:
            connection = connection or self._app.connection_for_write(heartbeat=0)
            self._send(connection, topic, traceparent)
        except Exception as error:  # each transport has its own errors; the row will be polled
            log.warning("announcement_failed", topic=topic, error=type(error).__name__)
            _close(connection)
            return None
        return connection

    def _send(self, connection: Any, topic: str, traceparent: str) -> None:
        with connection.channel() as channel, self._app.amqp.Producer(channel, auto_declare=False) as producer:
            self._app.send_task(
                WAKE,
                kwargs={"topic": topic},
                producer=producer,
                queue=self._queue(topic),  # type: ignore[arg-type]  # a name would make a queue of another kind
                headers={"traceparent": traceparent},
                expiration=_EXPIRES_S,
                retry=False,
            )


def _close(connection: Any) -> None:
    with contextlib.suppress(Exception):
        if connection is not None:
            connection.close()


def _celery(url: str) -> Celery:
    parts = urlsplit(url)
    transport: dict[str, Any] = {}
    if parts.scheme == "filesystem":
        folder = Path(unquote(parts.netloc + parts.path))
        for name in ("messages", "control"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        messages = str(folder / "messages")
        transport = {"data_folder_in": messages, "data_folder_out": messages, "polling_interval": 0.1}
        transport["control_folder"] = str(folder / "control")
        url = "filesystem://localhost/"  # kombu warns of a URL without a host
    elif parts.scheme.startswith("redis"):
        transport = {"socket_connect_timeout": 1, "socket_timeout": 5, "health_check_interval": 10}
    else:
        transport = {"read_timeout": 5, "write_timeout": 1}
    app = Celery("tonewright", broker=url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        broker_connection_max_retries=None,
        broker_connection_timeout=1,
        broker_heartbeat=10,
        broker_transport_options=transport,
        task_ignore_result=True,
        task_publish_retry=False,
        task_serializer="json",
        worker_enable_remote_control=False,
        worker_send_task_events=False,
    )
    return app
