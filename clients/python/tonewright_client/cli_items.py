"""The `tonewright items` commands: pairs of audio and caption, and the bulk work on them."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tonewright_client.client import ArtistHandle
from tonewright_client.models import EditCaptionsResponse, TrainingItem
from tonewright_client.shown import show_findings, show_readiness, show_run, titles_of
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
from tonewright_client.training_items import EditFields, ItemFields, SelectionFields

items = typer.Typer(invoke_without_command=True, help="Training items: pairs of audio and caption.")
_COLUMNS = ("id", "state", "display_name", "caption_source", "caption")
_Names = Annotated[list[str] | None, typer.Argument(metavar="ITEM…")]


class State(enum.StrEnum):
    """Where an item stands."""

    NEEDS_AUDIO = "needs-audio"
    NEEDS_PROMPT = "needs-prompt"
    READY = "ready"
    EXPORTED = "exported"
    FAILED = "failed"


@items.callback()
def choose(context: typer.Context) -> None:
    """Training items: pairs of audio and caption; without a verb they are listed."""
    if context.invoked_subcommand is None:
        list_items()


@items.command(name="list")
def list_items(
    state: Annotated[State | None, typer.Option(help="Only those in this state")] = None,
    query: Annotated[str, typer.Option(help="Only those whose title or caption holds this")] = "",
    source: Annotated[str, typer.Option(help="Only captions from there: generated, edited, manual, imported")] = "",
    live_set: Annotated[str, typer.Option(help="Only those of this Live Set")] = "",
) -> None:
    """List items, newest first."""
    with connect() as client:
        artist = chosen_artist(client)
        filters = {
            "state": state.replace("-", "_").upper() if state else "",
            "query": query,
            "caption_source": source.upper(),
            "live_set": artist.live_sets.full_name(live_set) if live_set else "",
        }
        show(artist.training_items.list(**{name: value for name, value in filters.items() if value}), *_COLUMNS)


@items.command()
def add(
    audio: Annotated[str, typer.Argument(metavar="FILE|ASSET", help="An audio file, or the name of an asset")],
    caption: Annotated[str, typer.Option(help="Its caption; can come later")] = "",
    live_set: Annotated[str, typer.Option(help="The Live Set behind it")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the audio, as CC-BY-4.0")] = "",
    consent_by: Annotated[str, typer.Option(help="Who allowed training on it")] = "",
    tempo: Annotated[float, typer.Option(help="Tempo in beats per minute")] = 0,
) -> None:
    """Make an item of a file or an asset."""
    with connect() as client:
        artist = chosen_artist(client)
        fields: dict[str, Any] = {
            "asset": _asset(artist, audio),
            "caption": caption,
            "live_set": artist.live_sets.full_name(live_set) if live_set else "",
            "licence": licence,
            "tempo_bpm": tempo,
            "consent": {"training_allowed": True, "given_by": consent_by} if consent_by else None,
        }
        given = cast(ItemFields, {name: value for name, value in fields.items() if value})
        show([artist.training_items.create(**given)], *_COLUMNS)


def _asset(artist: ArtistHandle, audio: str) -> str:
    path = Path(audio)
    if not path.is_file():
        return artist.assets.full_name(audio)
    with BytesBar(path.name) as on_bytes:
        return artist.assets.upload(path, on_bytes=on_bytes)["name"]


@items.command(name="show")
def show_item(name: Annotated[str, typer.Argument(metavar="ITEM")]) -> None:
    """Print an item with its findings and the captions that it has had."""
    with connect() as client:
        found = chosen_artist(client).training_items
        item, revisions = found.get(name), list(found.revisions(name))
    if gateway.as_json:
        show_json({**item, "revisions": revisions})
        return
    show([item], *_COLUMNS)
    if item["failure"]:
        errors.print(f"[red]failed:[/red] {item['failure']}", highlight=False, soft_wrap=True)
    if item["proposal"]:
        out.print(f"proposed: {item['proposal']['text']}", highlight=False, soft_wrap=True)
        show_findings(item["proposal"]["violations"])
    show_findings(item["findings"])
    show(revisions, "revision", "caption_source", "principal", "create_time", "caption")


@items.command(name="caption")
def set_caption(name: Annotated[str, typer.Argument(metavar="ITEM")], text: str) -> None:
    """Write an item's caption; refused with every rule that it breaks."""
    with connect() as client:
        found = chosen_artist(client).training_items
        show([found.update(found.get(name), caption=text)], *_COLUMNS)


