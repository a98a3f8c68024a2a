"""The `tonewright captions`, `templates` and `chat` commands."""

from __future__ import annotations

import enum
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tonewright_client.captions import CaptionOptions, ChatMessage, ChatMode
from tonewright_client.client import ArtistHandle
from tonewright_client.models import Caption, CaptionFinding
from tonewright_client.terminal import chosen_artist, connect, errors, gateway, out, refuse, show, show_json

captions = typer.Typer(invoke_without_command=True, help="Captions: write, check, list.")
templates = typer.Typer(invoke_without_command=True, help="Versions of the instruction for captions.")
_COLUMNS = ("id", "text", "provenance.engine", "provenance.prompt_version")
_TEMPLATE_COLUMNS = ("id", "state", "display_name", "temperature", "creator", "approver")


class Mode(enum.StrEnum):
    """What a conversation is about."""

    PRODUCTION = "production"
    TRAIN = "train"
    GENERATE = "generate"


@captions.callback()
def choose_caption(context: typer.Context) -> None:
    """Captions: write, check, list; without a verb they are listed."""
    if context.invoked_subcommand is None:
        list_captions()


@captions.command(name="list")
def list_captions(
    asset: Annotated[str, typer.Option(help="Only those of this asset")] = "",
    live_set: Annotated[str, typer.Option(help="Only those from this Live Set")] = "",
) -> None:
    """List captions, newest first."""
    filters = {name: value for name, value in {"asset": asset, "live_set": live_set}.items() if value}
    with connect() as client:
        artist = chosen_artist(client)
        named = {name: _named(artist, name, value) for name, value in filters.items()}
        show(artist.captions.list(**named), *_COLUMNS)


@captions.command()
def write(  # noqa: PLR0913 - each is an option of the command
    asset: Annotated[str, typer.Option(help="Asset to write for")] = "",
    live_set: Annotated[str, typer.Option(help="Live Set to write from")] = "",
    hint: Annotated[str, typer.Option(help="What to do differently")] = "",
    variants: Annotated[int, typer.Option(min=1, max=8, help="How many texts to choose from")] = 1,
    template: Annotated[str, typer.Option(help="Version of the instruction; default: the approved one")] = "",
    tempo: Annotated[float, typer.Option(help="Beats per minute; default: the Live Set's, or what is heard")] = 0,
    genres: Annotated[list[str] | None, typer.Option("--genre")] = None,
    moods: Annotated[list[str] | None, typer.Option("--mood")] = None,
    instruments: Annotated[list[str] | None, typer.Option("--instrument")] = None,
) -> None:
    """Write captions, shown as they come; exits with 1 when one breaks rules."""
    hints = {"tempo_bpm": tempo, "genres": genres, "moods": moods, "instruments": instruments}
    with connect() as client:
        artist = chosen_artist(client)
        options: dict[str, Any] = {
            "asset": _named(artist, "asset", asset),
            "live_set": _named(artist, "live_set", live_set),
            "hint": hint,
            "prompt_version": template,
            "hints": {name: value for name, value in hints.items() if value},
        }
        given = cast(CaptionOptions, {name: value for name, value in options.items() if value})
        written = [_write(artist, cast(CaptionOptions, {**given, "variant": number})) for number in range(variants)]
    if gateway.as_json:
        show_json(written)
    else:
        for caption in written:
            _show_findings(caption["violations"], caption["warnings"])
        show(written, *_COLUMNS)
    raise typer.Exit(1 if any(caption["violations"] for caption in written) else 0)


def _write(artist: ArtistHandle, options: CaptionOptions) -> Caption:
    is_shown = not gateway.as_json
    for step in artist.captions.stream(**options):
        if step.caption:
            if is_shown:
                errors.print()
            return step.caption
        if not is_shown:
            continue
        if step.retry:
            rules = ", ".join(finding["rule"] for finding in step.retry["violations"])
            errors.print(f"\n[dim]broke {rules}; attempt {step.retry['attempt']}[/dim]")
        else:
            errors.print(step.delta, end="", highlight=False, markup=False, soft_wrap=True)
    raise refuse("the answer ended without a caption; run the command again")


@captions.command()
def check(
    text: Annotated[str, typer.Argument(help="The caption")],
    live_set: Annotated[str, typer.Option(help="Live Set whose tempo and names count")] = "",
    tempo: Annotated[float, typer.Option(help="Tempo that it has to end with")] = 0,
) -> None:
    """Say which rules a text breaks; exits with 1 when it could not be exported."""
    with connect() as client:
        artist = chosen_artist(client)
        found = artist.captions.check(text, live_set=_named(artist, "live_set", live_set), tempo_bpm=tempo)
    if gateway.as_json:
        show_json(found)
    else:
        out.print(found["text"], highlight=False, markup=False, soft_wrap=True)
        for fix in found["fixes"]:
            errors.print(f"[dim]mended {fix['rule']}: {fix['description']}[/dim]", highlight=False, soft_wrap=True)
        _show_findings(found["violations"], found["warnings"])
    raise typer.Exit(1 if found["violations"] else 0)


