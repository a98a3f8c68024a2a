from services.realtime.domain.ports import Region
from services.realtime.ws.frames import Kind
from services.realtime.ws.messages import Heartbeat, Pong, StoppedMessage
from services.realtime.ws.outbox import CONTROL_LIMIT, REGION_LIMIT, TOO_SLOW, AudioOf, Closing, Outbox


def drained(outbox: Outbox) -> list[object]:
    found: list[object] = []
    while (item := outbox.pop()) is not None:
        found.append(item)
    return found


def test_system_overtakes_control_and_control_overtakes_audio() -> None:
    outbox = Outbox()
    outbox.send_loop(9_600)
    outbox.hear(AudioOf(Kind.SLICE, Region(0, 100)))
    outbox.say(Pong(of=1))
    outbox.end(StoppedMessage(by="api"), Closing(1000, "over"))

    kinds = [type(item).__name__ for item in drained(outbox)]

    assert kinds == ["StoppedMessage", "Closing", "Pong", "AudioOf", "AudioOf"]


def test_only_the_newest_heartbeat_is_kept() -> None:
    outbox = Outbox()
    for slices in range(5):
        outbox.beat(Heartbeat(slices=slices, missed_deadlines=0, dropped_slices=0))

    assert [item.slices for item in drained(outbox)] == [4]  # type: ignore[attr-defined]


def test_slices_that_find_no_room_are_put_off_and_merged_not_lost() -> None:
    outbox = Outbox()
    for index in range(REGION_LIMIT + 3):
        outbox.hear(AudioOf(Kind.SLICE, Region(index * 100, 120)))

    sent = drained(outbox)

    assert outbox.deferred_slices == 3
    assert len(sent) == REGION_LIMIT + 1
    assert sent[-1] == AudioOf(Kind.SLICE, Region(0, 320))


def test_a_client_that_does_not_read_is_closed() -> None:
    outbox = Outbox()
    for index in range(CONTROL_LIMIT + 1):
        outbox.say(Pong(of=index))

    found = outbox.pop()

    assert isinstance(found, Closing)
    assert found.code == TOO_SLOW


def test_a_new_loop_forgets_regions_of_the_old_one() -> None:
    outbox = Outbox()
    outbox.hear(AudioOf(Kind.SLICE, Region(0, 100)))

    outbox.send_loop(30_000)

    assert drained(outbox) == [AudioOf(Kind.LOOP, Region(0, 24_000)), AudioOf(Kind.LOOP, Region(24_000, 6_000))]