@items.command()
def edit(
    names: _Names = None,
    prefix: Annotated[str, typer.Option(help="Text to put before each caption")] = "",
    suffix: Annotated[str, typer.Option(help="Text to put after it, before the tempo tag")] = "",
    find: Annotated[str, typer.Option(help="Text to replace")] = "",
    replace: Annotated[str, typer.Option(help="What takes its place; nothing removes it")] = "",
    tempo: Annotated[float, typer.Option(help="Tempo to write into the tag")] = 0,
    *,
    match_case: Annotated[bool, typer.Option("--match-case", help="Capitals must fit")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the outcome and keep nothing")] = False,
) -> None:
    """Change many captions by rule; of all items that have one, or of those named. Exits with 1 when one is refused."""
    edits: list[EditFields] = []
    if find:
        edits.append({"find_replace": {"find": find, "replace": replace, "match_case": match_case}})
    if prefix:
        edits.append({"prefix": prefix})
    if suffix:
        edits.append({"suffix": suffix})
    if tempo:
        edits.append({"tempo_bpm": tempo})
    if not edits:
        raise refuse("say what to change: --prefix, --suffix, --find with --replace, or --tempo")
    with connect() as client:
        artist = chosen_artist(client)
        found = artist.training_items.edit_captions(edits, selection=_chosen(artist, names), preview=dry_run)
    _show_edits(found, is_preview=dry_run)
    raise typer.Exit(1 if any(one["violations"] or one["conflict"] for one in found["results"]) else 0)


def _chosen(artist: ArtistHandle, names: Sequence[str] | None) -> SelectionFields:
    full = [artist.training_items.full_name(name) for name in names or ()]
    return {"training_items": full} if full else {}


def _show_edits(found: EditCaptionsResponse, *, is_preview: bool) -> None:
    if gateway.as_json:
        show_json(found)
        return
    rows = [
        {
            "item": short(one["training_item"]),
            "before": one["before"],
            "after": one["after"],
            "": "kept" if one["applied"] else "refused" if one["violations"] else one["conflict"] or "would be kept",
        }
        for one in found["results"]
    ]
    show(rows, "item", "before", "after", "")
    for one in found["results"]:
        show_findings([*one["violations"], *one["warnings"]], about=short(one["training_item"]))
    kept = sum(not one["violations"] and not one["conflict"] for one in found["results"])
    said = f"{kept} would be kept: run it again without --dry-run" if is_preview else f"{kept} kept"
    errors.print(f"{said}, {len(found['results']) - kept} refused, {found['unchanged_count']} stay as they are")


@items.command()
def write(
    names: _Names = None,
    hint: Annotated[str, typer.Option(help="What to do differently")] = "",
    template: Annotated[str, typer.Option(help="Version of the instruction; default: the approved one")] = "",
    *,
    rewrite: Annotated[bool, typer.Option("--rewrite", help="Also write anew what a model wrote before")] = False,
) -> None:
    """Write the missing captions, a few at a time; texts of people are never touched. Ctrl-C leaves it running."""
    with connect() as client:
        artist = chosen_artist(client)
        chosen = _chosen(artist, names)
        asked: dict[str, Any] = {"selection": chosen, "hint": hint, "prompt_version": template}
        run = {name: value for name, value in asked.items() if value}
        operation = artist.caption_runs.start(**run, rewrite_generated=rewrite)
        name = operation["metadata"]["target"]
        try:
            wait(artist, operation, "writing captions")
        except KeyboardInterrupt:
            errors.print(f"it goes on; stop it with `tonewright operations --cancel {short(operation['name'])}`")
            raise typer.Exit(130) from None
        found = artist.caption_runs.get(name)
    if gateway.as_json:
        show_json(found)
    else:
        show_run(found)
    raise typer.Exit(1 if found["proposed_count"] or found["failed_count"] else 0)


@items.command()
def match(files: Annotated[list[str], typer.Argument(metavar="FILE…")]) -> None:
    """Say which Live Set each file belongs to by its name; changes nothing."""
    with connect() as client:
        matches = chosen_artist(client).training_items.match_files([Path(file).name for file in files])
        show(matches, "file_name", "exact", "similarity", "live_set", "training_item")


@items.command()
def duplicates() -> None:
    """List groups of items that hold the same or nearly the same audio."""
    with connect() as client:
        show(chosen_artist(client).training_items.duplicates(), "likeness", "training_items")


@items.command()
def readiness(names: _Names = None) -> None:
    """Say whether the items make a dataset that can be trained on; exits with 1 when they do not."""
    with connect() as client:
        artist = chosen_artist(client)
        found = artist.training_items.readiness(_chosen(artist, names))
        titles = {} if gateway.as_json else titles_of(artist)
    if gateway.as_json:
        show_json(found)
    else:
        show_readiness(found, titles)
    raise typer.Exit(0 if found["ready"] else 1)


@items.command()
def restore(name: Annotated[str, typer.Argument(metavar="ITEM")], revision: int) -> None:
    """Make an earlier caption the current one again."""
    with connect() as client:
        show([chosen_artist(client).training_items.restore(name, revision)], *_COLUMNS)


@items.command()
def retry(names: Annotated[list[str], typer.Argument(metavar="ITEM…")]) -> None:
    """Take failed items back to where they stood."""
    with connect() as client:
        found = chosen_artist(client).training_items
        rows: list[TrainingItem] = [found.retry(name) for name in names]
        show(rows, *_COLUMNS)


@items.command()
def delete(names: Annotated[list[str], typer.Argument(metavar="ITEM…")]) -> None:
    """Delete items; snapshots and exports made before keep what they froze."""
    with connect() as client:
        found = chosen_artist(client).training_items
        for name in names:
            found.delete(name)
            errors.print(f"{name} is deleted", highlight=False, soft_wrap=True)