def _show_findings(violations: Sequence[CaptionFinding], warnings: Sequence[CaptionFinding]) -> None:
    for colour, findings in (("red", violations), ("yellow", warnings)):
        for one in findings:
            errors.print(f"[{colour}]{one['rule']}[/{colour}] {one['description']}", highlight=False, soft_wrap=True)


def _named(artist: ArtistHandle, kind: str, name: str) -> str:
    """The full name of an asset or a Live Set that may be given by its last part."""
    if not name:
        return ""
    collection = artist.assets if kind == "asset" else artist.live_sets
    return collection.full_name(name)


@templates.callback()
def choose_template(context: typer.Context) -> None:
    """Versions of the instruction; without a verb they are listed."""
    if context.invoked_subcommand is None:
        list_templates()


@templates.command(name="list")
def list_templates() -> None:
    """List templates, newest first, and the built-in ones."""
    with connect() as client:
        show(chosen_artist(client).prompt_templates.list(), *_TEMPLATE_COLUMNS)


@templates.command(name="show")
def show_template(version: str) -> None:
    """Print the instruction of a version."""
    with connect() as client:
        found = chosen_artist(client).prompt_templates.get(version)
    if gateway.as_json:
        show_json(found)
    else:
        out.print(found["instruction"], highlight=False, markup=False)


@templates.command()
def create(
    version: Annotated[str, typer.Argument(help="A new label, as train-v3")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Text file with the instruction")],
    title: Annotated[str, typer.Option(help="Name for people")] = "",
    temperature: Annotated[float, typer.Option(min=0, max=2)] = 0.7,
) -> None:
    """Make a draft; captions are written with it when it is named, and by default once it is approved."""
    with connect() as client:
        made = chosen_artist(client).prompt_templates.create(
            version, file.read_text(), display_name=title, temperature=temperature
        )
        show([made], *_TEMPLATE_COLUMNS)


@templates.command()
def approve(version: str) -> None:
    """Make a version the artist's default."""
    with connect() as client:
        show([chosen_artist(client).prompt_templates.approve(version)], *_TEMPLATE_COLUMNS)


@templates.command()
def retire(version: str) -> None:
    """Take a version out of use; its captions keep their provenance."""
    with connect() as client:
        show([chosen_artist(client).prompt_templates.retire(version)], *_TEMPLATE_COLUMNS)


@templates.command(name="delete")
def delete_template(version: str) -> None:
    """Delete a version that no caption was made with."""
    with connect() as client:
        chosen_artist(client).prompt_templates.delete(version, etag="")
        errors.print(f"{version} is deleted")


def chat(
    question: Annotated[str, typer.Argument(help="What to ask; without it, ask line by line until an empty one")] = "",
    live_set: Annotated[str, typer.Option(help="Live Set to speak about")] = "",
    mode: Annotated[Mode, typer.Option(help="What it is about")] = Mode.PRODUCTION,
) -> None:
    """Ask the co-pilot, which knows the artist's profile and the Live Set that it is shown."""
    if not question and not sys.stdin.isatty():
        raise refuse("there is nobody to ask line by line: give the question as an argument")
    messages: list[ChatMessage] = []
    with connect() as client:
        artist = chosen_artist(client)
        asked = question or input("you: ")
        while asked:
            messages.append({"role": "USER", "content": asked})
            messages.append({"role": "ASSISTANT", "content": _answer(artist, messages, mode, live_set)})
            asked = "" if question else input("you: ")


def _answer(artist: ArtistHandle, messages: Sequence[ChatMessage], mode: Mode, live_set: str) -> str:
    steps = artist.chat.stream(
        messages, mode=cast(ChatMode, mode.upper()), live_set=_named(artist, "live_set", live_set)
    )
    for step in steps:
        if step.reply and gateway.as_json:
            show_json(step.reply)
        elif step.reply:
            out.print()
            left_out = step.reply["dropped_messages"]
            if left_out:
                errors.print(f"[dim]{left_out} earlier messages were left out[/dim]")
        if step.reply:
            return step.reply["content"]
        if not gateway.as_json:
            out.print(step.delta, end="", highlight=False, markup=False, soft_wrap=True)
    raise refuse("the answer ended before its end; ask again")
