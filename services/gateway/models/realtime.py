"""JSON shapes of tonewright.realtime.v1, made by `tools/openapi.py`; never edited."""

# ruff: noqa: E501
from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from services.gateway.shapes import (
    Flag,
    In,
    Int64,
    Number,
    Out,
    Text,
    Time,
)


class CurveMode(StrEnum):
    """How a curve goes on from a point."""

    SMOOTH = "SMOOTH"
    LINEAR = "LINEAR"
    STEP = "STEP"


class CurvePoint(Out):
    """One point of a curve."""

    position: float = Field(description="Place in the loop, 0 to 1.", examples=[0.5])
    value: float = Field(description="Share of the knob's range, 0 to 1.", examples=[0.5])
    mode: CurveMode | None = Field(description="How the curve goes on from here; default smooth.", examples=["SMOOTH"])


class Curve(Out):
    """A knob that moves along the loop by itself."""

    knob: str = Field(description="The knob, as `gain_db`.")
    points: list[CurvePoint] = Field(description="At least two points by rising position.")


class Prompts(Out):
    """What a generative engine is asked for."""

    prompt_a: str = Field(description="The first prompt.")
    prompt_b: str = Field(description="The second prompt; empty: as the first.")
    blend: float = Field(description="From the first (0) to the second (1); default 0.", examples=[0.5])


class ReferenceKind(StrEnum):
    """A reference that shapes the result; for generative engines."""

    TIMBRE = "TIMBRE"
    STRUCTURE = "STRUCTURE"


class Reference(Out):
    """Audio that shapes the result."""

    kind: ReferenceKind | None = Field(description="What of it counts.", examples=["TIMBRE"])
    asset: str = Field(description="The asset.", examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"])
    strength: float | None = Field(description="How much it counts, 0 to 1; default 1.", examples=[0.5])


class LoopBand(Out):
    """A part of the loop that is repeated instead of the whole."""

    start_frames: int = Field(description="First frame, 48 kHz.", examples=[1])
    end_frames: int = Field(description="Frame after the last one, 48 kHz.", examples=[1])


class Graph(Out):
    """The motion graph: everything that shapes the loop."""

    knobs: dict[str, float] = Field(
        description="Knob by name; what is missing has the engine's default. Values outside the knob's range are refused. The `spectral` engine has `gain_db`, `low_db`, `mid_db`, `high_db` and `blend`.",
        examples=[{}],
    )
    overlay: str = Field(
        description="The stem that `blend` brings in: `vocals` or `instruments`; default `instruments`."
    )
    curves: list[Curve] = Field(description="Knobs that move by themselves; at most one curve per knob.")
    prompts: Prompts | None = Field(description="For generative engines.")
    references: list[Reference] = Field(description="For generative engines; at most one per kind.")
    loop_band: LoopBand | None = Field(description="Absent: the whole loop.")


class SourceMode(StrEnum):
    """What the loop is made of."""

    FULL = "FULL"
    VOCALS = "VOCALS"
    INSTRUMENTS = "INSTRUMENTS"


class PerformanceState(StrEnum):
    """Where a performance stands."""

    STARTING = "STARTING"
    READY = "READY"
    LIVE = "LIVE"
    STOPPED = "STOPPED"
    FAILED = "FAILED"


class PerformanceStemsState(StrEnum):
    """Where the stems stand."""

    NONE = "NONE"
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"


class PerformanceStem(Out):
    """One stem of the source."""

    stem: str = Field(description="`vocals` or `instruments`.", examples=["vocals"])
    asset: str = Field(
        description="The asset with its audio.", examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]
    )


