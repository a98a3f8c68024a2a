"""Where a trained version comes from, for people to read."""

from __future__ import annotations

from typing import cast

from tonewright_client.models import Lineage, SnapshotMember
from tonewright_client.money import usd
from tonewright_client.transport import Json


def lineage_lines(lineage: Lineage) -> list[str]:
    """A lineage as an indented tree, from the newest thing down to every recording."""
    lines: list[str] = []
    generation, training = lineage["generation"], lineage["training"]
    export, snapshot = lineage["export"], lineage["snapshot"]
    if generation:
        lines.append(f'{generation["name"]}: "{generation["prompt"]}" → {generation["asset"] or "no audio yet"}')
    if training:
        version = training["version"] or f"no version ({training['state']})"
        lines.append(f"└ {training['name']}: {version} by {training['trainer']}, {usd(training['cost_usd_micros'])}")
    if export:
        lines.append(f"  └ {export['name']}: {export['file_name']}, {export['size_bytes']:,} bytes")
    if snapshot:
        lines.append(f"    └ {snapshot['name']}: {snapshot['item_count']} pairs, content {snapshot['content_sha256']}")
    lines += [f"      {line}" for member in lineage["members"] for line in _member_lines(member)]
    return lines


def _member_lines(facts: SnapshotMember) -> list[str]:
    provenance = facts["provenance"] or {}
    writer = " ".join(str(provenance[part]) for part in ("engine", "model", "prompt_version") if provenance.get(part))
    consent = cast(Json, facts["consent"] or {})
    allowed = f"allowed by {consent['given_by']}" if consent.get("training_allowed") else "consent unknown"
    source = str(facts["caption_source"] or "").lower()
    live_set = f"{facts['live_set']} ({facts['live_set_sha256'][:12]})" if facts["live_set"] else "none"
    return [
        f"└ {facts['position']}. {facts['display_name'] or facts['training_item']}: {facts['caption']}",
        f"    caption revision {facts['caption_revision']}, {source}{f' from {writer}' if writer else ''}",
        f"    audio {facts['asset']}, {facts['licence'] or 'no licence given'}, {allowed}",
        f"    Live Set {live_set}",
    ]
