"""Findings, readiness, caption runs and emulations as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from tonewright_client.client import ArtistHandle
from tonewright_client.models import CaptionRun, EmulatedItem, EmulateTrainingResponse, Finding, TrainingBudget
from tonewright_client.models import services__gateway__models__datasets__Readiness as Readiness
from tonewright_client.money import usd
from tonewright_client.terminal import errors, out, print_table, short

# The finding of trainings that no provider did.
STAND_IN = "TRAINER_IS_STANDIN"
# Up to so many findings of one reason stand each on a line; beyond, so many items are named in one line.
_EACH, _NAMED = 2, 6


def show_findings(findings: Sequence[Finding], *, about: str = "", titles: Mapping[str, str] | None = None) -> None:
    """One line per reason, errors first; a reason that many items share names them.

    Args:
        findings: What was found.
        about: What all of it is about; default: each finding's own item.
        titles: What to call items by their names; default: the last part of the name.
    """
    groups: dict[tuple[bool, str], list[Finding]] = {}
    for one in findings:
        groups.setdefault((one["severity"] != "ERROR", one["reason"]), []).append(one)
    for (is_warning, reason), group in sorted(groups.items()):
        colour = "yellow" if is_warning else "red"
        for line in _lines(group, about, titles or {}):
            errors.print(f"[{colour}]{reason}[/{colour}] ", end="", highlight=False)
            errors.print(line, highlight=False, markup=False, soft_wrap=True)


def _lines(group: Sequence[Finding], about: str, titles: Mapping[str, str]) -> list[str]:
    places = [about or titles.get(one["training_item"], "") or short(one["training_item"]) for one in group]
    if len(group) <= _EACH:
        pairs = zip(places, (one["message"] for one in group), strict=True)
        return [f"{place}: {message}" if place else message for place, message in pairs]
    left = f" and {len(group) - _NAMED} more" if len(group) > _NAMED else ""
    return [f"{len(group)} items ({', '.join(places[:_NAMED])}{left}), as: {group[0]['message']}"]


def show_readiness(found: Readiness, titles: Mapping[str, str] | None = None) -> None:
    """Whether it can be trained on, and what is missing; `titles` as for findings."""
    said = "[green]ready[/green]" if found["ready"] else "[red]not ready[/red]"
    states = ", ".join(f"{count} {state.lower().replace('_', ' ')}" for state, count in found["items_by_state"].items())
    pairs = f"{found['pair_count']} pairs of {found['min_pairs']} that a training wants"
    out.print(f"{said}: {pairs}, {clock(found['duration_s'])} of audio; {states}", highlight=False, soft_wrap=True)
    show_findings(found["findings"], titles=titles)


def show_run(run: CaptionRun) -> None:
    """What became of a caption run."""
    counts = [
        f"{run['accepted_count']} written",
        f"{run['proposed_count']} break rules and wait as proposals",
        f"{run['skipped_count']} left alone",
        f"{run['failed_count']} failed",
    ]
    out.print(f"{', '.join(counts)}; {usd(run['cost_usd_micros'])}", highlight=False, soft_wrap=True)
    for result in run["results"]:
        error = result["error"]
        if error:
            line = f"[red]{short(result['training_item'])}:[/red] {error['message']}"
            errors.print(line, highlight=False, soft_wrap=True)


def show_emulation(found: EmulateTrainingResponse, titles: Mapping[str, str] | None = None) -> None:
    """What the trainer will do, file by file, and what it costs; `titles` as for findings."""
    called = titles or {}
    table = Table("file", "recording", "pieces", "kept", "dropped", "padding", "caption that the model is given")
    for item in found["items"]:
        kept = sum(piece["duration_s"] for piece in item["pieces"])
        seen = str(item["chunk_count"]) if item["seen"] else "[red]not seen[/red]"
        caption = item["caption"] if item["caption_used"] else "[red]none[/red]"
        row = (f"{kept:.1f} s", f"{item['dropped_s']:.1f} s", f"{item['padded_s']:.1f} s")
        title = called.get(item["training_item"], "")
        table.add_row(item["path"] or short(item["training_item"]), title, seen, *row, caption)
    print_table(table)
    expected_s = found["expected_duration_s"]
    lasts = f" in about {clock(expected_s)} min" if expected_s else ""
    cost = usd(found["expected_cost_usd_micros"]) if found["expected_cost_usd_micros"] else "no cost that is known"
    out.print(
        f"{len(found['items'])} files → {found['chunk_count']} pieces, {found['step_count']:,} steps of "
        f"{found['effective_batch_size']} samples{lasts} for {cost}",
        highlight=False,
        soft_wrap=True,
    )
    out.print("[green]a model comes of it[/green]" if found["succeeds"] else "[red]the training would fail[/red]")
    # Messages of items begin with their paths.
    of_items = [_bare(one, item, called) for item in found["items"] for one in item["findings"]]
    show_findings([*found["findings"], *of_items])


def _bare(finding: Finding, item: EmulatedItem, titles: Mapping[str, str]) -> Finding:
    title = titles.get(item["training_item"])
    place = f"{item['path']} ({title})" if title else item["path"]
    return {**finding, "training_item": place, "message": finding["message"].removeprefix(f"{item['path']}: ")}


def titles_of(artist: ArtistHandle) -> dict[str, str]:
    """What to call each training item of an artist, by its name."""
    return {item["name"]: item["display_name"] for item in artist.training_items.list(page_size=1000)}


def show_stand_in(budget: TrainingBudget) -> None:
    """A line where no provider trains."""
    if budget["stand_in"]:
        errors.print(f"[yellow]{STAND_IN}[/yellow] no provider is set up: a stand-in plays it and trains nothing")


def clock(seconds: float) -> str:
    """A length as minutes and seconds."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"
