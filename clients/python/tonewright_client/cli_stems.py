"""The `tonewright stems` commands: split recordings, list and cancel separations, draw them."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

from tonewright_client.client import ArtistHandle
from tonewright_client.models import Model, Separation
from tonewright_client.separations import SeparationOptions, engine_label
from tonewright_client.splitting import Piece, Splitter
from tonewright_client.terminal import chosen_artist, connect, errors, gateway, out, refuse, show, show_json
from tonewright_client.waveforms import PicturesUnavailable, draw_stems, require_pictures

stems = typer.Typer(no_args_is_help=True, help="Separate recordings into stems.")
# As shells say that a command ended by Ctrl-C.
_INTERRUPTED = 130


class Format(enum.StrEnum):
    """How stems are stored."""

    FLAC = "flac"
    WAV = "wav"
    MP3 = "mp3"


class Priority(enum.StrEnum):
    """Which jobs go first."""

    BATCH = "batch"
    INTERACTIVE = "interactive"


_FORMATS: dict[Format, Any] = {Format.FLAC: "FLAC_24", Format.WAV: "WAV_FLOAT", Format.MP3: "MP3"}


@stems.command()
def split(  # noqa: PLR0913 - each is an option of the command
    sources: Annotated[list[str], typer.Argument(metavar="FILE…", help="Audio files, or names of assets")],
    model: Annotated[str, typer.Option(help="Model; default: the service's own, see `tonewright stems models`")] = "",
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="Gets one folder of stems per file")] = Path(),
    two_stems: Annotated[str, typer.Option(metavar="STEM", help="Only this stem, and everything else together")] = "",
    only: Annotated[str, typer.Option(metavar="STEM,…", help="Only these stems")] = "",
    file_format: Annotated[
        Format, typer.Option("--format", help="FLAC 24-bit, WAV float, MP3 320 kbit/s")
    ] = Format.FLAC,
    overlap: Annotated[float | None, typer.Option(help="Share of each segment that overlaps, 0 to 0.9")] = None,
    shifts: Annotated[int | None, typer.Option(help="Shifted passes whose mean is taken, 0 to 10")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the shifts")] = None,
    priority: Annotated[Priority, typer.Option(help="interactive goes before batch")] = Priority.BATCH,
    *,
    residual: Annotated[bool, typer.Option("--residual", help="Also what the stems leave of the recording")] = False,
    deterministic: Annotated[bool, typer.Option("--deterministic", help="The same bytes every time")] = False,
    picture: Annotated[bool, typer.Option("--picture", help="Also stems.png: the waveforms")] = False,
) -> None:
    """Separate recordings into stems: DIR/<file>/<stem>.flac, and so on.

    What the platform has already is neither sent nor separated again. Ctrl-C cancels what has not ended.
    """
    model = model.rpartition("/")[2]  # also as `tonewright stems models` shows it
    parameters = {"overlap": overlap, "shifts": shifts, "seed": seed, "deterministic": deterministic or None}
    wanted = [stem.strip() for stem in only.split(",") if stem.strip()]
    options: dict[str, Any] = {
        "model": model,
        "stem_set": "TWO_STEMS" if two_stems else "SUBSET" if wanted else "",
        "target_stem": two_stems,
        "wanted_stems": wanted,
        "output_format": _FORMATS[file_format],
        "parameters": {name: value for name, value in parameters.items() if value is not None},
        "priority": priority.upper(),
        "include_residual": residual,
    }
    if two_stems and wanted:
        raise refuse("--two-stems and --only exclude each other: leave one out")
    if two_stems and residual:
        raise refuse("--two-stems gives the rest as its second stem: leave --residual out")
    if residual and file_format is Format.MP3:
        raise refuse("MP3 changes the stems, so that no residual makes them the recording: use --format flac or wav")
    _check_files(sources, needs_pictures=picture)
    with connect() as client:
        artist = chosen_artist(client)
        _check_model(artist, model, [two_stems] if two_stems else wanted)
        _split(artist, sources, folder, {key: value for key, value in options.items() if value}, wants_picture=picture)


@stems.command(name="list")
def list_separations(
    asset: Annotated[str, typer.Option(help="Only those of this asset")] = "",
    state: Annotated[str, typer.Option(help="Only those in this state, as RUNNING")] = "",
) -> None:
    """List separations, newest first."""
    filters = {name: value for name, value in {"asset": asset, "state": state.upper()}.items() if value}
    with connect() as client:
        found = chosen_artist(client).separations.list(**filters)
        show(found, "name", "asset", "engine", "model", "state", "progress_percent", "real_time_factor")


@stems.command()
def models() -> None:
    """List the models that separate, with their stems and what their owners allow."""
    with connect() as client:
        show(chosen_artist(client).models(), "name", "engine", "sources", "rate_hz", "is_default", "licence")


@stems.command()
def cancel(names: Annotated[list[str], typer.Argument(metavar="SEPARATION…")]) -> None:
    """Ask separations to stop."""
    with connect() as client:
        artist = chosen_artist(client)
        show([artist.separations.cancel(name) for name in names], "name", "state", "stage")


@stems.command()
def picture(
    name: Annotated[str, typer.Argument(metavar="SEPARATION", help="One that has succeeded")],
    png: Annotated[Path, typer.Argument(metavar="PNG", help="Where to write the picture")],
) -> None:
    """Draw the waveforms of a separation's stems."""
    _check_files([], needs_pictures=True)
    with connect() as client:
        artist = chosen_artist(client)
        separation = artist.separations.get(name)
        if separation["state"] != "SUCCEEDED":
            raise refuse(
                f"{separation['name']} is {separation['state']}; only one that has succeeded has stems to draw"
            )
        title = artist.assets.get(separation["asset"])["display_name"]
        out.print(str(draw_stems(artist, separation, png, title=title)), soft_wrap=True)


