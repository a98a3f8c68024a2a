"""Between messages and the domain; pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import FieldInvalid, Violation
from chassis.ids import parse_name
from services.realtime.domain.graph import Knob, refuse_unbuilt
from services.realtime.domain.performance import (
    ASSET_PATTERN,
    SESSION_PATTERN,
    Performance,
    SourceMode,
    State,
)
from services.realtime.domain.tickets import Ticket
from services.realtime.use_cases.performances import Change, NewPerformance
from tonewright.realtime.v1 import realtime_pb2 as pb

_MODES = {
    pb.SOURCE_MODE_FULL: SourceMode.FULL,
    pb.SOURCE_MODE_VOCALS: SourceMode.VOCALS,
    pb.SOURCE_MODE_INSTRUMENTS: SourceMode.INSTRUMENTS,
}
_MODE_NUMBERS = {mode: number for number, mode in _MODES.items()}
_CHANGEABLE = ("display_name", "asset", "source_mode", "skip_stem_extraction", "graph")
SUBPROTOCOL = "tonewright.realtime.v1"


def new_performance(wanted: pb.Performance) -> NewPerformance:
    """What a caller asks for."""
    _check_graph(wanted.graph)
    if wanted.asset:
        parse_name(ASSET_PATTERN, wanted.asset, field="performance.asset")
    if wanted.session:
        parse_name(SESSION_PATTERN, wanted.session, field="performance.session")
    return NewPerformance(
        display_name=wanted.display_name,
        asset=wanted.asset,
        session=wanted.session,
        engine=wanted.engine,
        knobs=dict(wanted.graph.knobs),
        overlay=wanted.graph.overlay,
        mode=_MODES.get(wanted.source_mode),
        skip_stem_extraction=wanted.skip_stem_extraction,
    )


def change_of(request: pb.UpdatePerformanceRequest) -> Change:
    """What a caller wants changed: the fields of the mask, or those that are set."""
    wanted = request.performance
    paths = set(request.update_mask.paths) or {field.name for field, _ in wanted.ListFields()} & set(_CHANGEABLE)
    unknown = [path for path in sorted(paths) if path.split(".")[0] not in _CHANGEABLE]
    if unknown:
        expected = f"any of {', '.join(_CHANGEABLE)}"
        raise FieldInvalid(
            f"update_mask: {unknown[0]!r} cannot be changed; use {expected}",
            violations=[Violation("update_mask", expected)],
        )
    fields = {path.split(".")[0] for path in paths}
    if "graph" in fields:
        _check_graph(wanted.graph)
    if "asset" in fields:
        parse_name(ASSET_PATTERN, wanted.asset, field="performance.asset")
    return Change(
        display_name=wanted.display_name if "display_name" in fields else None,
        asset=wanted.asset if "asset" in fields else None,
        mode=_MODES.get(wanted.source_mode, SourceMode.FULL) if "source_mode" in fields else None,
        skip_stem_extraction=wanted.skip_stem_extraction if "skip_stem_extraction" in fields else None,
        knobs=dict(wanted.graph.knobs) if "graph" in fields else None,
        overlay=wanted.graph.overlay if "graph" in fields else "",
    )


def _check_graph(graph: pb.Graph) -> None:
    refuse_unbuilt(
        curves=bool(graph.curves),
        prompts=graph.HasField("prompts"),
        references=bool(graph.references),
        loop_band=graph.HasField("loop_band"),
    )


def state_of(number: int) -> State | None:
    """The state to filter by; None for any."""
    return State(pb.Performance.State.Name(number).removeprefix("STATE_")) if number else None  # type: ignore[arg-type]


def to_proto(found: Performance) -> pb.Performance:
    """A performance as its message."""
    ready = found.stems.assets
    return pb.Performance(
        name=found.name,
        display_name=found.display_name,
        asset=found.source.asset,
        session=found.session,
        engine=found.graph.engine,
        graph=pb.Graph(knobs=found.graph.knobs, overlay=found.graph.overlay),
        source_mode=_MODE_NUMBERS[found.source.mode],
        skip_stem_extraction=found.source.skip_stem_extraction,
        state=pb.Performance.State.Value(f"STATE_{found.state}"),
        stems_state=pb.Performance.StemsState.Value(f"STEMS_STATE_{found.stems.state}"),
        stems=[pb.PerformanceStem(stem=stem, asset=asset) for stem, asset in ready.items()],
        separation=found.stems.separation,
        stems_error_reason=found.stems.error_reason,
        rate_hz=48_000,
        channels=2,
        loop_frames=found.loop_frames,
        epoch=found.epoch,
        playhead_frames=found.playhead_frames,
        checkpoint_time=_stamp(found.checkpoint_time),
        error_reason=found.error_reason,
        error_message=found.error_message,
        create_time=_stamp(found.create_time),
        update_time=_stamp(found.update_time),
        end_time=_stamp(found.end_time),
        etag=found.etag,
    )


def to_status(found: Performance) -> pb.PerformanceStatus:
    """A performance as an operator sees it."""
    return pb.PerformanceStatus(
        name=found.name,
        state=pb.Performance.State.Value(f"STATE_{found.state}"),
        engine=found.graph.engine,
        worker=found.lease_owner,
        fence=found.fence,
        lease_expire_time=_stamp(found.lease_expires_at),
        checkpoint_time=_stamp(found.checkpoint_time),
        create_time=_stamp(found.create_time),
    )


def to_ticket(secret: str, ticket: Ticket, socket_url: str) -> pb.Ticket:
    """A ticket with its secret and where to take it."""
    return pb.Ticket(
        ticket=secret,
        socket_url=f"{socket_url}?ticket={secret}",
        subprotocol=SUBPROTOCOL,
        expire_time=_stamp(ticket.expire_time),
    )


def to_engine(artist: str, name: str, knobs: Mapping[str, Knob]) -> pb.Engine:
    """An engine and its knobs."""
    return pb.Engine(
        name=f"artists/{artist}/engines/{name}",
        knobs=[
            pb.Knob(
                knob=knob,
                minimum=about.minimum,
                maximum=about.maximum,
                initial=about.initial,
                unit=about.unit,
                description=about.description,
            )
            for knob, about in knobs.items()
        ],
    )


def _stamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
