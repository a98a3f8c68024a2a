"""Exports and builds as operations."""

from __future__ import annotations

from chassis.operations import JobView, OperationSource
from services.datasets.api import export_messages, text_messages
from services.datasets.api.caption_runs import run_source
from services.datasets.api.shared import ERROR_CODES
from services.datasets.domain import exports, training_files
from services.datasets.domain.exports import Export
from services.datasets.domain.training_files import Version
from services.datasets.use_cases.caption_runs import CaptionRuns
from services.datasets.use_cases.exports import ExportDesk
from services.datasets.use_cases.training_files import TrainingFiles


def export_view(export: Export) -> JobView:
    """The export as a piece of long work."""
    return _view(export, exports.COLLECTION, export.name)


def build_view(version: Version) -> JobView:
    """The version as a piece of long work whose target is the training file."""
    return _view(version, training_files.COLLECTION, version.name.partition("/versions/")[0])


def _view(row: Export | Version, collection: str, target: str) -> JobView:
    return JobView(
        uid=row.uid,
        artist=row.artist,
        collection=collection,
        target=target,
        state=row.state.value,
        create_time=row.create_time,
        update_time=row.update_time,
        progress_percent=row.progress_percent,
        stage=row.stage,
        eta_s=row.eta_s,
        end_time=row.end_time,
        attempt=row.attempt,
        error_reason=row.error_reason,
        error_message=row.error_message,
        error_code=ERROR_CODES.get(row.error_reason, "INTERNAL"),
    )


def operation_sources(export_desk: ExportDesk, files: TrainingFiles, runs: CaptionRuns) -> dict[str, OperationSource]:
    """Where operations come from, by collection."""

    def list_exports(artist: str, size: int, token: str) -> tuple[list[JobView], str]:
        page = export_desk.page(artist, size=size, token=token)
        return [export_view(export) for export in page.items], page.next_page_token

    return {
        **run_source(runs),
        exports.COLLECTION: OperationSource(
            get=lambda artist, uid: export_view(export_desk.get(artist, uid)),
            cancel=export_desk.cancel,
            response=lambda view: export_messages.to_export(export_desk.get(view.artist, view.uid)),
            list=list_exports,
        ),
        training_files.COLLECTION: OperationSource(
            get=lambda artist, uid: build_view(files.build(artist, uid)),
            cancel=files.cancel,
            response=lambda view: text_messages.to_file(files.get(view.artist, view.target.rpartition("/")[2])),
        ),
    }
