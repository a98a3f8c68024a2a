import pytest

from chassis.errors import EtagMismatch, RequestIdReused
from chassis.testing import caller_for
from services.realtime.domain.graph import Graph
from services.realtime.domain.performance import Checkpoint, Performance, PerformanceEnded, PerformanceNotFound, State
from services.realtime.domain.ports import Request
from services.realtime.domain.tickets import TicketInvalid
from services.realtime.use_cases.performances import NewPerformance
from tests.unit.realtime.world import World

PIECE = "artists/nova/assets/piece"


def start(world: World, request_id: str = "", body: bytes = b"") -> tuple[Performance, bool]:
    request = Request("ada", "CreatePerformance", request_id, body)
    return world.use_cases.create(caller_for("nova"), NewPerformance(asset=PIECE), request)


def test_the_same_request_id_starts_one_performance(world: World) -> None:
    first, is_new = start(world, "r1")
    second, is_second_new = start(world, "r1")

    assert (first.uid, is_new, is_second_new) == (second.uid, True, False)
    assert len(world.store.page("nova", None, 0, "").items) == 1
    assert world.assets.holds == {(PIECE, first.name)}


def test_the_same_request_id_with_another_body_is_refused(world: World) -> None:
    start(world, "r1", b"a")

    with pytest.raises(RequestIdReused):
        start(world, "r1", b"b")


def test_another_artist_does_not_find_it(world: World) -> None:
    made, _ = start(world)

    with pytest.raises(PerformanceNotFound):
        world.store.get("vega", made.uid)
    with pytest.raises(PerformanceNotFound):
        world.store.end("vega", made.uid, world.clock.now())
    assert world.store.page("vega", None, 0, "").items == []


def test_a_ticket_opens_once(world: World) -> None:
    made, _ = start(world)
    secret, _ = world.use_cases.ticket(caller_for("nova"), made.uid)

    ticket, resume = world.use_cases.redeem(secret)

    assert ticket.performance == made.uid
    assert resume.startswith("twr_")
    with pytest.raises(TicketInvalid, match="used before"):
        world.use_cases.redeem(secret)


def test_a_resume_token_survives_a_connection_that_was_lost_at_once(world: World) -> None:
    made, _ = start(world)
    secret, _ = world.use_cases.ticket(caller_for("nova"), made.uid)
    _, resume = world.use_cases.redeem(secret)

    world.use_cases.redeem(resume)
    world.clock.advance(59)
    again, _ = world.use_cases.redeem(resume)

    assert again.performance == made.uid
    world.clock.advance(2)
    with pytest.raises(TicketInvalid, match="used before"):
        world.use_cases.redeem(resume)


def test_a_ticket_is_good_for_a_minute(world: World) -> None:
    made, _ = start(world)
    secret, _ = world.use_cases.ticket(caller_for("nova"), made.uid)
    world.clock.advance(61)

    with pytest.raises(TicketInvalid, match="expired"):
        world.use_cases.redeem(secret)
    with pytest.raises(TicketInvalid, match="not known"):
        world.use_cases.redeem("twt_guess")


def test_a_checkpoint_under_an_old_token_is_refused_and_says_who_holds_it(world: World) -> None:
    made, _ = start(world)
    first = world.store.claim("nova", made.uid, "one", 30)
    second = world.store.claim("nova", made.uid, "two", 30)
    graph = Graph("spectral", {"gain_db": -6})

    lost = world.store.checkpoint([Checkpoint(made.uid, "nova", first.fence, 1, graph, 5, True)], "one", 30)
    kept = world.store.checkpoint([Checkpoint(made.uid, "nova", second.fence, 1, graph, 7, True)], "two", 30)

    holder = lost[made.uid]
    assert holder is not None
    assert holder.fence == second.fence == first.fence + 1
    assert kept == {}
    found = world.store.get("nova", made.uid)
    assert (found.state, found.playhead_frames, found.graph.knobs["gain_db"]) == (State.LIVE, 7, -6.0)


def test_an_old_etag_changes_nothing(world: World) -> None:
    made, _ = start(world)
    world.clock.advance(1)
    world.store.revise(world.store.get("nova", made.uid), "")

    with pytest.raises(EtagMismatch):
        world.store.remove("nova", made.uid, made.etag)


def test_what_has_ended_cannot_be_taken_over_and_lets_its_audio_go(world: World) -> None:
    made, _ = start(world)

    ended = world.use_cases.stop("nova", made.uid)

    assert ended.state is State.STOPPED
    assert world.assets.holds == set()
    assert world.use_cases.stop("nova", made.uid).end_time == ended.end_time
    with pytest.raises(PerformanceEnded):
        world.store.claim("nova", made.uid, "one", 30)
    with pytest.raises(PerformanceEnded):
        world.use_cases.ticket(caller_for("nova"), made.uid)


def test_performances_come_in_pages_newest_first(world: World) -> None:
    made = []
    for _ in range(3):
        made.append(start(world)[0].uid)
        world.clock.advance(1)

    first = world.store.page("nova", None, 2, "")
    second = world.store.page("nova", None, 2, first.next_page_token)

    assert [one.uid for one in [*first.items, *second.items]] == made[::-1]
    assert second.next_page_token == ""
    assert len(world.store.search(State.STARTING, 0, "").items) == 3


def test_only_old_performances_that_nobody_holds_are_taken_up(world: World) -> None:
    made, _ = start(world)
    fresh = world.store.unheld()
    world.clock.advance(11)
    old = world.store.unheld()
    world.store.claim("nova", made.uid, "one", 30)

    assert (fresh, [one.uid for one in old], world.store.unheld()) == ([], [made.uid], [])
