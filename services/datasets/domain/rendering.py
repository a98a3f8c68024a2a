"""Audio that is made anew for datasets: what stays as it is, what makes two renderings the same, and its words."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.datasets.domain.items import Audio
from services.datasets.domain.recipes import AudioMode, Encoding, Piece, Recipe
from services.datasets.domain.snapshots import SnapshotMember

FOLDER = "artists/{artist}/datasets/audio/{key}/"
HOLDER = "artists/{artist}/rendered-audio/{key}"

PIECE_S = 30
# A last piece that is not longer is left out, as the trainer does.
SHORTEST_PIECE_S = 5
_CONVERSION_MAX = 255
MEDIA_TYPES = {Encoding.WAV: "audio/wav", Encoding.MP3: "audio/mpeg"}
_MP3_RATES_HZ = (32_000, 44_100, 48_000)


@dataclass(frozen=True, slots=True)
class SeparationModel:
    """What takes vocals out."""

    engine: str
    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Separation:
    """A separation into vocals and the rest, as it stands.

    Attributes:
        name: Its resource name.
        share: Share done, 0 to 1.
        stage: What is being done now.
        rest: The asset without the vocals; empty until the separation has succeeded.
        fault: Why there will be none; empty otherwise.
    """

    name: str
    share: float = 0.0
    stage: str = ""
    rest: str = ""
    fault: str = ""


class Separations(Protocol):
    """The stems service, as what takes vocals out."""

    def model(self, artist: str) -> SeparationModel:
        """What would do it now."""
        ...

    def start(self, asset: str, model: SeparationModel, request_id: str) -> Separation:
        """The separation of that request; a repeat gives the same one, or raises NotFound when it was deleted since."""
        ...

    def look(self, name: str) -> Separation:
        """The separation as it stands now."""
        ...


@dataclass(frozen=True, slots=True)
class RenderedPiece:
    """One file that was made anew, as an object of the store."""

    object_key: str
    size_bytes: int
    crc32: int
    sha256: str
    start_frame: int
    frames: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """A recording made anew.

    Attributes:
        key: What makes it the same as another, 64 hex digits.
        pieces: Its files, in order.
        facts: What was done beyond the recipe: `gain_db`, `loudness_lufs` before it, `is_limited` by the peak, `model`.
    """

    key: str
    media_type: str
    rate_hz: int
    channels: int
    pieces: tuple[RenderedPiece, ...]
    facts: dict[str, Any] = field(default_factory=dict)


class StemAssets(Protocol):
    """The sessions service, as the keeper of separated audio."""

    def get(self, asset: str) -> Audio:
        """The asset's facts; raises NotFound when there is none."""
        ...

    def hold(self, asset: str, holder: str) -> None:
        """Keep the asset from being deleted; a repeat changes nothing."""
        ...

    def release(self, asset: str, holder: str) -> None:
        """Give the hold back; a repeat changes nothing."""
        ...


class RenderedStore(Protocol):
    """What is known of audio made anew."""

    def find(self, artist: str, key: str) -> Rendered | None:
        """The rendering with all its pieces, from now on in use again; None when there is none."""
        ...

    def add(self, artist: str, rendered: Rendered) -> Rendered:
        """The rendering as it is recorded: this one, or the one that another worker recorded before."""
        ...

    def forget(self, artist: str, key: str) -> None:
        """Drop what is known, because its objects are gone."""
        ...

    def release_later(self, artist: str, asset: str, holder: str) -> None:
        """See to it that a hold ends in a day, whatever becomes of this process."""
        ...


def stays(audio: Audio, recipe: Recipe) -> bool:
    """Whether the asset's own bytes go into the archive."""
    must_be_cut = recipe.cut and audio.duration_s > PIECE_S
    return (
        recipe.mode is AudioMode.AS_NEEDED
        and audio.media_type in recipe.accepted
        and not recipe.remove_vocals
        and not must_be_cut
    )


def rate_of(recipe: Recipe) -> int:
    """Sample rate of files made anew: for MP3 the lowest of its rates that is not below the recipe's."""
    if recipe.encoding is Encoding.WAV:
        return recipe.rate_hz
    return next((rate for rate in _MP3_RATES_HZ if rate >= recipe.rate_hz), _MP3_RATES_HZ[-1])


