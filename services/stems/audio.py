"""Audio files in and out, in blocks of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from services.stems.domain import (
    OutputFormat,
    Recording,
    Selection,
    SeparationInputDamaged,
    SourceAsset,
    StemSet,
)

Float32 = npt.NDArray[np.float32]

_BLOCK_FRAMES = 1 << 16
# The largest value that 24 bits hold: -1.0 fits, +1.0 does not.
_FULL_SCALE = 1 - 2.0**-23


@dataclass(frozen=True, slots=True)
class AudioFiles:
    """Decodes, mixes and encodes through libsndfile."""

    def decode(self, file: Path, target: Path, asset: SourceAsset) -> Recording:
        """The file's frames as float32; NaN and infinity become 0."""
        try:
            count = self._decode(file, target, asset)
        except soundfile.LibsndfileError as error:
            raise SeparationInputDamaged(
                f"{asset.name} ({asset.media_type}) does not decode; upload it again as WAV or FLAC"
            ) from error
        if count != asset.frame_count:
            raise SeparationInputDamaged(
                f"{asset.name} decodes to {count} frames and was stored with {asset.frame_count}; upload it again"
            )
        return Recording(target, asset.rate_hz, asset.channels, count)

    def _decode(self, file: Path, target: Path, asset: SourceAsset) -> int:
        count = 0
        with soundfile.SoundFile(file) as source, target.open("wb") as out:
            found = (source.samplerate, source.channels)
            if found != (asset.rate_hz, asset.channels):
                raise SeparationInputDamaged(f"{asset.name} has rate and channels {found}, other than its asset says")
            for block in source.blocks(_BLOCK_FRAMES, dtype="float32", always_2d=True):
                count += len(block)
                if count > asset.frame_count:
                    break
                np.nan_to_num(block, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
                out.write(block.data)
        return count

    def select(
        self, mix: Recording, sources: dict[str, Recording], selection: Selection, folder: Path
    ) -> dict[str, Recording]:
        """The stems asked for; of two stems the second is the mix without the first."""
        if selection.stem_set is StemSet.TWO_STEMS:
            target = selection.target_stem
            rest = "instruments" if target == "vocals" else f"no_{target}"
            return {target: sources[target], rest: _difference(mix, sources[target], folder / f"{rest}.f32")}
        wanted = selection.wanted_stems or tuple(sources)
        return {name: sources[name] for name in wanted}

    def common_gain_db(self, stems: Sequence[Recording]) -> float:
        """The gain, 0 or below, at which none of them goes beyond full scale."""
        peak = max((float(np.abs(block).max()) for stem in stems for block in _blocks(stem)), default=0.0)
        return 0.0 if peak <= _FULL_SCALE else float(20 * np.log10(_FULL_SCALE / peak))

    def encode(self, stem: Recording, target: Path, output_format: OutputFormat, gain_db: float) -> None:
        """Write the stem as FLAC with 24 bits or WAV with 32-bit floats."""
        gain = np.float32(10 ** (gain_db / 20))
        options: dict[str, Any] = (
            {"format": "FLAC", "subtype": "PCM_24"}
            if output_format is OutputFormat.FLAC_24
            else {"format": "RF64" if stem.frame_count * stem.channels > 1 << 29 else "WAV", "subtype": "FLOAT"}
        )
        with soundfile.SoundFile(target, "w", stem.rate_hz, stem.channels, **options) as out:
            for block in _blocks(stem):
                out.write(block * gain)


def _blocks(stem: Recording) -> Iterator[Float32]:
    with stem.path.open("rb") as file:
        while data := file.read(_BLOCK_FRAMES * stem.channels * 4):
            yield np.frombuffer(data, np.float32).reshape(-1, stem.channels)


def _difference(mix: Recording, part: Recording, target: Path) -> Recording:
    with target.open("wb") as out:
        for whole, piece in zip(_blocks(mix), _blocks(part), strict=True):
            out.write((whole - piece).data)
    return Recording(target, mix.rate_hz, mix.channels, mix.frame_count)
