"""`tonewright train FOLDER`: a folder of Live Sets and recordings becomes a checked dataset, and a model if asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.prompt import Confirm

from tonewright_client.audio import OnBytes
from tonewright_client.cli_datasets import Choices as ChoicePairs
from tonewright_client.cli_datasets import export_choices
from tonewright_client.cli_trainings import Inputs, training_inputs
from tonewright_client.client import ArtistHandle
from tonewright_client.errors import OperationFailed
from tonewright_client.guide import Guide
from tonewright_client.guide_outcome import Choices, Outcome, blockers
from tonewright_client.guide_training import NotStarted, Trainer
from tonewright_client.models import Operation
from tonewright_client.money import usd
from tonewright_client.shown import STAND_IN, show_emulation, show_findings, show_readiness, show_run
from tonewright_client.terminal import chosen_artist, connect, errors, gateway, out, refuse, short, show_json, wait
from tonewright_client.training_folder import Folder, look
from tonewright_client.transport import Json

# Exit codes besides 0 (all done) and 1 (something was refused or failed).
NEEDS_A_PERSON = 3
_INTERRUPTED = 130


def train(  # noqa: PLR0913 - each is an option of the command
    folder: Annotated[Path, typer.Argument(help="Live Sets (.als), recordings, and .txt captions of the same names")],
    target: Annotated[
        Path | None, typer.Option("--out", metavar="ZIP", help="Default: FOLDER-dataset.zip here")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of all the audio, as CC-BY-4.0")] = "",
    consent_by: Annotated[str, typer.Option(help="Who allows training on all of it")] = "",
    choices: ChoicePairs = None,
    inputs: Inputs = None,
    start: Annotated[str, typer.Option(metavar="OWNER/MODEL", help="Also train, into this model of the provider")] = "",
    max_cost: Annotated[float, typer.Option(help="Most that the training may be expected to cost, in US dollars")] = 0,
    prompt: Annotated[str, typer.Option(help="Also play this with the trained version")] = "",
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: take exact matches only and report the rest")
    ] = False,
) -> None:
    """Guide a folder of Live Sets and recordings to a checked dataset, and to a trained model with --start.

    Running it again goes on where it stopped: nothing is uploaded, made or paid for twice.
    Exits with 0 when all is done, 3 when something waits for a person, 1 when something was refused or failed.
    """
    found = _looked(folder)
    if start and max_cost <= 0:
        raise refuse("a training costs money: say with --max-cost how many US dollars it may be expected to cost")
    if prompt and not start:
        raise refuse("--prompt plays a trained version: give --start OWNER/MODEL as well")
    wanted = Choices(licence, consent_by, export_choices(choices), training_inputs(inputs))
    zip_path = target or Path(f"{folder.resolve().name}-dataset.zip")
    with connect() as client:
        artist = chosen_artist(client)
        view = Terminal(artist, may_ask=not yes and not gateway.as_json and sys.stdin.isatty())
        journey = _Journey(artist, wanted, view)
        try:
            code = journey.walk(found, zip_path, start, max_cost, prompt)
        except KeyboardInterrupt:
            view.warned("stopped; what was made stays, and running the same command again goes on from here")
            raise typer.Exit(_INTERRUPTED) from None
        except OperationFailed as failed:
            view.warned(f"{failed}; running the same command again tries once more")
            code = 1
    _conclude(journey.outcome, view)
    raise typer.Exit(code)


def _looked(folder: Path) -> Folder:
    if not folder.is_dir():
        raise refuse(f"{folder} is no folder; name the one that holds your Live Sets and recordings")
    found = look(folder)
    if not found.recordings:
        raise refuse(f"there is no recording in {folder}: export your tracks as WAV, FLAC or MP3 into it")
    errors.print(
        f"{folder}: {len(found.recordings)} recordings, {len(found.live_sets)} Live Sets, "
        f"{sum(1 for one in found.recordings if one.caption)} captions; {len(found.left_out)} sounds in folders of "
        "Live's own are left out",
        highlight=False,
        soft_wrap=True,
    )
    return found


class _Journey:
    """The whole way; `outcome` holds what came of it, wherever it ends."""

    def __init__(self, artist: ArtistHandle, wanted: Choices, view: Terminal) -> None:
        self._artist, self._wanted, self._view = artist, wanted, view
        self.outcome = Outcome()

    def walk(self, folder: Folder, target: Path, destination: str, max_cost: float, prompt: str) -> int:
        """The exit code."""
        guide, title = Guide(self._artist, self._wanted, self._view), folder.path.resolve().name
        outcome = self.outcome = guide.gather(folder)
        guide.check(outcome)
        if not gateway.as_json:
            _show_state(outcome)
        self._advise(outcome)
        if not outcome.complete:
            self._view.warned("no item has both audio and an accepted caption, so there is nothing to freeze yet")
            return NEEDS_A_PERSON
        snapshot = guide.freeze(outcome, title)
        guide.emulate(outcome, snapshot)
        if outcome.emulation and not gateway.as_json:
            show_emulation(outcome.emulation, outcome.titles)
        export = guide.pack(outcome, snapshot, title, target)
        if not destination:
            return self._is_finished(outcome)
        trainer = Trainer(self._artist, self._wanted.inputs, self._view)
        try:
            training = trainer.train(outcome, export, destination, max_cost)
        except NotStarted as reason:
            self._view.warned(f"no training was started: {reason}")
            return NEEDS_A_PERSON
        if not gateway.as_json:
            show_findings([one for one in training["findings"] if one["reason"] == STAND_IN])
        if prompt:
            trainer.play(outcome, training, prompt, target.with_suffix(""))
        return self._is_finished(outcome)

    def _is_finished(self, outcome: Outcome) -> int:
        if outcome.refused or any(row.error for row in outcome.rows):
            return 1
        is_ready = outcome.readiness is not None and outcome.readiness["ready"]
        waits = any(row.unsure for row in outcome.rows) or len(outcome.complete) < len(outcome.items)
        fails = outcome.emulation is not None and not outcome.emulation["succeeds"]
        return 0 if is_ready and not waits and not fails else NEEDS_A_PERSON

    def _advise(self, outcome: Outcome) -> None:
        refused = [*outcome.refused, *(row.recording.path.name for row in outcome.rows if row.error)]
        outcome.advice += [f"mend or remove {name}, which was refused (see above)" for name in refused]
        for item in outcome.items:
            if item["proposal"]:
                outcome.advice.append(
                    f'{item["display_name"]}: write a caption with `tonewright items caption {short(item["name"])} "…"`'
                )
            outcome.advice += [f"{item['display_name']} is left out: {one['message']}" for one in blockers(item)]
        readiness = outcome.readiness
        if readiness and readiness["pair_count"] < readiness["min_pairs"]:
            left = readiness["min_pairs"] - readiness["pair_count"]
            outcome.advice.append(f"add {left} more recordings: a training wants {readiness['min_pairs']} pairs")
        found = {one["reason"] for one in readiness["findings"]} if readiness else set()
        if "CONSENT_UNKNOWN" in found:
            outcome.advice.append("say who allows training on these recordings with --consent-by NAME")
        for group in outcome.duplicates:
            names = ", ".join(short(name) for name in group["training_items"])
            alike = str(group["likeness"]).lower().replace("_", " ")
            outcome.advice.append(f"{alike}: keep one of {names}, the rest with `tonewright items delete`")


def _show_state(outcome: Outcome) -> None:
    if outcome.run:
        show_run(outcome.run)
    for item in outcome.items:
        proposal = item["proposal"]
        if proposal:
            out.print(f"{item['display_name']}: {proposal['text']}", highlight=False, markup=False, soft_wrap=True)
            show_findings(proposal["violations"], about=item["display_name"])
    if outcome.readiness:
        show_readiness(outcome.readiness, outcome.titles)


def _conclude(outcome: Outcome, view: Terminal) -> None:
    advice = [*outcome.advice, *_next(outcome)]
    if gateway.as_json:
        show_json(_facts(replace(outcome, advice=advice)))
        return
    view.step("next")
    for line in advice:
        out.print(f"• {line}", highlight=False, markup=False, soft_wrap=True)


def _next(outcome: Outcome) -> Sequence[str]:
    if outcome.training and any(one["reason"] == STAND_IN for one in outcome.training["findings"]):
        played = [f"listen to {outcome.clip}"] if outcome.clip else []
        return [
            *played,
            "no model was trained: a stand-in played it; the operator sets TONEWRIGHT_DATASETS_REPLICATE_TOKEN for a "
            "real training",
        ]
    if outcome.generation and outcome.training:
        return [
            f"listen to {outcome.clip}",
            f"see what it was made of with `tonewright lineage {outcome.generation['name']}`",
        ]
    if outcome.training:
        return [f'play it with `tonewright generate {short(outcome.training["name"])} "…" --out clip.wav`']
    if outcome.export and outcome.emulation and outcome.emulation["succeeds"]:
        cost = usd(outcome.emulation["expected_cost_usd_micros"])
        return [f"train with --start OWNER/MODEL --max-cost DOLLARS (expected: {cost}), or give {outcome.archive} away"]
    return ["mend what is named above and run the same command again"]


def _facts(outcome: Outcome) -> dict[str, Any]:
    return {
        "recordings": [
            {
                "file": str(row.recording.path),
                "asset": row.asset["name"] if row.asset else "",
                "uploaded": not row.was_there,
                "live_set": row.live_set,
                "unsure": row.unsure,
                "copy_of": row.copy_of,
                "training_item": row.item["name"] if row.item else "",
                "state": row.item["state"] if row.item else None,
                "caption": row.item["caption"] if row.item else "",
                "proposal": row.item["proposal"] if row.item else None,
                "findings": row.item["findings"] if row.item else [],
                "error": row.error,
            }
            for row in outcome.rows
        ],
        "refused_live_sets": outcome.refused,
        "caption_run": outcome.run,
        "readiness": outcome.readiness,
        "duplicates": outcome.duplicates,
        "snapshot": outcome.snapshot,
        "emulation": outcome.emulation,
        "export": outcome.export,
        "archive": str(outcome.archive) if outcome.archive else "",
        "training": outcome.training,
        "generation": outcome.generation,
        "clip": str(outcome.clip) if outcome.clip else "",
        "advice": outcome.advice,
    }


class Terminal:
    """Steps as numbered headings; bars and trouble beside the output."""

    def __init__(self, artist: ArtistHandle, *, may_ask: bool) -> None:
        self._artist, self._may_ask, self._number = artist, may_ask, 0

    def step(self, title: str) -> None:
        """A numbered heading."""
        self._number += 1
        errors.print(f"[bold]{self._number}. {title}[/bold]", highlight=False)

    def said(self, line: str) -> None:
        """A line below it."""
        errors.print(f"   {line}", highlight=False, markup=False, soft_wrap=True)

    def warned(self, line: str) -> None:
        """A line that stands out."""
        errors.print("   [yellow]![/yellow] ", end="")
        errors.print(line, highlight=False, markup=False, soft_wrap=True)

    def uploading(self, name: str) -> OnBytes:
        """A bar that is gone when the bytes are there."""
        bar = Progress(TextColumn("   {task.description}"), BarColumn(), console=errors, transient=True)
        bar.disable = not errors.is_terminal
        task = bar.add_task(name, total=None)

        def on_bytes(done: int, total: int) -> None:
            if done < total and not bar.live.is_started:
                bar.start()
            bar.update(task, completed=done, total=total)
            if done >= total:
                bar.stop()

        return on_bytes

    def wait(self, operation: Operation, what: str) -> Json:
        """The finished resource, with a bar while it is made."""
        return wait(self._artist, operation, f"   {what}")

    def agrees(self, question: str) -> bool | None:
        """The answer to a question; None where nobody may be asked."""
        return Confirm.ask(f"   {question}", console=errors) if self._may_ask else None
