"""Caption runs, edits of many captions, and what checks say, as messages and back."""

from __future__ import annotations

from chassis.errors import AppError, Code, by_code, require
from chassis.ids import format_name
from chassis.operations import JobView
from services.datasets.api.item_messages import selection, to_finding
from services.datasets.api.shared import ERROR_CODES, failure, stamp, status_of
from services.datasets.domain import caption_runs, items
from services.datasets.domain.caption_edits import Edit, EditOutcome, FindReplace, Prefix, Suffix, Tempo
from services.datasets.domain.caption_runs import CaptionRun, Entry
from services.datasets.domain.duplicates import DuplicateGroup
from services.datasets.domain.export_rules import MIN_PAIRS
from services.datasets.domain.readiness import Readiness
from services.datasets.use_cases.caption_runs import RunWish
from services.datasets.use_cases.matching import FileMatch
from tonewright.datasets.v1 import datasets_pb2 as pb


def run_wish(message: pb.CaptionRun, artist: str) -> RunWish:
    """What a caller wants captions written for."""
    return RunWish(
        selection=selection(message.selection, artist),
        prompt_version=message.prompt_version,
        hint=message.hint,
        rewrite_generated=message.rewrite_generated,
    )


def to_run(run: CaptionRun, entries: list[Entry] | None = None) -> pb.CaptionRun:
    """The run as a message."""
    failed = run.state.value == "FAILED"
    return pb.CaptionRun(
        name=run.name,
        prompt_version=run.prompt_version,
        hint=run.hint,
        rewrite_generated=run.rewrite_generated,
        state=pb.CaptionRun.State.Value(f"STATE_{run.state.value}"),
        progress_percent=run.progress_percent,
        item_count=run.item_count,
        accepted_count=run.accepted_count,
        proposed_count=run.proposed_count,
        skipped_count=run.skipped_count,
        failed_count=run.failed_count,
        results=[_to_result(run.artist, entry) for entry in entries or ()],
        cost_usd_micros=run.cost_usd_micros,
        error=failure(run.error_reason, run.error_message) if failed else None,
        create_time=stamp(run.create_time),
        update_time=stamp(run.update_time),
        end_time=stamp(run.end_time),
        etag=run.etag,
    )


def _to_result(artist: str, entry: Entry) -> pb.CaptionRun.Result:
    error: AppError | None = None
    if entry.error_code:
        error = by_code(Code[entry.error_code])(entry.error_message)
        error.reason, error.domain = entry.error_reason, "prompt.tonewright.dev"
    return pb.CaptionRun.Result(
        training_item=format_name(items.NAME, artist=artist, training_item=entry.item_uid),
        outcome=pb.CaptionRun.Result.Outcome.Value(f"OUTCOME_{entry.outcome.value or 'UNSPECIFIED'}"),
        caption=entry.caption,
        error=status_of(error) if error else None,
    )


def run_view(run: CaptionRun) -> JobView:
    """The run as a piece of long work."""
    return JobView(
        uid=run.uid,
        artist=run.artist,
        collection=caption_runs.COLLECTION,
        target=run.name,
        state=run.state.value,
        create_time=run.create_time,
        update_time=run.update_time,
        progress_percent=run.progress_percent,
        stage=run.stage,
        eta_s=run.eta_s,
        end_time=run.end_time,
        attempt=run.attempt,
        error_reason=run.error_reason,
        error_message=run.error_message,
        error_code=ERROR_CODES.get(run.error_reason, "INTERNAL"),
    )


def edits_of(messages: list[pb.CaptionEdit]) -> list[Edit]:
    """What a caller wants changed, in order."""
    return [_edit(message, f"edits[{index}]") for index, message in enumerate(messages)]


def _edit(message: pb.CaptionEdit, field: str) -> Edit:
    kind = message.WhichOneof("edit")
    require(kind is not None, field, "one of prefix, suffix, find_replace, tempo_bpm")
    if kind == "prefix":
        return Prefix(message.prefix)
    if kind == "suffix":
        return Suffix(message.suffix)
    if kind == "tempo_bpm":
        return Tempo(message.tempo_bpm)
    return FindReplace(message.find_replace.find, message.find_replace.replace, message.find_replace.match_case)


def to_edit_result(outcome: EditOutcome) -> pb.EditCaptionsResponse.Result:
    """What becomes of one caption, as a message."""
    return pb.EditCaptionsResponse.Result(
        training_item=outcome.item_name,
        before=outcome.before,
        after=outcome.after,
        violations=[to_finding(finding) for finding in outcome.violations],
        warnings=[to_finding(finding) for finding in outcome.warnings],
        applied=outcome.applied,
        conflict=outcome.conflict,
    )


def to_match(match: FileMatch) -> pb.MatchFilesResponse.Match:
    """What a file belongs to, as a message."""
    return pb.MatchFilesResponse.Match(
        file_name=match.file_name,
        live_set=match.live_set,
        training_item=match.training_item,
        similarity=match.similarity,
        exact=match.exact,
    )


def to_group(artist: str, group: DuplicateGroup) -> pb.ListDuplicateGroupsResponse.Group:
    """Items with the same audio, as a message."""
    kinds = pb.ListDuplicateGroupsResponse.Group
    return kinds(
        likeness=kinds.Likeness.Value(f"LIKENESS_{group.likeness.value}"),
        training_items=[format_name(items.NAME, artist=artist, training_item=uid) for uid in group.item_uids],
    )


def to_readiness(found: Readiness) -> pb.Readiness:
    """Whether items can be trained on, as a message."""
    return pb.Readiness(
        ready=found.ready,
        pair_count=found.pair_count,
        min_pairs=MIN_PAIRS,
        duration_s=found.duration_s,
        items_by_state={state.value: count for state, count in found.items_by_state.items()},
        findings=[to_finding(finding) for finding in found.findings],
    )
