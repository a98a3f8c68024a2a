"""The `tonewright snapshots` and `exports` commands: frozen datasets, and archives of them."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tonewright_client.assignments import AssignmentInvalid, assigned
from tonewright_client.client import ArtistHandle
from tonewright_client.exports import ExportChoices
from tonewright_client.models import Export, ExportFormat
from tonewright_client.shown import clock, show_findings, titles_of
from tonewright_client.terminal import (
    BytesBar,
    chosen_artist,
    connect,
    errors,
    gateway,
    out,
    refuse,
    short,
    show,
    show_json,
    wait,
)
from tonewright_client.training_items import SelectionFields

snapshots = typer.Typer(invoke_without_command=True, help="Snapshots: training items, frozen.")
exports = typer.Typer(invoke_without_command=True, help="Exports: archives in the format of a trainer.")
_SNAPSHOT_COLUMNS = ("id", "display_name", "item_count", "duration_s", "content_sha256", "create_time")
_EXPORT_COLUMNS = ("id", "display_name", "format", "state", "item_count", "chunk_count", "size_bytes", "file_name")
Choices = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", metavar="NAME=VALUE", help="As audio_mode=normalised, cut=true, trigger=, suffix="),
]
_Items = Annotated[list[str] | None, typer.Option("--item", help="Only this item; can be given many times")]


class Format(enum.StrEnum):
    """What an archive looks like inside."""

    REPLICATE_MUSICGEN = "replicate-musicgen"
    AUDIOCRAFT = "audiocraft"
    HF_AUDIOFOLDER = "hf-audiofolder"
    ACESTEP_V1 = "acestep-v1"
    ACESTEP_15 = "acestep-15"
    STABLE_AUDIO = "stable-audio"
    PAIRED_TEXT = "paired-text"
    MUSICGEN_TRAINER = "musicgen-trainer"
    MUSICGEN_DREAMBOOTH = "musicgen-dreambooth"
    WEBDATASET = "webdataset"


@snapshots.callback()
def choose_snapshot(context: typer.Context) -> None:
    """Snapshots: training items, frozen; without a verb they are listed."""
    if context.invoked_subcommand is None:
        list_snapshots()


@snapshots.command(name="list")
def list_snapshots() -> None:
    """List snapshots, newest first."""
    with connect() as client:
        show(chosen_artist(client).snapshots.list(), *_SNAPSHOT_COLUMNS)


@snapshots.command(name="create")
def create_snapshot(
    names: Annotated[list[str] | None, typer.Argument(metavar="ITEM…", help="Default: all that are ready")] = None,
    title: Annotated[str, typer.Option(help="Title for people")] = "",
    new_since: Annotated[str, typer.Option(help="Leave out what this snapshot holds as it is now")] = "",
) -> None:
    """Freeze items as they are now."""
    with connect() as client:
        artist = chosen_artist(client)
        made = artist.snapshots.create(selection=_selection(artist, names, new_since), display_name=title)
        titles = {} if gateway.as_json else titles_of(artist)
    show([made], *_SNAPSHOT_COLUMNS)
    if not gateway.as_json:
        show_findings(made["findings"], titles=titles)


def _selection(artist: ArtistHandle, names: list[str] | None, new_since: str) -> SelectionFields:
    found: SelectionFields = {}
    if names:
        found["training_items"] = [artist.training_items.full_name(name) for name in names]
    if new_since:
        found["new_since"] = artist.snapshots.full_name(new_since)
    return found


@snapshots.command(name="show")
def show_snapshot(name: Annotated[str, typer.Argument(metavar="SNAPSHOT")]) -> None:
    """Print what a snapshot holds."""
    with connect() as client:
        found = chosen_artist(client).snapshots
        snapshot, members = found.get(name), list(found.members(name))
    if gateway.as_json:
        show_json({**snapshot, "members": members})
        return
    show([snapshot], *_SNAPSHOT_COLUMNS)
    show(members, "position", "display_name", "tempo_bpm", "key", "licence", "caption_source", "caption")
    titles = {member["training_item"]: member["display_name"] for member in members}
    show_findings(snapshot["findings"], titles=titles)


@snapshots.command(name="delete")
def delete_snapshot(name: Annotated[str, typer.Argument(metavar="SNAPSHOT")]) -> None:
    """Delete a snapshot that no export and no training uses."""
    with connect() as client:
        chosen_artist(client).snapshots.delete(name)
        errors.print(f"{name} is deleted", highlight=False, soft_wrap=True)


@exports.callback()
def choose_export(context: typer.Context) -> None:
    """Exports: archives in the format of a trainer; without a verb they are listed."""
    if context.invoked_subcommand is None:
        list_exports()


@exports.command(name="list")
def list_exports() -> None:
    """List exports, newest first."""
    with connect() as client:
        show(chosen_artist(client).exports.list(), *_EXPORT_COLUMNS)


@exports.command(name="create")
def create_export(
    snapshot: Annotated[str, typer.Option(help="Snapshot to make it of; default: every item that is ready")] = "",
    names: _Items = None,
    file_format: Annotated[Format, typer.Option("--format", help="For which trainer")] = Format.REPLICATE_MUSICGEN,
    choices: Choices = None,
    title: Annotated[str, typer.Option(help="Title, and stem of the file's name")] = "",
    target: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Also download it to this file")] = None,
) -> None:
    """Build an archive. Ctrl-C leaves it running."""
    options = export_choices(choices)
    with connect() as client:
        artist = chosen_artist(client)
        asked: dict[str, Any] = {
            "display_name": title,
            "format": cast(ExportFormat, file_format.replace("-", "_").upper()),
            "options": options,
            "snapshot": artist.snapshots.full_name(snapshot) if snapshot else "",
            "selection": _selection(artist, names, ""),
        }
        operation = artist.exports.start(**{name: value for name, value in asked.items() if value})
        try:
            finished = cast(Export, wait(artist, operation, "exporting"))
        except KeyboardInterrupt:
            errors.print(f"it goes on; stop it with `tonewright operations --cancel {short(operation['name'])}`")
            raise typer.Exit(130) from None
        if target:
            _download(artist, finished["name"], target)
        titles = {} if gateway.as_json else titles_of(artist)
    show([finished], *_EXPORT_COLUMNS)
    if not gateway.as_json:
        show_findings(finished["findings"], titles=titles)


def export_choices(pairs: list[str] | None) -> ExportChoices:
    """The options of an export from `name=value` pairs; the command ends when one is wrong."""
    try:
        return cast(ExportChoices, assigned(pairs or (), ExportChoices))
    except AssignmentInvalid as fault:
        raise refuse(str(fault)) from None


@exports.command(name="show")
def show_export(name: Annotated[str, typer.Argument(metavar="EXPORT")]) -> None:
    """Print an export with its findings."""
    with connect() as client:
        artist = chosen_artist(client)
        found = artist.exports.get(name)
        titles = {} if gateway.as_json else titles_of(artist)
    if gateway.as_json:
        show_json(found)
        return
    show([found], *_EXPORT_COLUMNS)
    out.print(f"{clock(found['duration_s'])} of audio, made of {found['snapshot'] or 'a selection'}", soft_wrap=True)
    show_findings(found["findings"], titles=titles)
    if found["error"]:
        errors.print(f"[red]{found['error']['reason']}:[/red] {found['error']['message']}", soft_wrap=True)


@exports.command()
def files(name: Annotated[str, typer.Argument(metavar="EXPORT")]) -> None:
    """List the files of an archive with what was done to each."""
    with connect() as client:
        found = chosen_artist(client).exports.files(name)
        show(found, "path", "size_bytes", "duration_s", "start_s", "conversion", "training_item")


@exports.command()
def download(
    name: Annotated[str, typer.Argument(metavar="EXPORT")],
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it")],
) -> None:
    """Download an archive and check every byte; after a broken line the same command goes on where it stopped."""
    with connect() as client:
        out.print(str(_download(chosen_artist(client), name, target)), soft_wrap=True)


def _download(artist: ArtistHandle, name: str, target: Path) -> Path:
    with BytesBar(target.name) as on_bytes:
        return artist.exports.download(name, target, on_bytes=on_bytes)


@exports.command()
def link(name: Annotated[str, typer.Argument(metavar="EXPORT")]) -> None:
    """Print an address that gives the archive without a key until it expires."""
    with connect() as client:
        out.print(chosen_artist(client).exports.link(name), soft_wrap=True, highlight=False)


@exports.command()
def cancel(name: Annotated[str, typer.Argument(metavar="EXPORT")]) -> None:
    """Stop an export that has not finished."""
    with connect() as client:
        show([chosen_artist(client).exports.cancel(name)], *_EXPORT_COLUMNS)


@exports.command(name="delete")
def delete_export(name: Annotated[str, typer.Argument(metavar="EXPORT")]) -> None:
    """Delete an export that has ended."""
    with connect() as client:
        chosen_artist(client).exports.delete(name)
        errors.print(f"{name} is deleted", highlight=False, soft_wrap=True)
