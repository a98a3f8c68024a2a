"""Celery's worker in a thread: it runs the wake-up task of one listener until it is told to stop."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celery import Celery
from celery.concurrency.thread import TaskPool
from celery.exceptions import WorkerShutdown
from celery.utils.nodenames import anon_nodename
from celery.worker import WorkController
from celery.worker.consumer import Consumer

from chassis.logs import get_logger

log = get_logger(__name__)

_AWAY_S = 1  # between two attempts to reach a broker
_TICK_S = 0.5  # how soon a stop and a missing heartbeat are seen


class WakeWorker(WorkController):
    """A worker without signals, remote control, gossip and events; several may live in one process.

    Args:
        app: Where the task is registered; its queues are consumed.
        wake: Called once for each connection: messages may have been missed before it.
        stop: Ends `start`.
    """

    blueprint: Any

    def __init__(self, app: Celery, wake: Callable[[], None], stop: threading.Event) -> None:
        self.wake, self.stop_asked = wake, stop
        # Celery's event loop exists once in a process, so its plain loop has to do.
        super().__init__(
            app=app,
            hostname=anon_nodename(),
            concurrency=1,
            pool=_Threads,
            consumer_cls=_Consumer,
            use_eventloop=False,
            without_gossip=True,
            without_heartbeat=True,
            without_mingle=True,
        )

    def _shutdown(self, *, warm: bool = True) -> None:
        # Celery's own changes the default timeout of every socket of the process meanwhile.
        self.blueprint.stop(self, terminate=not warm)


class _Threads(TaskPool):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A new thread has no current app, and would look for the task in the default one of the process.
        self.executor = ThreadPoolExecutor(self.limit, thread_name_prefix="wake", initializer=self.app.set_current)


class _Consumer(Consumer):
    class Blueprint(Consumer.Blueprint):  # type: ignore[misc, valid-type]
        # For quorum queues the rest would declare 28 exchanges and queues for delayed tasks; there are none.
        default_steps = tuple(step for step in Consumer.Blueprint.default_steps if "delayed" not in step)

    controller: WakeWorker
    connection: Any
    task_consumer: Any
    is_away = False

    def connect(self) -> Any:
        """A connection with heartbeats; the broker is waited for, and its absence logged once."""
        while not self.controller.stop_asked.is_set():
            connection = self.app.connection_for_read(heartbeat=self.app.conf.broker_heartbeat)
            try:
                # `connect` sleeps for 2 s between its two attempts.
                connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            except Exception as error:  # each transport has its own errors, and the rows are polled meanwhile
                connection.collect()
                self._wait(error)
            else:
                return connection
        raise WorkerShutdown(0)

    def loop(self, *_: Any) -> None:
        """Hand messages to the pool until `stop` or the loss of the connection."""
        self.task_consumer.on_message = self.create_task_handler()
        self.task_consumer.consume()
        self.on_ready()
        self.is_away = False
        self.controller.wake()
        while not self.controller.stop_asked.is_set():
            try:
                self.connection.drain_events(timeout=_TICK_S)
            except TimeoutError:
                pass
            except ValueError:
                self.controller.wake()  # the filesystem transport can read a message that is only half written
            self.connection.heartbeat_check()
        raise WorkerShutdown(0)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Drop the connection without a word to a broker that may not answer."""
        connection, self.connection = self.connection, None
        connection.collect()
        self._wait(exc)

    def call_soon_ack(self, *_: Any) -> None:
        """Nothing: the broker counts a message as acknowledged at delivery, and its channel has one thread only."""

    def _wait(self, error: Exception) -> None:
        if not self.is_away:
            log.warning("broker_away", error=type(error.__cause__ or error).__name__)
        self.is_away = True
        self.controller.stop_asked.wait(_AWAY_S)
