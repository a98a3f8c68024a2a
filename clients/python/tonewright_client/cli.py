"""The `tonewright` command: one verb per resource, progress bars on long work, tables or JSON out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from tonewright_client.cli_captions import captions, chat, templates
from tonewright_client.cli_datasets import exports, snapshots
from tonewright_client.cli_items import items
from tonewright_client.cli_live_sets import live_sets
from tonewright_client.cli_stems import stems
from tonewright_client.cli_train import train
from tonewright_client.cli_trainings import emulate, generate, generations, lineage, trainings
from tonewright_client.demo import walk
from tonewright_client.doctor import examine
from tonewright_client.errors import ApiError, DownloadDamaged, GatewayUnreachable, OperationFailed
from tonewright_client.smoke import SmokeFailed, smoke
from tonewright_client.terminal import (
    BytesBar,
    chosen_artist,
    connect,
    errors,
    gateway,
    kept_key,
    out,
    print_table,
    show,
    wait,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(stems, name="stems")
app.add_typer(live_sets, name="live-sets")
app.add_typer(captions, name="captions")
app.add_typer(templates, name="templates")
app.command()(chat)
app.add_typer(items, name="items")
app.add_typer(snapshots, name="snapshots")
app.add_typer(exports, name="exports")
app.command()(emulate)
app.add_typer(trainings, name="trainings")
app.command()(generate)
app.command()(generations)
app.command()(train)
app.command()(lineage)


@app.callback()
def choose_target(
    url: Annotated[str, typer.Option(envvar="TONEWRIGHT_URL", help="Address of the gateway")] = "",
    key: Annotated[str, typer.Option(envvar="TONEWRIGHT_API_KEY", help="API key; default: <home>/api-key")] = "",
    artist: Annotated[str, typer.Option(envvar="TONEWRIGHT_ARTIST", help="Artist; default: the only one")] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables")] = False,
) -> None:
    """Work with a tonewright gateway."""
    port = os.environ.get("TONEWRIGHT_GATEWAY_PORT", "8080")
    gateway.url = url or f"http://127.0.0.1:{port}"
    gateway.key = key.strip() or kept_key()  # a Secret made of a file ends with a line break
    gateway.artist, gateway.as_json = artist, as_json


@app.command()
def up(home: Annotated[Path | None, typer.Option(help="State folder")] = None) -> None:
    """Start the whole platform on this machine."""
    arguments = ["--home", str(home)] if home else []
    command = [sys.executable, "-m", "services.launcher", *arguments]
    if subprocess.run([sys.executable, "-c", "import services.launcher.main"], check=False).returncode:
        errors.print("the services are not installed here; run: pip install 'tonewright[all]'")
        raise typer.Exit(1)
    os.execv(sys.executable, command)  # noqa: S606 - the launcher takes over this process and its signals


@app.command()
def demo(
    audio: Annotated[Path | None, typer.Argument(help="WAV, FLAC, MP3 or OGG; default: a piece made now")] = None,
    live_set: Annotated[Path | None, typer.Argument(help="Ableton Live Set (.als); default: one made now")] = None,
) -> None:
    """Walk the whole path, from an artist to a reopened session, and print a table."""
    with connect() as client:
        report = walk(client, audio, live_set, on_step=lambda step: errors.print(f"[dim]{step} …[/dim]"))
    table = Table("step", "result", "time", title=f"tonewright at {gateway.url}")
    for row in report.rows:
        mark = "" if row.is_done else "[red]FAILED[/red] "
        mark = "[yellow]-[/yellow] " if row.is_skipped else mark
        table.add_row(row.step, f"{mark}{row.result}", f"{row.wall_s:.2f} s")
    print_table(table)
    for line in report.lineage:
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(0 if report.is_complete else 1)


@app.command(name="smoke")
def smoke_test() -> None:
    """Separate a clip of 3 seconds for a temporary artist, check the stems and delete everything again."""
    with connect() as client:
        try:
            smoke(
                client,
                on_step=lambda step, result, wall_s: out.print(f"{step}: {result} ({wall_s:.1f} s)", soft_wrap=True),
            )
        except SmokeFailed as fault:
            errors.print(f"[red]tonewright:[/red] {fault}", highlight=False)
            raise typer.Exit(1) from None


@app.command()
def doctor() -> None:
    """Say what is up, what is down and what to do about it."""
    findings = examine(gateway.url, gateway.key)
    for finding in findings:
        out.print(f"{'[green]ok[/green]  ' if finding.is_fine else '[red]bad[/red] '} {finding.what}: {finding.detail}")
        if finding.advice:
            out.print(f"     {finding.advice}")
    raise typer.Exit(0 if all(finding.is_fine for finding in findings) else 1)


@app.command()
def artists(create: Annotated[str, typer.Option(help="Name of an artist to create")] = "") -> None:
    """List the artists that are open to the key, or create one."""
    with connect() as client:
        if create:
            show([client.create_artist(create).get()], "name", "display_name")
        else:
            show(client.artists(), "name", "display_name", "create_time")


@app.command()
def members(
    add: Annotated[str, typer.Option(help="Principal to let in")] = "",
    role: Annotated[str, typer.Option(help="OWNER, EDITOR or VIEWER")] = "VIEWER",
) -> None:
    """List who may do what, or let somebody in."""
    with connect() as client:
        artist = chosen_artist(client)
        show([artist.add_member(add, role.upper())] if add else artist.members(), "name", "principal", "role")


@app.command()
def profile(file: Annotated[Path | None, typer.Argument(help="JSON object with the fields to change")] = None) -> None:
    """Show the artist's profile, or change it."""
    with connect() as client:
        artist = chosen_artist(client)
        found = artist.profile()
        if file:
            found = artist.update_profile(json.loads(file.read_text()), etag=found["etag"])
        out.print_json(json.dumps(found))


