"""One suite for every broker."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import kombu
import pytest
from celery import Task
from celery.signals import task_postrun

from chassis import tracing
from chassis.errors import DependencyUnavailable
from chassis.queue import WAKE, Queue
from tools.backends import Backend, free_port


class Listener:
    """Counts wake-ups of one topic in a thread."""

    def __init__(self, queue: Queue, topic: str) -> None:
        self.wakes = 0
        self.stop = threading.Event()
        self._thread = threading.Thread(target=queue.listen, args=([topic], self._wake, self.stop))
        self._thread.start()

    def _wake(self) -> None:
        self.wakes += 1

    def join(self) -> None:
        self.stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


@contextmanager
def listening(queue: Queue, topic: str) -> Iterator[Listener]:
    listener = Listener(queue, topic)
    try:
        poll_until(lambda: listener.wakes >= 1)  # once for having connected
        yield listener
    finally:
        listener.join()


def poll_until(check: Callable[[], bool], timeout_s: float = 15) -> None:
    end = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def topic() -> str:
    """A queue nobody used before."""
    return f"trial.t{uuid.uuid4().hex[:8]}"


def test_an_announcement_wakes_one_listener(queue: Queue, topic: str) -> None:
    with listening(queue, topic) as first, listening(queue, topic) as second:
        began = time.monotonic()
        queue.announce(topic)
        poll_until(lambda: first.wakes + second.wakes == 3)

        assert time.monotonic() - began < 2
        time.sleep(0.3)
        assert first.wakes + second.wakes == 3


def test_an_announcement_waits_for_its_listener(queue: Queue, topic: str) -> None:
    with listening(queue, topic):
        pass
    queue.announce(topic)
    time.sleep(0.3)

    with listening(queue, topic) as listener:
        poll_until(lambda: listener.wakes == 2)


def test_topics_are_apart(queue: Queue, topic: str) -> None:
    with listening(queue, topic) as listener:
        queue.announce(topic + "x")
        time.sleep(0.4)

        assert listener.wakes == 1


def test_listeners_of_several_topics_live_in_one_process(queue: Queue, topic: str) -> None:
    with listening(queue, topic) as first, listening(queue, topic + "x") as second:
        queue.announce(topic)
        poll_until(lambda: first.wakes == 2)
        queue.announce(topic + "x")
        poll_until(lambda: second.wakes == 2)

        assert first.wakes == 2


def test_a_message_runs_as_a_task_of_a_celery_worker(queue: Queue, topic: str) -> None:
    ran: list[tuple[str, object]] = []

    def note(task: Task[..., None], kwargs: object, **_: object) -> None:
        ran.append((task.name, kwargs))

    task_postrun.connect(note, weak=False)
    try:
        with listening(queue, topic):
            queue.announce(topic)
            poll_until(lambda: ran == [(WAKE, {"topic": topic})])
    finally:
        task_postrun.disconnect(note)


def test_a_listener_whose_broker_never_came_stops_at_once(topic: str) -> None:
    queue = Queue(f"amqp://127.0.0.1:{free_port()}//")
    listener = Listener(queue, topic)
    time.sleep(0.5)
    began = time.monotonic()
    listener.join()

    assert time.monotonic() - began < 1
    assert listener.wakes == 0


def test_the_message_is_a_celery_task_with_its_trace(rabbitmq: Backend, topic: str) -> None:
    queue = Queue(rabbitmq.url)
    with tracing.span("test") as here:
        queue.announce(topic)
    time.sleep(0.5)

    with kombu.Connection(rabbitmq.url) as connection, connection.channel() as channel:
        message = kombu.Queue(topic, channel=channel).get(accept=["json"], no_ack=True)

    assert message is not None
    assert message.headers["task"] == WAKE
    assert message.headers["traceparent"] == here.traceparent
    assert message.payload[1] == {"topic": topic}
    queue.close()


def test_rabbitmq_queues_are_quorum_queues(rabbitmq: Backend, topic: str) -> None:
    queue = Queue(rabbitmq.url)
    with listening(queue, topic):
        pass

    with kombu.Connection(rabbitmq.url) as connection, connection.channel() as channel:
        same = kombu.Queue(topic, kombu.Exchange(topic), topic, queue_arguments={"x-queue-type": "quorum"})
        same(channel).declare()  # another type is refused
    queue.close()


@pytest.mark.parametrize("broker", ["rabbitmq", "redis_server"])
def test_a_broker_that_is_down_holds_nobody_up(request: pytest.FixtureRequest, broker: str, topic: str) -> None:
    server: Backend = request.getfixturevalue(broker)
    queue = Queue(server.url)
    with listening(queue, topic) as listener:
        server.pause()
        try:
            began = time.monotonic()
            for _ in range(2000):
                queue.announce(topic)
            assert time.monotonic() - began < 0.5
            with pytest.raises(DependencyUnavailable) as caught:
                queue.ping()
            time.sleep(1)
        finally:
            server.resume()
        assert caught.value.metadata == {"dependency": "broker"}
        queue.ping()
        poll_until(lambda: listener.wakes >= 2)
        before = listener.wakes
        queue.announce(topic)
        poll_until(lambda: listener.wakes > before)
    queue.close()


@pytest.mark.parametrize("broker", ["rabbitmq", "redis_server"])
def test_a_connection_that_died_while_idle_loses_no_announcement(
    request: pytest.FixtureRequest, broker: str, topic: str
) -> None:
    server: Backend = request.getfixturevalue(broker)
    queue = Queue(server.url)
    queue.announce(topic)
    time.sleep(0.5)
    server.pause()
    server.resume()

    with listening(queue, topic) as listener:
        time.sleep(0.5)
        before = listener.wakes
        queue.announce(topic)
        poll_until(lambda: listener.wakes > before)
    queue.close()