class Performance(Out):
    """A loop of audio, its motion graph and the engine that repaints it."""

    name: str = Field(
        description="`artists/{artist}/performances/{performance}`.",
        examples=["artists/nova/performances/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    display_name: str = Field(
        description="For people, at most 200 characters; default: empty.", examples=["Night drive"]
    )
    asset: str = Field(
        description="The recording that is played; required unless `session` is given. Another one swaps the source.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    session: str = Field(
        description="The saved session that is opened: source, stems, graph and playhead come from it. Default: none.",
        examples=["artists/nova/sessions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    engine: str = Field(
        description="What paints: `spectral` (signal processing on the CPU); default `spectral`.", examples=["stub"]
    )
    graph: Graph | None = Field(description="Everything that shapes the loop; default: the engine's defaults.")
    source_mode: SourceMode | None = Field(
        description="What the loop is made of; default the whole mix.", examples=["FULL"]
    )
    skip_stem_extraction: bool = Field(
        description="Whether no separation is started, whatever `source_mode` says; default false. Stems of a saved session are used all the same.",
        examples=[False],
    )
    state: PerformanceState | None = Field(description="Where it stands.", examples=["STARTING"])
    stems_state: PerformanceStemsState | None = Field(description="Where the stems stand.", examples=["NONE"])
    stems: list[PerformanceStem] = Field(
        description="The stems of the source, vocals first; empty until they are ready."
    )
    separation: str = Field(
        description="The separation that made the stems; empty when none was needed.",
        examples=["artists/nova/separations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    stems_error_reason: str = Field(description="Stable reason why there are no stems; empty unless FAILED.")
    rate_hz: int = Field(description="Rate of the loop, always 48,000 Hz.", examples=[44100])
    channels: int = Field(description="Channels of the loop, always 2.", examples=[2])
    loop_frames: int = Field(
        description="Length of the loop in frames, a multiple of 9,600, at most 240 s; 0 until READY.", examples=[1]
    )
    epoch: int = Field(description="Counts the sources of this performance from 1; a swap adds 1.", examples=[1])
    playhead_frames: int = Field(description="Playhead in the loop at the last checkpoint, frames.", examples=[1])
    checkpoint_time: Time | None = Field(
        description="When the state above was kept last; at most 1 s ago while it is played.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )
    error_reason: str = Field(description="Stable reason of the failure, as `SOURCE_TOO_SHORT`; empty unless FAILED.")
    error_message: str = Field(description="What went wrong and what to do; empty unless FAILED.")
    create_time: Time | None = Field(description="When it was started.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When anything but the checkpoint last changed.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    end_time: Time | None = Field(description="When it ended; absent before.", examples=["2026-11-21T10:00:00.000000Z"])
    etag: str = Field(description="Changes with every change but checkpoints.", examples=["5f1d2c3b4a596877"])


class CurvePointInput(In):
    """One point of a curve."""

    position: Number | None = Field(default=None, description="Place in the loop, 0 to 1.", examples=[0.5])
    value: Number | None = Field(default=None, description="Share of the knob's range, 0 to 1.", examples=[0.5])
    mode: CurveMode | None = Field(
        default=None, description="How the curve goes on from here; default smooth.", examples=["SMOOTH"]
    )


class CurveInput(In):
    """A knob that moves along the loop by itself."""

    knob: Text = Field(description="The knob, as `gain_db`.")
    points: list[CurvePointInput] = Field(description="At least two points by rising position.")


class PromptsInput(In):
    """What a generative engine is asked for."""

    prompt_a: Text | None = Field(default=None, description="The first prompt.")
    prompt_b: Text | None = Field(default=None, description="The second prompt; empty: as the first.")
    blend: Number | None = Field(
        default=None, description="From the first (0) to the second (1); default 0.", examples=[0.5]
    )


class ReferenceInput(In):
    """Audio that shapes the result."""

    kind: ReferenceKind = Field(description="What of it counts.", examples=["TIMBRE"])
    asset: Text = Field(description="The asset.", examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"])
    strength: Number | None = Field(default=None, description="How much it counts, 0 to 1; default 1.", examples=[0.5])


class LoopBandInput(In):
    """A part of the loop that is repeated instead of the whole."""

    start_frames: Int64 | None = Field(default=None, description="First frame, 48 kHz.", examples=[1])
    end_frames: Int64 | None = Field(default=None, description="Frame after the last one, 48 kHz.", examples=[1])


class GraphInput(In):
    """The motion graph: everything that shapes the loop."""

    knobs: dict[str, Number] | None = Field(
        default=None,
        description="Knob by name; what is missing has the engine's default. Values outside the knob's range are refused. The `spectral` engine has `gain_db`, `low_db`, `mid_db`, `high_db` and `blend`.",
        examples=[{}],
    )
    overlay: Text | None = Field(
        default=None, description="The stem that `blend` brings in: `vocals` or `instruments`; default `instruments`."
    )
    curves: list[CurveInput] | None = Field(
        default=None, description="Knobs that move by themselves; at most one curve per knob."
    )
    prompts: PromptsInput | None = Field(default=None, description="For generative engines.")
    references: list[ReferenceInput] | None = Field(
        default=None, description="For generative engines; at most one per kind."
    )
    loop_band: LoopBandInput | None = Field(default=None, description="Absent: the whole loop.")


class CreatePerformanceBody(In):
    """What to start."""

    display_name: Text | None = Field(
        default=None, description="For people, at most 200 characters; default: empty.", examples=["Night drive"]
    )
    asset: Text | None = Field(
        default=None,
        description="The recording that is played; required unless `session` is given. Another one swaps the source.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    session: Text | None = Field(
        default=None,
        description="The saved session that is opened: source, stems, graph and playhead come from it. Default: none.",
        examples=["artists/nova/sessions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    engine: Text | None = Field(
        default=None,
        description="What paints: `spectral` (signal processing on the CPU); default `spectral`.",
        examples=["stub"],
    )
    graph: GraphInput | None = Field(
        default=None, description="Everything that shapes the loop; default: the engine's defaults."
    )
    source_mode: SourceMode | None = Field(
        default=None, description="What the loop is made of; default the whole mix.", examples=["FULL"]
    )
    skip_stem_extraction: Flag | None = Field(
        default=None,
        description="Whether no separation is started, whatever `source_mode` says; default false. Stems of a saved session are used all the same.",
        examples=[False],
    )


class ListPerformancesResponse(Out):
    """One page of performances."""

    performances: list[Performance] = Field(description="Newest first.")
    next_page_token: str = Field(description="Asks for the page after this one; empty on the last.")


class ListPerformancesQuery(In):
    """Which performances to list."""

    page_size: int | None = Field(default=None, description="At most so many, 1 to 1000; 0: 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty: the first page."
    )
    state: PerformanceState | None = Field(
        default=None, description="Only performances in this state; unspecified: in any."
    )


class UpdatePerformanceBody(In):
    """What to change."""

    display_name: Text | None = Field(
        default=None, description="For people, at most 200 characters; default: empty.", examples=["Night drive"]
    )
    asset: Text | None = Field(
        default=None,
        description="The recording that is played; required unless `session` is given. Another one swaps the source.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    graph: GraphInput | None = Field(
        default=None, description="Everything that shapes the loop; default: the engine's defaults."
    )
    source_mode: SourceMode | None = Field(
        default=None, description="What the loop is made of; default the whole mix.", examples=["FULL"]
    )
    skip_stem_extraction: Flag | None = Field(
        default=None,
        description="Whether no separation is started, whatever `source_mode` says; default false. Stems of a saved session are used all the same.",
        examples=[False],
    )


class Ticket(Out):
    """What opens a socket, once."""

    ticket: str = Field(description="The secret; good for one connection.")
    socket_url: str = Field(
        description="Address of the socket with the ticket in it, as `ws://127.0.0.1:8081/v1/performances/socket?ticket=…`."
    )
    subprotocol: str = Field(description="The subprotocol to ask for, `tonewright.realtime.v1`.")
    expire_time: Time | None = Field(
        description="When it stops to be good, 60 s after it was made.", examples=["2026-11-21T10:00:00.000000Z"]
    )


class SavePerformanceResponse(Out):
    """What was kept."""

    session: str = Field(
        description="The saved session, `artists/{artist}/sessions/{session}`.",
        examples=["artists/nova/sessions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    session_etag: str = Field(description="Its etag.")


class SavePerformanceBody(In):
    """What to keep."""

    display_name: Text | None = Field(
        default=None,
        description="Name of the saved session for people, 1 to 200 characters; default: the performance's own, else `Performance`.",
        examples=["Night drive"],
    )
    session: Text | None = Field(
        default=None,
        description="The saved session to write over; empty: a new one.",
        examples=["artists/nova/sessions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    session_etag: Text | None = Field(
        default=None, description="The etag that the session must still have; empty: any."
    )


class Knob(Out):
    """A knob of an engine."""

    knob: str = Field(description="As in Graph.knobs.")
    minimum: float = Field(description="Smallest value.", examples=[0.5])
    maximum: float = Field(description="Largest value.", examples=[0.5])
    initial: float = Field(description="Value when nothing is said.", examples=[0.5])
    unit: str = Field(description="`dB`, or empty for a share.")
    description: str = Field(description="What a listener hears.")


class Engine(Out):
    """What paints."""

    name: str = Field(
        description="`artists/{artist}/engines/{engine}`; the last part is what Performance.engine takes.",
        examples=["artists/nova/engines/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    knobs: list[Knob] = Field(description="Its knobs.")


class ListEnginesResponse(Out):
    """One page of engines."""

    engines: list[Engine] = Field(description="By id.")
    next_page_token: str = Field(description="Asks for the page after this one; empty on the last.")


class ListEnginesQuery(In):
    """Which engines to list."""

    page_size: int | None = Field(default=None, description="At most so many, 1 to 1000; 0: 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty: the first page."
    )


class PerformanceStatus(Out):
    """A performance as an operator sees it."""

    name: str = Field(description="`artists/{artist}/performances/{performance}`.", examples=["artists/nova"])
    state: PerformanceState | None = Field(description="Where it stands.", examples=["STARTING"])
    engine: str = Field(description="What paints.", examples=["stub"])
    worker: str = Field(description="The process that holds it; empty when none does.")
    fence: int = Field(description="Fencing token; each process that takes it over adds 1.", examples=[1])
    lease_expire_time: Time | None = Field(
        description="When the hold ends unless the process says that it lives; absent when none holds it.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )
    checkpoint_time: Time | None = Field(
        description="When its state was kept last.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    create_time: Time | None = Field(description="When it was started.", examples=["2026-11-21T10:00:00.000000Z"])


class SearchPerformancesResponse(Out):
    """One page of performances."""

    performances: list[PerformanceStatus] = Field(description="Newest first.")
    next_page_token: str = Field(description="Asks for the page after this one; empty on the last.")


class SearchPerformancesQuery(In):
    """Which performances to find."""

    page_size: int | None = Field(default=None, description="At most so many, 1 to 1000; 0: 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty: the first page."
    )
    state: PerformanceState | None = Field(
        default=None, description="Only performances in this state; unspecified: in any."
    )


# What each RPC gives, by service and method.
DOCS: dict[str, str] = {
    "RealtimeService.CreatePerformance": "Starts a performance from an asset or from a saved session; answers at once. Its loop can be played as soon as it is READY; stems come later and nothing waits for them.",
    "RealtimeService.GetPerformance": "One performance, as its last checkpoint has it.",
    "RealtimeService.ListPerformances": "The artist's performances, newest first.",
    "RealtimeService.UpdatePerformance": "Changes a performance while it plays: another `asset` or `source_mode` swaps the source, `graph` turns knobs.",
    "RealtimeService.StopPerformance": "Ends a performance; it stays listed as STOPPED. Ending it again changes nothing.",
    "RealtimeService.DeletePerformance": "Ends a performance if it has not ended, and removes it.",
    "RealtimeService.CreateTicket": "A ticket that opens the socket of a performance once, within 60 s.",
    "RealtimeService.SavePerformance": "Keeps the performance as a saved session: graph, source, stems and playhead. No audio is copied.",
    "RealtimeService.ListEngines": "The engines that can be asked for and their knobs.",
    "RealtimeService.SearchPerformances": "Performances of all artists with who holds them, newest first. For operators.",
}
