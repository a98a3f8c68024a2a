"""Where a trained version comes from, for people to read."""

from __future__ import annotations

from typing import cast

from tonewright_client.models import Lineage, SnapshotMember
from tonewright_client.money import usd
from tonewright_client.transport import Json


def lineage_lines(lineage: Lineage) -> list[str]:
    """A lineage as an indented tree, from the newest thing down to every recording; names without the artist."""
    lines: list[str] = []
    generation, training = lineage["generation"], lineage["training"]
    export, snapshot = lineage["export"], lineage["snapshot"]
    if generation:
        played = _name(generation["asset"]) or "no audio yet"
        lines.append(f'{_name(generation["name"])}: "{generation["prompt"]}" → {played}')
    if training:
        version = training["version"] or f"no version ({training['state']})"
        cost = usd(training["cost_usd_micros"])
        lines.append(f"└ {_name(training['name'])}: {version} by {training['trainer']}, {cost}")
    if export:
        lines.append(f"  └ {_name(export['name'])}: {export['file_name']}, {export['size_bytes']:,} bytes")
    if snapshot:
        content = snapshot["content_sha256"]
        lines.append(f"    └ {_name(snapshot['name'])}: {snapshot['item_count']} pairs, content {content}")
    lines += [f"      {line}" for member in lineage["members"] for line in _member_lines(member)]
    return lines


def _member_lines(facts: SnapshotMember) -> list[str]:
    provenance = facts["provenance"] or {}
    writer = " ".join(str(provenance[part]) for part in ("engine", "model", "prompt_version") if provenance.get(part))
    consent = cast(Json, facts["consent"] or {})
    allowed = f"allowed by {consent['given_by']}" if consent.get("training_allowed") else "consent unknown"
    source = str(facts["caption_source"] or "").lower()
    live_set = f"{_name(facts['live_set'])}, file {facts['live_set_sha256'][:12]}" if facts["live_set"] else "none"
    return [
        f"└ {facts['position']}. {facts['display_name'] or _name(facts['training_item'])}: {facts['caption']}",
        f"    {_name(facts['training_item'])}, revision {facts['caption_revision']}, "
        f"{source}{f' from {writer}' if writer else ''}",
        f"    {_name(facts['asset'])}, {facts['licence'] or 'no licence given'}, {allowed}",
        f"    Live Set {live_set}",
    ]


def _name(name: str) -> str:
    return name.partition("/")[2].partition("/")[2]