@app.command()
def assets(
    file: Annotated[Path | None, typer.Argument(help="Audio file to upload")] = None,
    download: Annotated[str, typer.Option(help="Asset to download to FILE")] = "",
) -> None:
    """List assets, upload a file, or download one."""
    with connect() as client:
        artist = chosen_artist(client)
        if file and download:
            with BytesBar(file.name) as on_bytes:
                artist.assets.download(download, file, on_bytes=on_bytes)
            return
        if file:
            with BytesBar(file.name) as on_bytes:
                rows: Iterable[Mapping[str, Any]] = [artist.assets.upload(file, on_bytes=on_bytes)]
        else:
            rows = artist.assets.list()
        show(rows, "id", "display_name", "media_type", "duration_s", "rate_hz", "channels", "loudness_lufs")


@app.command()
def conversations(file: Annotated[Path | None, typer.Argument(help="JSON document to bring in")] = None) -> None:
    """List conversations, or bring one in."""
    with connect() as client:
        artist = chosen_artist(client)
        rows = [artist.conversations.create({"document": file.read_text()})] if file else artist.conversations.list()
        show(rows, "name", "conversation_id", "state", "turn_count", "trainable_pair_count")


@app.command()
def training_files(
    create: Annotated[str, typer.Option(help="Name of a training file to build of all completed conversations")] = "",
    download: Annotated[str, typer.Option(help="Training file to download")] = "",
    target: Annotated[Path | None, typer.Argument(help="Where to write; .jsonl gives JSONL")] = None,
) -> None:
    """List training files, build one, or download one."""
    with connect() as client:
        artist = chosen_artist(client)
        if create:
            names = [one["name"] for one in artist.conversations.list() if one.get("state") == "COMPLETED"]
            show([wait(artist, artist.training_files.start(create, names), "building")], "name", "display_name")
        elif download and target:
            file_format = "JSONL" if target.suffix == ".jsonl" else "JSON"
            out.print(str(artist.training_files.download(download, target, file_format=file_format)))
        else:
            show(artist.training_files.list(), "name", "display_name", "state", "json_size_bytes")


@app.command()
def sessions(open_name: Annotated[str, typer.Option("--open", help="Session to open")] = "") -> None:
    """List saved sessions, or open one and say whether everything is there."""
    with connect() as client:
        artist = chosen_artist(client)
        if open_name:
            out.print_json(json.dumps(artist.sessions.open(open_name)))
        else:
            show(artist.sessions.list(), "name", "display_name", "revision", "update_time")


@app.command()
def performances(asset: Annotated[str, typer.Option(help="Asset to start one from")] = "") -> None:
    """List performances, or start one and print the ticket that opens its socket."""
    with connect() as client:
        artist = chosen_artist(client)
        if asset:
            performance = artist.performances.create(asset=asset)
            show([artist.performances.connect(performance["name"])], "socket_url", "ticket", "expire_time")
        else:
            show(artist.performances.list(), "name", "state", "stems_state", "asset")


@app.command()
def operations(cancel: Annotated[str, typer.Option(help="Operation to cancel")] = "") -> None:
    """List long work, or cancel some."""
    with connect() as client:
        artist = chosen_artist(client)
        rows = [artist.operations.cancel(cancel)] if cancel else artist.operations.list()
        show(rows, "name", "metadata.state", "metadata.progress_percent", "metadata.stage")


def main() -> None:
    """Run the command; a refused call prints what was wrong and what to do, and exits with 1."""
    try:
        app()
    except (ApiError, DownloadDamaged, GatewayUnreachable, OperationFailed) as refused:
        errors.print(f"[red]tonewright:[/red] {refused}", highlight=False)
        raise SystemExit(1) from None
