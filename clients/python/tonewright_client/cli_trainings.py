"""The `tonewright emulate`, `trainings`, `generate`, `generations` and `lineage` commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tonewright_client.assignments import AssignmentInvalid, assigned
from tonewright_client.cli_datasets import Choices, export_choices
from tonewright_client.client import ArtistHandle
from tonewright_client.errors import ApiError
from tonewright_client.foreign_archives import ArchiveUnread, read_archive
from tonewright_client.lineage import lineage_lines
from tonewright_client.models import Generation, Training
from tonewright_client.money import MICROS, usd
from tonewright_client.shown import STAND_IN, show_emulation, show_findings, show_stand_in, titles_of
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
from tonewright_client.trainings import EmulationFields, ForeignFile, TrainingInputs

trainings = typer.Typer(invoke_without_command=True, help="Trainings: start, follow, cancel, what they cost.")
_COLUMNS = ("id", "state", "destination", "version", "progress_percent", "cost_usd_micros", "export", "create_time")
_GENERATION_COLUMNS = ("id", "state", "prompt", "asset", "training")
Inputs = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="NAME=VALUE", help="Input of the trainer, as epochs=5, drop_vocals=true"),
]
# What leads to trainings, by the collection in its name.
_USED = {"assets": "asset", "training-items": "training_item", "live-sets": "live_set"}


def training_inputs(pairs: list[str] | None) -> TrainingInputs:
    """The inputs of a training from `name=value` pairs; the command ends when one is wrong."""
    try:
        return cast(TrainingInputs, assigned(pairs or (), TrainingInputs))
    except AssignmentInvalid as fault:
        raise refuse(str(fault)) from None


def emulate(
    target: Annotated[
        str, typer.Argument(metavar="ZIP|SNAPSHOT|EXPORT", help="An archive of any origin; default: all ready items")
    ] = "",
    inputs: Inputs = None,
    choices: Choices = None,
) -> None:
    """Say what the trainer will do with each file and what it costs; exits with 1 when it would fail."""
    what: EmulationFields = {"parameters": training_inputs(inputs), "options": export_choices(choices)}
    unread: list[str] = []
    is_ours = target.partition("/")[0] in ("artists", "snapshots", "exports") and not Path(target).exists()
    if target and not is_ours:
        what["files"], unread = _foreign(Path(target))
    with connect() as client:
        artist = chosen_artist(client)
        if is_ours and "snapshots/" in target:
            what["snapshot"] = artist.snapshots.full_name(target)
        elif is_ours:
            what["export"] = artist.exports.full_name(target)
        found = artist.trainings.emulate(**what)
        titles = {} if "files" in what or gateway.as_json else titles_of(artist)
        budget = artist.trainings.budget()
    if gateway.as_json:
        show_json(found)
    else:
        show_emulation(found, titles)
        show_stand_in(budget)
        for line in unread:
            errors.print(f"[yellow]not read:[/yellow] {line}", highlight=False, soft_wrap=True)
    raise typer.Exit(0 if found["succeeds"] else 1)


def _foreign(path: Path) -> tuple[list[ForeignFile], list[str]]:
    if not path.is_file():
        raise refuse(f"there is no file {path}; name a zip, or snapshots/… or exports/… with an id")
    try:
        return read_archive(path)
    except ArchiveUnread as fault:
        raise refuse(str(fault)) from None


@trainings.callback()
def choose(context: typer.Context) -> None:
    """Trainings: start, follow, cancel, what they cost; without a verb they are listed."""
    if context.invoked_subcommand is None:
        list_trainings()


@trainings.command(name="list")
def list_trainings() -> None:
    """List trainings, newest first."""
    with connect() as client:
        show(chosen_artist(client).trainings.list(), *_COLUMNS)


@trainings.command()
def start(
    export: Annotated[str, typer.Argument(metavar="EXPORT", help="A finished one")],
    destination: Annotated[
        str, typer.Argument(metavar="OWNER/MODEL", help="The provider's model that gets the version")
    ],
    max_cost: Annotated[float, typer.Option(help="Most that it may be expected to cost, in US dollars")],
    inputs: Inputs = None,
    title: Annotated[str, typer.Option(help="Title for people")] = "",
    *,
    create: Annotated[bool, typer.Option("--create", help="Make the model, private, if it does not exist")] = False,
    follow: Annotated[bool, typer.Option(help="Wait for its end")] = True,
) -> None:
    """Start a training and follow it. Ctrl-C leaves it running."""
    with connect() as client:
        artist = chosen_artist(client)
        operation = artist.trainings.start(
            artist.exports.full_name(export),
            destination,
            max_cost_usd=max_cost,
            parameters=training_inputs(inputs),
            create_destination=create,
            display_name=title,
        )
        name = operation["metadata"]["target"]
        if follow:
            _follow(artist, name)
        _show(artist.trainings.get(name))


@trainings.command(name="follow")
def follow_training(name: Annotated[str, typer.Argument(metavar="TRAINING")]) -> None:
    """Wait for a training's end. Ctrl-C leaves it running."""
    with connect() as client:
        artist = chosen_artist(client)
        _follow(artist, name)
        _show(artist.trainings.get(name))


def _show(training: Training) -> None:
    show([training], *_COLUMNS)
    if not gateway.as_json:
        show_findings(training["findings"])