def _check_files(sources: Sequence[str], *, needs_pictures: bool) -> None:
    """Refuse before anything is sent."""
    for source in sources:
        if source.startswith("artists/"):
            continue
        if not Path(source).is_file():
            is_folder = Path(source).is_dir()
            raise refuse(f"{source} is a folder: name its files" if is_folder else f"there is no file {source}")
    try:
        if needs_pictures:
            require_pictures()
    except PicturesUnavailable as fault:
        raise refuse(str(fault)) from None


def _check_model(artist: ArtistHandle, wanted: str, sources: Sequence[str]) -> None:
    known = {model["name"].rpartition("/")[2]: model for model in artist.models()}
    model: Model | None = known.get(wanted) or next((one for one in known.values() if one["is_default"]), None)
    if wanted and wanted not in known:
        raise refuse(f"there is no model {wanted}; choose one of: {', '.join(known)}")
    for source in sources:
        if model is not None and source not in model["sources"]:
            name = model["name"].rpartition("/")[2]
            raise refuse(f"model {name} has no stem {source}; choose from: {', '.join(model['sources'])}")


def _split(
    artist: ArtistHandle, sources: Sequence[str], folder: Path, options: SeparationOptions | Any, *, wants_picture: bool
) -> None:
    pieces = [Piece(source) for source in sources]
    try:
        with _Bars(pieces) as view:
            Splitter(artist, options, view, wants_picture=wants_picture).run(pieces, folder)
    except KeyboardInterrupt:
        _tell_interrupted(pieces)
        raise typer.Exit(_INTERRUPTED) from None
    if gateway.as_json:
        show_json([_facts(piece) for piece in pieces])
    else:
        _show_pieces(pieces)
    for piece in pieces:
        if piece.error:
            errors.print(f"[red]{piece.source}:[/red] {piece.error}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if any(piece.error for piece in pieces) else 0)


def _tell_interrupted(pieces: Sequence[Piece]) -> None:
    started = [piece for piece in pieces if piece.name]
    if not started:
        errors.print("stopped before anything was separated")
    for piece in started:
        if piece.state == "CANCELLED":
            said = "cancelled"
        elif piece.error:
            said = piece.error
        elif piece.state == "SUCCEEDED":
            said = "had ended; run the same command again to download its stems, they are remembered"
        else:
            said = "asked the server to cancel it; it stops within one segment"
        errors.print(f"{piece.title}: {said} ({piece.name})", highlight=False, soft_wrap=True)


def _show_pieces(pieces: Sequence[Piece]) -> None:
    table = Table("file", "engine", "model", "stems", "real-time factor", "folder")
    for piece in pieces:
        separation = piece.separation
        if separation is not None and not piece.error:
            names = ", ".join(piece.files)
            speed = _speed(piece, separation)
            table.add_row(piece.title, engine_label(separation), separation["model"], names, speed, str(piece.folder))
    if table.row_count:
        out.print(table)


def _speed(piece: Piece, separation: Separation) -> str:
    factor = separation["real_time_factor"]
    if piece.was_remembered or not factor:
        return "remembered, no work was done"
    return f"{factor:.3f} ({1 / factor:.1f} times as fast as it plays)"


def _facts(piece: Piece) -> dict[str, Any]:
    return {
        "source": piece.source,
        "asset": piece.asset["name"] if piece.asset else "",
        "uploaded": not piece.was_there,
        "remembered": piece.was_remembered,
        "separation": piece.separation,
        "files": {stem: str(path) for stem, path in piece.files.items()},
        "picture": str(piece.picture) if piece.picture else "",
        "error": piece.error,
    }


class _Bars:
    """One bar per piece: uploading, then the stages of its separation, then its stems coming in."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[doing]}"),
        )
        self._bar = Progress(*columns, console=errors)
        self._tasks: dict[int, TaskID] = {
            id(piece): self._bar.add_task(Path(piece.source).name, total=100, doing="") for piece in pieces
        }

    def __enter__(self) -> _Bars:
        self._bar.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._bar.stop()

    def uploading(self, piece: Piece, done: int, total: int) -> None:
        self._say(piece, 100 * done / max(total, 1), "uploading")

    def changed(self, piece: Piece) -> None:
        separation = piece.separation
        if piece.error or separation is None:
            self._say(piece, 0, "failed" if piece.error else "queued")
            return
        left = separation["eta_s"]
        eta = f", {left:.0f} s left" if left is not None and piece.state == "RUNNING" else ""
        doing = separation["stage"] or str(separation["state"]).lower()
        self._say(piece, separation["progress_percent"], f"{doing}{eta}", name=piece.title)

    def downloading(self, piece: Piece, done: int, total: int) -> None:
        self._say(piece, 100 * done / max(total, 1), "downloading")

    def cancelling(self, pieces: Sequence[Piece]) -> None:
        self._bar.print(f"stopping: asking the server to cancel {len(pieces)} separations")

    def finished(self, piece: Piece) -> None:
        self._say(piece, 100, "remembered, done" if piece.was_remembered else "done")

    def _say(self, piece: Piece, percent: float, doing: str, *, name: str | None = None) -> None:
        self._bar.update(self._tasks[id(piece)], completed=percent, doing=doing, description=name)
