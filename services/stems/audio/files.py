from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiofiles.bounded import Bounds, Broken, call_bounded
from audiofiles.faults import Unfit
from chassis.errors import AppError
from chassis.logs import get_logger
from services.stems.audio.encoders import chunk_file
from services.stems.audio.space import scratch_full, telling_full_disk
from services.stems.audio.stems import WrittenStems
from services.stems.domain import (
    Block,
    OutputFormat,
    Recording,
    Selection,
    SeparationChannelsUnsupported,
    SeparationInputDamaged,
    SeparationInputNotFinite,
    SeparationInputTooLong,
    SourceAsset,
    StemFiles,
)

log = get_logger(__name__)

# For what a decoder writes beside the frames.
_SLACK_BYTES = 8 << 20
_ERRORS: dict[str, type[AppError]] = {
    "AUDIO_NOT_FINITE": SeparationInputNotFinite,
    "AUDIO_CHANNELS": SeparationChannelsUnsupported,
}


@dataclass(frozen=True, slots=True)
class AudioFiles:
    """Decodes and encodes in bounded memory.

    Args:
        decode_timeout_s: Wall and processor seconds that decoding one file may take.
        decode_memory_bytes: Address space of the process that decodes, libraries included.
    """

    decode_timeout_s: float = 900
    decode_memory_bytes: int = 2 << 30

    def decode(self, file: Path, target: Path, asset: SourceAsset) -> Recording:
        """The file's frames in the target, 3 to 8 channels mixed down to two.

        Another process reads the file, so that a hostile one harms that process alone. The mix-down follows
        ITU-R BS.775 for channels in the order of WAVE, without the LFE and without scaling.
        """
        bounds = Bounds(
            math.ceil(self.decode_timeout_s),
            self.decode_memory_bytes,
            asset.frame_count * min(asset.channels, 2) * 4 + _SLACK_BYTES,
        )
        arguments = {"audio": str(file), "target": str(target), "max_frames": asset.frame_count}
        try:
            found = call_bounded("audiofiles.raw:decode_to_raw", arguments, bounds, target.parent)
        except Unfit as fault:
            raise _told(fault, asset) from fault
        _compare(found, asset)
        return Recording(target, asset.rate_hz, found["kept_channels"], asset.frame_count)

    def write(self, mix: Recording, selection: Selection, output_format: OutputFormat, folder: Path) -> StemFiles:
        """Begin the stems of a mix as files in the folder; the selection is settled.

        FLAC and MP3 clip at full scale, so that all stems get one common gain when one would. Of TWO_STEMS the second,
        and the residual, is what the others leave of the mix as their FLAC files hold them.

        Raises:
            SeparationFormatUnsupported: The format has no such rate.
        """
        output_format.check_rate(mix.rate_hz)
        return WrittenStems(mix, selection, output_format, folder)

    def encode_chunk(self, stems: Block, rate_hz: int, output_format: OutputFormat, folder: Path) -> dict[str, Path]:
        """A stretch of the stems as files that play by themselves: WAV for WAV_FLOAT, else FLAC, which clips."""
        with telling_full_disk():
            return {stem: chunk_file(frames, rate_hz, output_format, folder / stem) for stem, frames in stems.items()}


def _told(fault: Unfit, asset: SourceAsset) -> AppError:
    """The domain's error for what is wrong with the file."""
    if fault.reason == "NO_SPACE":
        return scratch_full()
    message = f"{asset.name} ({asset.media_type}): {fault.message}"
    if isinstance(fault, Broken):
        log.warning("decoder_ended_badly", asset=asset.name, status=fault.status, stderr=fault.stderr)
        if fault.status is None:
            return SeparationInputTooLong(message)
    kind = _ERRORS.get(fault.reason, SeparationInputDamaged)
    return kind(message, metadata={"fault": fault.reason, **fault.facts})


def _compare(found: dict[str, Any], asset: SourceAsset) -> None:
    """The file must be what its asset says."""
    for fact, promised in (
        ("rate_hz", asset.rate_hz),
        ("channels", asset.channels),
        ("frame_count", asset.frame_count),
    ):
        if found[fact] != promised:
            raise SeparationInputDamaged(
                f"{asset.name} decodes with {fact} {found[fact]} and was stored with {promised}; upload it again",
                metadata={"fault": "AUDIO_CHANGED", "promised": str(promised), "there": str(found[fact])},
            )
