"""A lineage reads from the newest thing down to every recording."""

from __future__ import annotations

from typing import Any, cast

from tonewright_client.lineage import lineage_lines
from tonewright_client.models import Lineage

MEMBER: dict[str, Any] = {
    "position": 1,
    "display_name": "night drive",
    "training_item": "artists/nova/training-items/1",
    "asset": "artists/nova/assets/1",
    "caption": "Warm pads. BPM: 96",
    "caption_revision": 2,
    "caption_source": "EDITED",
    "provenance": {"engine": "offline-composer", "model": "v2", "prompt_version": "train-v2"},
    "live_set": "artists/nova/live-sets/1",
    "live_set_sha256": "ab" * 32,
    "licence": "CC0-1.0",
    "consent": {"training_allowed": True, "given_by": "Nova"},
}
TRAINING = {"name": "artists/nova/trainings/1", "version": "nova/m:1", "trainer": "t:1", "cost_usd_micros": 10_080_000}


def test_every_link_is_a_line() -> None:
    lineage = {
        "generation": {"name": "artists/nova/generations/1", "prompt": "pads", "asset": "artists/nova/assets/9"},
        "training": TRAINING,
        "export": {"name": "artists/nova/exports/1", "file_name": "a.zip", "size_bytes": 1234},
        "snapshot": {"name": "artists/nova/snapshots/1", "item_count": 1, "content_sha256": "cd" * 32},
        "members": [MEMBER],
    }

    lines = lineage_lines(cast(Lineage, lineage))

    text = "\n".join(lines)
    for part in ("generations/1", "nova/m:1", "$10.08", "a.zip, 1,234 bytes", "1 pairs", "Warm pads. BPM: 96"):
        assert part in text
    assert "edited from offline-composer v2 train-v2" in text
    assert "CC0-1.0, allowed by Nova" in text


def test_what_is_unknown_is_said() -> None:
    bare = {**MEMBER, "live_set": "", "licence": "", "consent": None, "provenance": None}
    lineage = {"generation": None, "training": TRAINING, "export": None, "snapshot": None, "members": [bare]}

    text = "\n".join(lineage_lines(cast(Lineage, lineage)))

    assert "no licence given, consent unknown" in text
    assert "Live Set none" in text
