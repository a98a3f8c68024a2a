"""Writing captions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from chassis.clock import Clock
from chassis.context import Caller
from chassis.ids import new_uid
from chassis.paging import Page
from services.prompt.domain.captions import Caption, CaptionRequest, Provenance, Retry, Usage
from services.prompt.domain.findings import Finding, Verdict
from services.prompt.domain.instructions import Instruction, ask_again, question
from services.prompt.domain.ports import AssetFacts, Assets, Run, Store, Task, Writer
from services.prompt.domain.profile_shape import digest
from services.prompt.domain.projection import SURE, project, tempo_of, without_empty
from services.prompt.domain.rules import check
from services.prompt.domain.tidying import tidy, without_tag
from services.prompt.use_cases.known import Known, find_known
from services.prompt.use_cases.repeats import already_made, fingerprint
from services.prompt.use_cases.templates import find_instruction

_METHOD = "GenerateCaption"


@dataclass(frozen=True, slots=True)
class _Draft:
    text: str
    raw_text: str
    verdict: Verdict

    @property
    def faults(self) -> tuple[int, bool]:
        """How bad it is, to be compared: rules broken, then whether it repeats another caption."""
        return len(self.verdict.violations), any(finding.rule == "P11" for finding in self.verdict.warnings)


@dataclass(frozen=True, slots=True)
class _Job:
    """A caption being written: what is asked, and what it is asked from."""

    task: Task
    known: Known
    tempo_source: str
    input_sha256: str


class Captions:
    """Captions of an artist; the waits for the writer sit in coroutines, the rows in `run`'s threads."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        assets: Assets,
        clock: Clock,
        run: Run,
        *,
        public_names: tuple[str, ...] = (),
    ) -> None:
        self._store = store
        self._writer = writer
        self._assets = assets
        self._clock = clock
        self._run = run
        self._public_names = public_names

    async def generate(self, caller: Caller, request: CaptionRequest) -> Caption:
        """The finished caption."""
        async with aclosing(self.stream(caller, request)) as steps:
            async for step in steps:
                if isinstance(step, Caption):
                    return step
        raise AssertionError("a stream of a caption ends with the caption")

    async def stream(self, caller: Caller, request: CaptionRequest) -> AsyncGenerator[str | Retry | Caption, None]:
        """Text as it comes, a `Retry` before each new attempt, and at last the caption.

        Raises:
            DependencyUnavailable: The writer or the sessions service cannot be reached.
            ModelBusy: The limits of this installation for the model are reached.
            OpenAiThrottled: The provider's are.
        """
        body = _body(request)
        earlier = await self._run(self._find_earlier, caller, request.request_id, body)
        if earlier is not None:
            yield earlier
            return
        job = await self._prepare(request)
        started_s, usage, drafts, task = self._clock.monotonic(), Usage(), list[_Draft](), job.task
        for attempt in range(1, self._writer.max_attempts + 1):
            raw = ""
            async with aclosing(self._writer.write(task)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Usage):
                        usage += piece
                    else:
                        raw += piece
                        yield piece
            drafts.append(await self._run(_judge, raw, task))
            faults = _worth_another(drafts[-1], task)
            if not faults:
                break
            if attempt < self._writer.max_attempts:
                yield Retry(attempt + 1, faults)
                task = _asked_again(task, raw, faults)
        best = min(reversed(drafts), key=lambda draft: draft.faults)
        latency_ms = round((self._clock.monotonic() - started_s) * 1000)
        provenance = self._provenance(caller, request, job, best, len(drafts), usage, latency_ms)
        yield await self._run(self._keep, caller, request, best, provenance, body)

    def get(self, artist: str, uid: str) -> Caption:
        """The caption."""
        with self._store.of_artist(artist, write=False) as transaction:
            return transaction.caption(artist, uid)

    def list(self, artist: str, size: int, token: str, *, live_set: str = "", asset: str = "") -> Page[Caption]:
        """The captions, newest first; only those of the named Live Set and asset, unless empty."""
        with self._store.of_artist(artist, write=False) as transaction:
            return transaction.captions(artist, size=size, token=token, live_set=live_set, asset=asset)

    async def _prepare(self, request: CaptionRequest) -> _Job:
        instruction: Instruction = await self._run(
            find_instruction, self._store, request.artist, request.prompt_version
        )
        known: Known = await self._run(find_known, self._store, request.artist, request.live_set, self._public_names)
        asset = await self._assets.find(request.asset) if request.asset else None
        job: _Job = await self._run(_job_of, request, instruction, known, asset)
        return job

    def _provenance(
        self,
        caller: Caller,
        request: CaptionRequest,
        job: _Job,
        best: _Draft,
        attempts: int,
        usage: Usage,
        latency_ms: int,
    ) -> Provenance:
        task, live_set = job.task, job.known.live_set
        return Provenance(
            engine=self._writer.engine,
            model=self._writer.model,
            prompt_version=task.instruction.version,
            temperature=self._writer.temperature(task.instruction),
            input_sha256=job.input_sha256,
            master_schema_sha256=job.known.profile.master_schema_sha256,
            live_set=live_set.name if live_set else "",
            asset=request.asset,
            raw_text=best.raw_text,
            attempts=attempts,
            usage=usage,
            latency_ms=latency_ms,
            generate_time=self._clock.now(),
            principal=caller.principal,
            cost_usd_micros=self._writer.cost_usd_micros(usage),
            variant=request.variant,
            hint=request.hint,
            tempo_bpm=task.tempo_bpm or 0.0,
            tempo_source=job.tempo_source,
            instruction_sha256=task.instruction.sha256,
            live_set_sha256=live_set.sha256 if live_set else "",
            seed=self._writer.seed_sent(task),
        )

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