def _follow(artist: ArtistHandle, name: str) -> Training:
    operation = artist.operations.of(artist.trainings.full_name(name))
    try:
        return cast(Training, wait(artist, operation, "training"))
    except KeyboardInterrupt:
        errors.print(f"it goes on and costs on; stop it with `tonewright trainings cancel {short(name)}`")
        raise typer.Exit(130) from None


@trainings.command(name="show")
def show_training(name: Annotated[str, typer.Argument(metavar="TRAINING")]) -> None:
    """Print a training with its findings and the end of its log."""
    with connect() as client:
        found = chosen_artist(client).trainings.get(name)
    if gateway.as_json:
        show_json(found)
        return
    show([found], *_COLUMNS)
    show_findings(found["findings"])
    if found["error"]:
        errors.print(f"[red]{found['error']['reason']}:[/red] {found['error']['message']}", soft_wrap=True)
    out.print(found["log_tail"], highlight=False, markup=False)


@trainings.command()
def cancel(name: Annotated[str, typer.Argument(metavar="TRAINING")]) -> None:
    """Ask the provider to stop a training."""
    with connect() as client:
        show([chosen_artist(client).trainings.cancel(name)], *_COLUMNS)


@trainings.command()
def budget() -> None:
    """Say what trainings may cost and have cost."""
    with connect() as client:
        found = chosen_artist(client).trainings.budget()
    if gateway.as_json:
        show_json(found)
        return
    if not found["configured"]:
        out.print("no provider is set up: nothing can be trained; the operator gives the services a token")
        return
    caps = found["training_cap_usd_micros"], found["day_cap_usd_micros"]
    of_one, of_day = (f"at most {usd(cap)}" if cap else "without a cap" for cap in caps)
    price = found["price_usd_micros_per_s"] / MICROS
    out.print(f"trainer {found['trainer']}, {price:g} US dollars a second", soft_wrap=True)
    out.print(f"a training {of_one}; 24 hours {of_day}, {usd(found['spent_today_usd_micros'])} of it spent")
    out.print(f"spent on all trainings: {usd(found['spent_usd_micros'])}")
    show_stand_in(found)


def generate(
    training: Annotated[str, typer.Argument(metavar="TRAINING", help="One that has succeeded")],
    prompt: Annotated[str, typer.Argument(help="What to play; words of the captions call the learned style")],
    duration: Annotated[int, typer.Option(min=1, max=120, help="Length in seconds")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="0: a random one")] = 0,
    temperature: Annotated[float | None, typer.Option(min=0.01, max=10)] = None,
    guidance: Annotated[int, typer.Option(min=0, max=20, help="How closely to follow the prompt; 0: 3")] = 0,
    target: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Also download it to this file")] = None,
) -> None:
    """Make music with a trained version; it becomes an asset."""
    asked: dict[str, Any] = {"duration_s": duration, "seed": seed, "temperature": temperature, "guidance": guidance}
    with connect() as client:
        artist = chosen_artist(client)
        name = artist.trainings.full_name(training)
        how = {one: value for one, value in asked.items() if value}
        made = cast(Generation, wait(artist, artist.generations.start(name, prompt, **how), "generating"))
        if target:
            with BytesBar(target.name) as on_bytes:
                artist.assets.download(made["asset"], target, on_bytes=on_bytes)
        findings = artist.trainings.get(name)["findings"]
    show([made], *_GENERATION_COLUMNS)
    if not gateway.as_json:
        show_findings([one for one in findings if one["reason"] == STAND_IN])


def generations(training: Annotated[str, typer.Option(help="Only those of this training")] = "") -> None:
    """List what trained versions have played, newest first."""
    with connect() as client:
        artist = chosen_artist(client)
        filters = {"training": artist.trainings.full_name(training)} if training else {}
        show(artist.generations.list(**filters), *_GENERATION_COLUMNS)


def lineage(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A training, a generation; or audio, an item, a Live Set")
    ],
) -> None:
    """Say what a training or generation was made of, or which trainings used some audio, item or Live Set."""
    with connect() as client:
        artist = chosen_artist(client)
        full = _found(artist, name)
        collection = full.split("/")[-2]
        if collection in _USED:
            users = list(artist.trainings.list(**{_USED[collection]: full}))
            if not users:
                errors.print(f"no training has used {short(full)}")
            show(users, *_COLUMNS)
            return
        found = (artist.generations if collection == "generations" else artist.trainings).lineage(full)
    if gateway.as_json:
        show_json(found)
        return
    for line in lineage_lines(found):
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def _found(artist: ArtistHandle, name: str) -> str:
    """The full name of what a bare id, the end of a name or a name stands for; ids of all five kinds differ."""
    if "/" in name:
        return name if name.startswith("artists/") else f"{artist.name}/{name}"
    kinds = (artist.trainings, artist.generations, artist.assets, artist.training_items, artist.live_sets)
    for kind in kinds:
        try:
            return kind.get(name)["name"]
        except ApiError as refused:
            if refused.status != 404:
                raise
    raise refuse(f"no training, generation, audio, item or Live Set of this artist has the id {name}; see its list")


def is_unconfigured(refused: ApiError) -> bool:
    """Whether the platform has no trainer."""
    return refused.reason == "TRAINER_NOT_CONFIGURED"
