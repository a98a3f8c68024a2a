"""Every format's files, byte for byte: listings and texts in `formats/`, written anew by running this module."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.datasets.domain import formats
from services.datasets.domain.exports import Entry, ExportFormat, ExportOptions
from services.datasets.domain.recipes import AudioMode
from tests.material.dataset_pieces import pieces

FOLDER = Path(__file__).parent / "formats"
OPTIONS = {
    "plain": ExportOptions(),
    "chosen": ExportOptions(
        trigger="nova style",
        suffix="instrumental",
        validation_share=0.25,
        audio_mode=AudioMode.NORMALISED,
        rate_hz=48_000,
        channels=1,
    ),
}


def described(entries: list[Entry]) -> str:
    """Names with what is known of them, then every text."""
    lines = []
    for entry in entries:
        lines.append(f"{entry.name}  {entry.size_bytes} bytes, crc {entry.crc32:08x}")
        if entry.object_key:
            length = f"{entry.duration_s:g} s from {entry.start_s:g} s, {entry.rate_hz} Hz, {entry.channels} ch"
            lines.append(f"    {length}, {entry.object_key}")
    for entry in entries:
        if not entry.object_key:
            lines += ["", f"=== {entry.name}", entry.inline.decode() + "<end>"]
    return "\n".join(lines) + "\n"


def golden(export_format: ExportFormat, chosen: str) -> str:
    """What the format makes of the dataset today."""
    options = OPTIONS[chosen]
    return described(formats.layout(export_format, pieces(export_format, options), options, name="night-set"))


@pytest.mark.parametrize("chosen", OPTIONS)
@pytest.mark.parametrize("export_format", ExportFormat)
def test_a_formats_files_are_as_they_were(export_format: ExportFormat, chosen: str) -> None:
    kept = (FOLDER / f"{export_format.value.lower()}-{chosen}.txt").read_text(encoding="utf-8")

    assert golden(export_format, chosen) == kept


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in ExportFormat:
        for word in OPTIONS:
            (FOLDER / f"{each.value.lower()}-{word}.txt").write_text(golden(each, word), encoding="utf-8")