def _body(request: CaptionRequest) -> str:
    """What tells two requests apart; siblings grow while a dataset is written and do not count."""
    parts: list[object] = [request.live_set, request.asset, request.hints, request.prompt_version]
    if request.hint or request.variant:
        parts += [request.hint, request.variant]
    return fingerprint(*parts)


def _job_of(request: CaptionRequest, instruction: Instruction, known: Known, asset: AssetFacts | None) -> _Job:
    tempo, source = _tempo(request, known, asset)
    context = known.rules(tempo, request.siblings)
    projection = project(
        master_schema=known.profile.master_schema,
        profile_notes=known.profile.notes,
        summary=known.summary,
        hints=request.hints,
        audio=_audio(asset),
        tempo_bpm=tempo,
        context=context,
        wish=request.hint,
    )
    sha256 = digest(projection)
    seed = (int(sha256[:7], 16) * 8 + request.variant) or 1  # below 2^31, another one for each variant
    messages = question(instruction, projection, tempo, request.variant)
    task = Task(instruction, messages, projection, tempo, context, request.variant, seed)
    return _Job(task, known, source, sha256)


def _tempo(request: CaptionRequest, known: Known, asset: AssetFacts | None) -> tuple[float | None, str]:
    """The tempo to end with and where it comes from: what a person says, then the Live Set, then the audio."""
    if request.hints.tempo_bpm:
        return request.hints.tempo_bpm, "hints"
    if (tempo := tempo_of(known.summary)) is not None:
        return tempo, "live_set"
    if asset is not None and asset.tempo_confidence >= SURE and 20 <= asset.tempo_bpm <= 999:
        return asset.tempo_bpm, "audio"
    return None, ""


def _audio(asset: AssetFacts | None) -> dict[str, object]:
    if asset is None:
        return {}
    is_sure = asset.key_confidence >= SURE
    return without_empty({"seconds": round(asset.duration_s, 1), "key": asset.key if is_sure else ""})


def _judge(raw: str, task: Task) -> _Draft:
    text, _fixes = tidy(raw)
    if task.tempo_bpm is None:  # a writer may make a tempo up; the missing tag is left to a person who knows it
        text = without_tag(text)
    return _Draft(text, raw, check(text, task.context))


def _worth_another(draft: _Draft, task: Task) -> tuple[Finding, ...]:
    """What the writer is asked to do better: every violation that it can mend, and repeating another caption."""
    violations = [v for v in draft.verdict.violations if task.tempo_bpm or v.rule != "P4"]
    return (*violations, *(warning for warning in draft.verdict.warnings if warning.rule == "P11"))


def _asked_again(task: Task, raw: str, faults: tuple[Finding, ...]) -> Task:
    messages = ask_again(task.messages, raw, faults, task.context)
    return Task(task.instruction, messages, task.projection, task.tempo_bpm, task.context, task.variant, task.seed)
