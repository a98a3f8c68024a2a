"""The prompt service, as the home of captions, their rules, and Live Sets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from google.protobuf.json_format import MessageToDict

from chassis.channels import Channels
from chassis.errors import DeadlineExceeded, DependencyUnavailable, NotFound
from services.datasets.domain import jsontext
from services.datasets.domain.captions import (
    MAX_TEXT,
    CaptionCheck,
    CaptionVerdict,
    CaptionWish,
    LiveSetFacts,
    WrittenCaption,
)
from services.datasets.domain.findings import Finding, Severity
from tonewright.prompt.v1 import prompt_pb2 as pb
from tonewright.prompt.v1 import prompt_pb2_grpc

_AT_ONCE = 1000  # texts in one question
_QUESTION_BYTES = 3 << 20  # of the 4 MiB that a message may have
_READ_S, _WRITE_S = 10.0, 120.0
_CHECK_S, _CHECK_EACH_S = 10.0, 0.02  # one text, and each further one
_RAW_TEXT = 4000  # characters of an engine's own text that provenance keeps
_FEW = 50  # Live Sets that are read one by one
_WHOLE_NUMBERS = ("prompt_tokens", "completion_tokens", "latency_ms", "cost_usd_micros", "seed")


class PromptCaptions:
    """Captions and Live Sets of the current caller's artist, by gRPC.

    Args:
        channels: Where the prompt service is.
        check_s: Seconds that the check of one text may take.
    """

    def __init__(self, channels: Channels, *, check_s: float = _CHECK_S) -> None:
        self._channels, self._check_s = channels, check_s

    def batch_check(
        self, artist: str, checks: Sequence[CaptionCheck], *, compare_each_other: bool = False
    ) -> list[CaptionVerdict]:
        """A verdict for each text, in order; only texts of one question are compared with each other."""
        verdicts: list[CaptionVerdict] = []
        for part in _parts(checks):
            try:
                verdicts += self._ask(artist, part, compare_each_other=compare_each_other)
            except NotFound:
                # A Live Set that is gone has no tempo and no names any more; its texts are still looked at.
                there = self.live_sets(artist, {check.live_set for check in part if check.live_set})
                known = [check if check.live_set in there else replace(check, live_set="") for check in part]
                verdicts += self._ask(artist, known, compare_each_other=compare_each_other)
        return verdicts

    def _ask(self, artist: str, checks: Sequence[CaptionCheck], *, compare_each_other: bool) -> list[CaptionVerdict]:
        question = pb.BatchCheckCaptionsRequest(
            parent=f"artists/{artist}",
            requests=[_check(check) for check in checks],
            compare_each_other=compare_each_other,
        )
        with _answering("captions cannot be checked"):
            within_s = self._check_s + _CHECK_EACH_S * len(checks)
            answer = self._stub().BatchCheckCaptions(question, timeout=within_s)
        return [_verdict(found) for found in answer.responses]

    def get(self, name: str) -> WrittenCaption:
        """A caption that was written; raises NotFound when there is none."""
        with _answering("captions cannot be read"):
            return _written(self._stub().GetCaption(pb.GetCaptionRequest(name=name), timeout=_READ_S))

    def write(self, artist: str, wish: CaptionWish, request_id: str) -> WrittenCaption:
        """A new caption; the same request gives the same one."""
        request = pb.GenerateCaptionRequest(
            parent=f"artists/{artist}",
            live_set=wish.live_set,
            asset=wish.asset,
            hints=pb.CaptionHints(tempo_bpm=wish.tempo_bpm, key=wish.key, time_signature=wish.time_signature),
            prompt_version=wish.prompt_version,
            request_id=request_id,
            hint=wish.hint,
            siblings=wish.siblings,
        )
        with _answering("captions cannot be written"):
            return _written(self._stub().GenerateCaption(request, timeout=_WRITE_S))

    def live_sets(self, artist: str, names: Collection[str]) -> dict[str, LiveSetFacts]:
        """Facts of those that exist, by name; deleted ones among them as long as they can be read."""
        wanted, found = sorted(set(names)), dict[str, LiveSetFacts]()
        if len(wanted) > _FEW:
            found = {facts.name: facts for facts in self._all(artist, deleted=True) if facts.name in set(wanted)}
            wanted = []
        for name in wanted:
            request = pb.GetLiveSetRequest(name=name, view=pb.LIVE_SET_VIEW_BASIC)
            try:
                with _answering("Live Sets cannot be read"):
                    found[name] = _facts(self._stub().GetLiveSet(request, timeout=_READ_S))
            except NotFound:
                continue
        return found

    def all_live_sets(self, artist: str, *, limit: int) -> list[LiveSetFacts]:
        """Facts of the newest Live Sets, newest first."""
        found: list[LiveSetFacts] = []
        for facts in self._all(artist):
            if len(found) == limit:
                break
            found.append(facts)
        return found

    def _all(self, artist: str, *, deleted: bool = False) -> Iterator[LiveSetFacts]:
        token = ""
        while True:
            request = pb.ListLiveSetsRequest(
                parent=f"artists/{artist}", page_size=1000, page_token=token, show_deleted=deleted
            )
            with _answering("Live Sets cannot be read"):
                page = self._stub().ListLiveSets(request, timeout=_READ_S)
            yield from (_facts(live_set) for live_set in page.live_sets)
            token = page.next_page_token
            if not token:
                return

    def _stub(self) -> prompt_pb2_grpc.PromptServiceStub:
        return prompt_pb2_grpc.PromptServiceStub(self._channels.sync("prompt"))


@contextmanager
def _answering(consequence: str) -> Iterator[None]:
    """Say what does not work while the prompt service is away; what its own provider cannot do stays as it is told."""
    try:
        yield
    except (DependencyUnavailable, DeadlineExceeded) as error:
        if isinstance(error, DependencyUnavailable) and error.metadata.get("dependency") != "prompt":
            raise
        text = f"{consequence} at the moment, since the prompt service does not answer; repeat the request later"
        raise DependencyUnavailable("prompt", text, retry_after_s=5.0) from error


def _parts(checks: Sequence[CaptionCheck]) -> Iterator[list[CaptionCheck]]:
    part: list[CaptionCheck] = []
    size = 0
    for check in checks:
        weight = 200 + 4 * (len(check.text) + sum(map(len, check.siblings)))
        if part and (len(part) == _AT_ONCE or size + weight > _QUESTION_BYTES):
            yield part
            part, size = [], 0
        part.append(check)
        size += weight
    if part:
        yield part


def _check(check: CaptionCheck) -> pb.CheckCaptionRequest:
    return pb.CheckCaptionRequest(
        text=check.text[:MAX_TEXT], live_set=check.live_set, tempo_bpm=check.tempo_bpm, siblings=check.siblings
    )


def _verdict(found: pb.CheckCaptionResponse) -> CaptionVerdict:
    return CaptionVerdict(
        found.text, _findings(found.violations, Severity.ERROR), _findings(found.warnings, Severity.WARNING)
    )


def _findings(found: Iterable[pb.CaptionFinding], severity: Severity) -> tuple[Finding, ...]:
    return tuple(Finding(one.rule, one.description, severity=severity) for one in found)


def _written(caption: pb.Caption) -> WrittenCaption:
    return WrittenCaption(
        name=caption.name,
        text=caption.text,
        violations=_findings(caption.violations, Severity.ERROR),
        warnings=_findings(caption.warnings, Severity.WARNING),
        provenance=_provenance(caption),
        cost_usd_micros=caption.provenance.cost_usd_micros,
    )


def _provenance(caption: pb.Caption) -> dict[str, Any]:
    told: dict[str, Any] = jsontext.plain(MessageToDict(caption.provenance, preserving_proto_field_name=True))
    told |= {name: int(told[name]) for name in _WHOLE_NUMBERS if name in told}
    raw = str(told.get("raw_text", caption.text))[:_RAW_TEXT].replace("\x00", "")
    return told | {"caption": caption.name, "text": caption.text, "raw_text": raw}


def _facts(live_set: pb.LiveSet) -> LiveSetFacts:
    return LiveSetFacts(
        name=live_set.name,
        display_name=live_set.display_name,
        file_name=live_set.file_name,
        sha256=live_set.sha256,
        tempo_bpm=live_set.tempo_bpm,
        time_signature=live_set.time_signature,
        key=live_set.key,
    )