def content_key(audio: Audio, recipe: Recipe, tools: str, model: SeparationModel | None) -> str:
    """What is the same for two renderings exactly when their bytes are, 64 hex digits.

    Args:
        audio: Its sound counts, not its bytes, so that WAV and FLAC of one take share their rendering.
        recipe: What files made anew are like.
        tools: Names and versions of what resamples and encodes.
        model: What takes the vocals out, if something does.
    """
    parts: dict[str, Any] = {
        "sound": audio.pcm_sha256 or audio.sha256,
        # Beyond stereo the order of channels depends on the kind of file.
        "order": "vorbis" if audio.channels > 2 and audio.media_type == "audio/ogg" else "",
        "encoding": recipe.encoding.value,
        "rate_hz": rate_of(recipe),
        "channels": recipe.channels,
        "loudness_lufs": recipe.loudness_lufs,
        "cut": recipe.cut,
        "model": [model.engine, model.name, model.digest] if model else [],
        "tools": tools,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def own_piece(member: SnapshotMember) -> Piece:
    """The asset's own bytes as the only piece of the member."""
    audio = member.audio
    return Piece(
        member=member,
        index=0,
        count=1,
        object_key=audio.object_key,
        size_bytes=audio.size_bytes,
        crc32=audio.crc32,
        sha256=audio.sha256,
        media_type=audio.media_type,
        start_s=0.0,
        duration_s=audio.duration_s,
        rate_hz=audio.rate_hz,
        channels=audio.channels,
    )


def rendered_pieces(member: SnapshotMember, recipe: Recipe, rendered: Rendered) -> list[Piece]:
    """What was made anew as pieces of the member."""
    told = conversion(member.audio, recipe, rendered)
    return [
        Piece(
            member=member,
            index=index,
            count=len(rendered.pieces),
            object_key=piece.object_key,
            size_bytes=piece.size_bytes,
            crc32=piece.crc32,
            sha256=piece.sha256,
            media_type=rendered.media_type,
            start_s=piece.start_frame / rendered.rate_hz,
            duration_s=piece.frames / rendered.rate_hz,
            rate_hz=rendered.rate_hz,
            channels=rendered.channels,
            conversion=told,
        )
        for index, piece in enumerate(rendered.pieces)
    ]


def conversion(audio: Audio, recipe: Recipe, rendered: Rendered) -> str:
    """What was done, as `flac to wav, 48000 to 44100 Hz, mono to stereo, -18.2 to -14.0 LUFS`."""
    words = [f"{_kind(audio.media_type)} to {_kind(rendered.media_type)}"]
    if audio.rate_hz != rendered.rate_hz:
        words.append(f"{audio.rate_hz} to {rendered.rate_hz} Hz")
    if audio.channels != rendered.channels:
        words.append(f"{_channels(audio.channels)} to {_channels(rendered.channels)}")
    if recipe.remove_vocals:
        words.append(f"vocals removed by {rendered.facts['model']}")
    words += _level(recipe.loudness_lufs, rendered.facts)
    if recipe.cut and len(rendered.pieces) > 1:
        words.append(f"cut into {len(rendered.pieces)} pieces")
    return ", ".join(words)[:_CONVERSION_MAX]


def _level(wanted_lufs: float | None, facts: dict[str, Any]) -> list[str]:
    gain_db, before = float(facts["gain_db"]), facts["loudness_lufs"]
    if wanted_lufs is None:
        return [f"lowered by {-gain_db:.2f} dB so that nothing clips"] if gain_db else []
    if before is None:
        return ["loudness left as it is: there is too little sound to measure"]
    told = f"{before:.1f} to {before + gain_db:.1f} LUFS"
    return [f"{told} (not {wanted_lufs:.1f}: its peak stands at -1 dBFS)" if facts["is_limited"] else told]


def _kind(media_type: str) -> str:
    return {"audio/mpeg": "mp3", "audio/mp4": "m4a"}.get(media_type, media_type.rpartition("/")[2])


def _channels(count: int) -> str:
    return {1: "mono", 2: "stereo"}.get(count, f"{count} channels")
