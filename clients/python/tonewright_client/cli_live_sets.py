"""The `tonewright live-sets` commands: upload, import, read, draw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tonewright_client.models import ImportLiveSetsResponse, LiveSet
from tonewright_client.pictures import draw_timeline
from tonewright_client.terminal import chosen_artist, connect, errors, gateway, out, refuse, show, show_json
from tonewright_client.waveforms import PicturesUnavailable, require_pictures

live_sets = typer.Typer(invoke_without_command=True, help="Ableton Live Sets: upload, import, read, draw.")
_COLUMNS = ("id", "display_name", "project_name", "tempo_bpm", "time_signature", "key", "track_count", "clip_count")


@live_sets.callback()
def choose(context: typer.Context) -> None:
    """Ableton Live Sets: upload, import, read, draw; without a verb they are listed."""
    if context.invoked_subcommand is None:
        list_live_sets()


@live_sets.command(name="list")
def list_live_sets(
    query: Annotated[str, typer.Option(help="Only those whose name, file or project holds this")] = "",
) -> None:
    """List Live Sets, newest first."""
    with connect() as client:
        show(chosen_artist(client).live_sets.list(**({"query": query} if query else {})), *_COLUMNS)


@live_sets.command()
def upload(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", exists=True, dir_okay=False, help=".als, Live 8 to 12")
    ],
    project: Annotated[str, typer.Option(help="Name of the Live project")] = "",
) -> None:
    """Read Live Sets and print what is in them."""
    with connect() as client:
        artist = chosen_artist(client)
        show([artist.live_sets.upload(file, project_name=project) for file in files], *_COLUMNS)


@live_sets.command(name="import")
def import_(
    source: Annotated[Path, typer.Argument(metavar="FOLDER|ZIP", exists=True, help="Of a project, or a zip of one")],
    project: Annotated[str, typer.Option(help="Name of the Live project; default: each file's folder")] = "",
) -> None:
    """Read every Live Set of a folder or zip; exits with 1 when one was refused."""
    with connect() as client:
        sets = chosen_artist(client).live_sets
        try:
            reader = sets.import_folder if source.is_dir() else sets.import_zip
            found = reader(source, project_name=project)
        except FileNotFoundError as fault:
            raise refuse(str(fault)) from None
    _show_import(found)
    raise typer.Exit(1 if any(result["reason"] for result in found["results"]) else 0)


def _show_import(found: ImportLiveSetsResponse) -> None:
    if gateway.as_json:
        show_json(found)
        return
    rows: list[dict[str, object]] = [
        {
            "file": result["path"],
            "result": result["reason"] or ("already there" if result["already_there"] else "read"),
            **dict(result["live_set"] or {}),
        }
        for result in found["results"]
    ]
    show(rows, "file", "result", "id", "tempo_bpm", "time_signature", "key", "track_count")
    for result in found["results"]:
        if result["reason"]:
            errors.print(f"[red]{result['path']}:[/red] {result['message']}", highlight=False, soft_wrap=True)
    if found["ignored_count"]:
        errors.print(f"{found['ignored_count']} other files were left out")


@live_sets.command(name="show")
def show_live_set(name: Annotated[str, typer.Argument(metavar="LIVE-SET")]) -> None:
    """Print what a Live Set says; --json prints the whole summary."""
    with connect() as client:
        found = chosen_artist(client).live_sets.get(name)
    if gateway.as_json:
        show_json(found)
    else:
        _describe(found)


def _describe(live_set: LiveSet) -> None:
    summary = live_set["summary"] or {}
    out.print(f"[bold]{live_set['display_name']}[/bold]  ({live_set['creator']})", highlight=False)
    key = f", {live_set['key']} by {live_set['key_evidence']}" if live_set["key"] else ""
    out.print(f"{live_set['tempo_bpm']:g} BPM, {live_set['time_signature']}{key}, {live_set['duration_s']:.0f} s")
    rows = [
        {"track": name, **facts}
        for name, facts in summary.get("track_breakdown", {}).items()
        if isinstance(facts, dict)
    ]
    show(rows, "track", "type", "group", "clips", "devices", "plugins")
    genres = summary.get("genre_indicators") or []
    if genres:
        out.print(f"genre indicators: {', '.join(one if isinstance(one, str) else json.dumps(one) for one in genres)}")
    for warning in live_set["warnings"]:
        errors.print(f"[yellow]{warning}[/yellow]", highlight=False, soft_wrap=True)


@live_sets.command()
def picture(
    name: Annotated[str, typer.Argument(metavar="LIVE-SET")],
    target: Annotated[Path, typer.Option("--out", metavar="FILE", help="Ends in .svg or .png")],
    width: Annotated[int, typer.Option(help="Width in pixels, 200 to 8,000")] = 1200,
) -> None:
    """Draw tracks and clips over time."""
    if target.suffix.lower() not in (".svg", ".png"):
        raise refuse(f"{target} ends in neither .svg nor .png")
    try:
        if target.suffix.lower() == ".png":
            require_pictures()
    except PicturesUnavailable as fault:
        raise refuse(str(fault)) from None
    with connect() as client:
        drawn = chosen_artist(client).live_sets.timeline(name, width=width)
    if target.suffix.lower() == ".png":
        draw_timeline(drawn, target)
    else:
        target.write_bytes(drawn)
    out.print(str(target), soft_wrap=True)


@live_sets.command()
def rename(name: Annotated[str, typer.Argument(metavar="LIVE-SET")], title: str) -> None:
    """Give it another name."""
    with connect() as client:
        sets = chosen_artist(client).live_sets
        show([sets.rename(sets.get(name), title)], *_COLUMNS)


@live_sets.command()
def delete(
    names: Annotated[list[str], typer.Argument(metavar="LIVE-SET…")],
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Bring deleted ones back")] = False,
) -> None:
    """Delete Live Sets; within 30 days they can be brought back with --undo."""
    with connect() as client:
        sets = chosen_artist(client).live_sets
        for name in names:
            if undo:
                sets.undelete(name)
            else:
                sets.delete(name)
            errors.print(f"{name} is {'back' if undo else 'deleted'}", highlight=False, soft_wrap=True)
