"""Writing and checking captions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.clock import Clock
from chassis.context import Caller
from chassis.errors import require
from chassis.ids import new_uid
from chassis.paging import Page
from services.prompt.domain.artists import Artist, Profile
from services.prompt.domain.captions import Caption, CaptionRequest, Provenance, Retry, Usage
from services.prompt.domain.instructions import ask_again, find_instruction, question
from services.prompt.domain.ports import Assets, Run, Store, Task, Writer
from services.prompt.domain.profile_shape import digest
from services.prompt.domain.projection import project, tempo_of
from services.prompt.domain.rules import Finding, RuleContext, Verdict, check, context_of, tidy, without_tag
from services.prompt.use_cases.repeats import already_made, fingerprint

_METHOD = "GenerateCaption"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an artist and a Live Set."""

    artist: Artist
    profile: Profile
    summary: Mapping[str, Any]

    def rules(self, tempo_bpm: float | None, siblings: Sequence[str] = ()) -> RuleContext:
        """What a caption of this artist is checked against."""
        return context_of(
            tempo_bpm=tempo_bpm,
            master_schema=self.profile.master_schema,
            summary=self.summary,
            artist_names=[self.artist.display_name, self.profile.display_name],
            siblings=siblings,
        )


@dataclass(frozen=True, slots=True)
class _Draft:
    text: str
    raw_text: str
    verdict: Verdict


class Captions:
    """Captions of an artist; the waits for the writer sit in coroutines, the rows in `run`'s threads."""

    def __init__(self, store: Store, writer: Writer, assets: Assets, clock: Clock, run: Run) -> None:
        self._store = store
        self._writer = writer
        self._assets = assets
        self._clock = clock
        self._run = run

    async def generate(self, caller: Caller, request: CaptionRequest) -> Caption:
        """The finished caption."""
        async for step in self.stream(caller, request):
            if isinstance(step, Caption):
                return step
        raise AssertionError("a stream of a caption ends with the caption")

    async def stream(self, caller: Caller, request: CaptionRequest) -> AsyncIterator[str | Retry | Caption]:
        """Text as it comes, a `Retry` before each new attempt, and at last the caption.

        Raises:
            DependencyUnavailable: The writer or the sessions service cannot be reached.
        """
        body = fingerprint(request.live_set, request.asset, request.hints, request.prompt_version)
        known = await self._run(self._find_earlier, caller, request.request_id, body)
        if known is not None:
            yield known
            return
        task, written_from = await self._prepare(request)
        started_s, usage, drafts = self._clock.monotonic(), Usage(), list[_Draft]()
        messages = task.messages
        for attempt in range(1, self._writer.max_attempts + 1):
            raw = ""
            async for piece in self._writer.write(
                Task(task.instruction, messages, task.projection, task.tempo_bpm, task.context)
            ):
                if isinstance(piece, Usage):
                    usage += piece
                else:
                    raw += piece
                    yield piece
            drafts.append(_judge(raw, task))
            violations = tuple(v for v in drafts[-1].verdict.violations if task.tempo_bpm or v.rule != "P4")
            if not violations:
                break
            if attempt < self._writer.max_attempts:
                yield Retry(attempt + 1, violations)
                messages = ask_again(messages, raw, violations)
        best = min(reversed(drafts), key=lambda draft: len(draft.verdict.violations))
        provenance = Provenance(
            engine=self._writer.engine,
            model=self._writer.model,
            prompt_version=task.instruction.version,
            temperature=self._writer.temperature(task.instruction),
            input_sha256=digest(task.projection),
            master_schema_sha256=written_from.profile.master_schema_sha256,
            live_set=f"artists/{request.artist}/live-sets/{request.live_set}" if request.live_set else "",
            asset=request.asset,
            raw_text=best.raw_text,
            attempts=len(drafts),
            usage=usage,
            latency_ms=round((self._clock.monotonic() - started_s) * 1000),
            generate_time=self._clock.now(),
            principal=caller.principal,
        )
        yield await self._run(self._keep, caller, request, best, provenance, body)

    def check(
        self, artist: str, text: str, live_set: str, tempo_bpm: float | None, siblings: Sequence[str]
    ) -> tuple[str, Verdict, list[Finding]]:
        """The mended text, what the rules say of it, and what was mended."""
        require(len(text) <= 10_000, "text", "at most 10,000 characters")
        require(len(siblings) <= 1000, "siblings", "at most 1,000 captions")
        require(tempo_bpm is None or 20 <= tempo_bpm <= 999, "tempo_bpm", "20 to 999, or 0 for the Live Set's")
        known = self._known(artist, live_set)
        mended, fixes = tidy(text)
        tempo = tempo_bpm or tempo_of(known.summary)
        return mended, check(mended, known.rules(tempo, siblings)), fixes

    def get(self, artist: str, uid: str) -> Caption:
        """The caption."""
        with self._store.of_artist(artist, write=False) as transaction:
            return transaction.caption(artist, uid)

    def list(self, artist: str, size: int, token: str) -> Page[Caption]:
        """The captions, newest first."""
        with self._store.of_artist(artist, write=False) as transaction:
            return transaction.captions(artist, size=size, token=token)

    async def _prepare(self, request: CaptionRequest) -> tuple[Task, Known]:
        instruction = find_instruction(request.prompt_version)
        known: Known = await self._run(self._known, request.artist, request.live_set)
        tempo = request.hints.tempo_bpm or tempo_of(known.summary)
        asset = await self._assets.find(request.asset) if request.asset else None
        projection = project(
            master_schema=known.profile.master_schema,
            profile_notes=known.profile.notes,
            summary=known.summary,
            hints=request.hints,
            asset_duration_s=asset.duration_s if asset else None,
        )
        messages = question(instruction, projection, tempo)
        return Task(instruction, messages, projection, tempo, known.rules(tempo)), known

    def _known(self, artist: str, live_set: str) -> Known:
        with self._store.of_artist(artist, write=False) as transaction:
            profile = transaction.profile(artist)
            summary = transaction.live_set(artist, live_set).summary if live_set else {}
            return Known(transaction.artist(artist), profile, summary)

    def _find_earlier(self, caller: Caller, request_id: str, body: str) -> Caption | None:
        known = already_made(self._store, caller, _METHOD, request_id, body) if request_id else None
        return self.get(caller.artist, known.rpartition("/")[2]) if known else None

    def _keep(
        self, caller: Caller, request: CaptionRequest, draft: _Draft, provenance: Provenance, body: str
    ) -> Caption:
        caption = Caption(
            artist=request.artist,
            uid=new_uid(),
            text=draft.text,
            violations=draft.verdict.violations,
            warnings=draft.verdict.warnings,
            provenance=provenance,
            create_time=self._clock.now(),
        )
        with self._store.of_artist(request.artist) as transaction:
            known = transaction.once(caller, _METHOD, request.request_id, body, caption.name)
            if known is not None:  # a twin of this request was faster
                return transaction.caption(request.artist, known.rpartition("/")[2])
            transaction.add_caption(caption)
            return caption


def _judge(raw: str, task: Task) -> _Draft:
    text, _fixes = tidy(raw)
    if task.tempo_bpm is None:  # a writer may make a tempo up; the missing tag is left to a person who knows it
        text = without_tag(text)
    return _Draft(text, raw, check(text, task.context))
