"""When which part of the loop is painted: just ahead of the playhead, and only until all of it sounds as asked."""

from __future__ import annotations

from dataclasses import dataclass

RATE_HZ = 48_000
CHANNELS = 2
ALIGN_FRAMES = 9_600  # 0.2 s: the grid of generative engines, kept so that every engine can take over a loop
SLICE_FRAMES = 17_280  # 0.36 s
FADE_FRAMES = 1_200  # 25 ms


@dataclass(frozen=True, slots=True)
class Slice:
    """A region to paint.

    `start_frames` counts on from the first pass through the loop and never wraps.
    """

    start_frames: int
    frame_count: int
    fade_frames: int
    fades_in: bool  # from what was there; otherwise it goes on where the slice before it ended
    revision: int
    due_s: float


class Playhead:
    """Where the audible playhead is: the last report, carried on by the clock."""

    def __init__(self, frame_count: int, now_s: float, at_frames: int = 0) -> None:
        self._frame_count = frame_count
        self._anchor_frames = float(at_frames)
        self._anchor_s = now_s
        self.is_playing = False

    def frames(self, now_s: float) -> int:
        """Frames since the start of the first pass; never wraps."""
        moved = (now_s - self._anchor_s) * RATE_HZ if self.is_playing else 0.0
        return int(self._anchor_frames + moved)

    def in_loop(self, now_s: float) -> int:
        """The frame of the loop that is audible now."""
        return self.frames(now_s) % self._frame_count

    def report(self, at_frames: int, now_s: float, *, is_playing: bool) -> int:
        """Take a report over; gives the distance to what was believed, the shorter way round, in frames."""
        believed = self.frames(now_s)
        if at_frames < 0:
            moved = 0
        else:
            half = self._frame_count // 2
            moved = (at_frames - believed + half) % self._frame_count - half
        self._anchor_frames, self._anchor_s, self.is_playing = float(believed + moved), now_s, is_playing
        return moved


class Painter:
    """Chooses the next region to paint and knows when it is due and when it came too late."""

    def __init__(self, frame_count: int, now_s: float, *, lead_frames: int = RATE_HZ // 2, at_frames: int = 0) -> None:
        self.frame_count = frame_count
        self.playhead = Playhead(frame_count, now_s, at_frames)
        self.revision = 0
        self.painted_slices = 0
        self.missed_deadlines = 0
        self._lead_frames = lead_frames
        self._slice_frames = min(SLICE_FRAMES, frame_count)
        self._fade_frames = min(FADE_FRAMES, self._slice_frames // 4)
        self._next_frames = 0
        self._left_frames = 0  # 0: the whole loop sounds as asked
        self._fades_in = True

    @property
    def is_settled(self) -> bool:
        """Whether the whole loop sounds as asked."""
        return self._left_frames <= 0

    def repaint(self, now_s: float) -> None:
        """Something changed: paint one whole pass again, from just ahead of the playhead."""
        self.revision += 1
        self._begin_pass(now_s)

    def report(self, at_frames: int, now_s: float, *, is_playing: bool) -> None:
        """The client says where its playhead is; a jump moves the work there."""
        moved = self.playhead.report(at_frames, now_s, is_playing=is_playing)
        if abs(moved) > self._lead_frames // 2 and not self.is_settled:
            self._begin_pass(now_s)

    def due_s(self, now_s: float) -> float | None:
        """When the next region should be painted; None: nothing to do until something changes."""
        if self.is_settled:
            return None
        early = self._next_frames - self._lead_frames - self.playhead.frames(now_s)
        if early <= 0:
            return now_s
        return now_s + early / RATE_HZ if self.playhead.is_playing else None

    def next_slice(self, now_s: float) -> Slice:
        """The region to paint now."""
        return Slice(
            start_frames=self._next_frames,
            frame_count=self._slice_frames,
            fade_frames=self._fade_frames,
            fades_in=self._fades_in,
            revision=self.revision,
            due_s=now_s,
        )

    def deadline_frames(self, now_s: float) -> int:
        """Frames left until the playhead reaches the next region; the smallest is the most urgent."""
        return self._next_frames - self.playhead.frames(now_s)

    def painted(self, done: Slice, now_s: float) -> bool:
        """Take note of a painted region; gives whether the playhead had not reached it."""
        self.painted_slices += 1
        in_time = self.playhead.frames(now_s) <= done.start_frames
        self.missed_deadlines += not in_time
        if done.revision != self.revision or done.start_frames != self._next_frames:
            return in_time  # the work has moved elsewhere meanwhile
        if not in_time:
            self._begin_pass(now_s)  # what was skipped is painted when it comes round again
            return False
        advance = self._slice_frames - self._fade_frames
        self._next_frames += advance
        self._left_frames -= advance
        self._fades_in = False
        return True

    def _begin_pass(self, now_s: float) -> None:
        self._next_frames = self.playhead.frames(now_s) + self._lead_frames
        self._left_frames = self.frame_count + self._fade_frames
        self._fades_in = True
