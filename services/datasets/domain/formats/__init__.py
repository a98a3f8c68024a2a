"""Every format of an export: what its reader takes, what it loses, and how its files are laid out."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.errors import Violation, require
from services.datasets.domain.exports import CHUNK_S, TAIL_S, Entry, ExportFormat, ExportOptions
from services.datasets.domain.findings import Finding
from services.datasets.domain.formats import findings as found
from services.datasets.domain.formats.acestep import ACESTEP_15, ACESTEP_V1
from services.datasets.domain.formats.audiocraft import AUDIOCRAFT
from services.datasets.domain.formats.audiofolder import HF_AUDIOFOLDER, MUSICGEN_DREAMBOOTH
from services.datasets.domain.formats.pairs import MUSICGEN_TRAINER, PAIRED_TEXT, REPLICATE_MUSICGEN
from services.datasets.domain.formats.shape import SUFFIXES, TAR, ZIP, ArchiveKind, Shape, samples_of
from services.datasets.domain.formats.stable_audio import STABLE_AUDIO, WEBDATASET
from services.datasets.domain.recipes import Piece, Recipe
from services.datasets.domain.rendering import MEDIA_TYPES, rate_of, stays
from services.datasets.domain.snapshots import SnapshotMember

__all__ = [
    "ArchiveKind",
    "ZIP",
    "TAR",
    "archive_kind",
    "check_options",
    "recipe",
    "refusals",
    "findings",
    "planned_pieces",
    "cut_spans",
    "layout",
]

_SHAPES: dict[ExportFormat, Shape] = {
    ExportFormat.REPLICATE_MUSICGEN: REPLICATE_MUSICGEN,
    ExportFormat.AUDIOCRAFT: AUDIOCRAFT,
    ExportFormat.HF_AUDIOFOLDER: HF_AUDIOFOLDER,
    ExportFormat.ACESTEP_V1: ACESTEP_V1,
    ExportFormat.ACESTEP_15: ACESTEP_15,
    ExportFormat.STABLE_AUDIO: STABLE_AUDIO,
    ExportFormat.PAIRED_TEXT: PAIRED_TEXT,
    ExportFormat.MUSICGEN_TRAINER: MUSICGEN_TRAINER,
    ExportFormat.MUSICGEN_DREAMBOOTH: MUSICGEN_DREAMBOOTH,
    ExportFormat.WEBDATASET: WEBDATASET,
}


def archive_kind(export_format: ExportFormat) -> ArchiveKind:
    """How the format's files are packed: `.zip`, or `.tar` for WEBDATASET."""
    return _SHAPES[export_format].kind


def check_options(export_format: ExportFormat, options: ExportOptions) -> None:
    """Refuse options that this format cannot keep.

    Raises:
        FieldInvalid: An option does not fit the format.
    """
    word = export_format.value
    nested_fits = not options.nested or export_format is ExportFormat.REPLICATE_MUSICGEN
    require(nested_fits, "options.nested", f"false, as {word} has one layout; only REPLICATE_MUSICGEN knows another")
    shape = _SHAPES[export_format]
    cut_fits = not options.cut or shape.shortest_s < CHUNK_S
    require(cut_fits, "options.cut", f"false, as the reader of {word} cuts by itself and skips what is below 30 s")


def recipe(export_format: ExportFormat, options: ExportOptions) -> Recipe:
    """How audio is made ready for the format.

    Raises:
        FieldInvalid: An option does not fit the format.
    """
    check_options(export_format, options)
    shape = _SHAPES[export_format]
    return Recipe(
        accepted=shape.accepted,
        encoding=shape.encoding,
        mode=options.audio_mode,
        rate_hz=options.rate_hz,
        channels=options.channels,
        loudness_lufs=options.loudness_lufs,
        cut=options.cut or shape.always_cut,
        remove_vocals=options.remove_vocals,
    )


def refusals(export_format: ExportFormat, members: Sequence[SnapshotMember], options: ExportOptions) -> list[Violation]:
    """The items that the format's reader would leave out: their names with what to do."""
    shortest_s = _SHAPES[export_format].shortest_s
    return [
        Violation(
            member.item_name,
            f"it is {member.audio.duration_s:.1f} s long and the reader of {export_format.value} skips what is below "
            f"{shortest_s:.0f} s; leave it out or choose another format",
        )
        for member in members
        if member.audio.duration_s < shortest_s
    ]


def findings(export_format: ExportFormat, members: Sequence[SnapshotMember], options: ExportOptions) -> list[Finding]:
    """What a person should know about these items in this format."""
    shape = _SHAPES[export_format]
    samples = samples_of(planned_pieces(recipe(export_format, options), members), options)
    return [*found.of_options(export_format, shape, options), *found.of_samples(export_format, shape, samples, options)]


def planned_pieces(how: Recipe, members: Sequence[SnapshotMember]) -> list[Piece]:
    """The pieces that come of the members by this recipe: names, lengths and rates as they will be, objects unknown."""
    pieces = []
    for member in members:
        audio = member.audio
        if stays(audio, how):
            whole = Piece(
                member, 0, 1, audio.object_key, audio.size_bytes, audio.crc32, audio.sha256, audio.media_type,
                0.0, audio.duration_s, audio.rate_hz, audio.channels,
            )  # fmt: skip
            pieces.append(whole)
            continue
        spans = cut_spans(audio.duration_s) if how.cut else [(0.0, audio.duration_s)]
        media_type, rate_hz = MEDIA_TYPES[how.encoding], rate_of(how)
        for index, (start_s, duration_s) in enumerate(spans):
            piece = Piece(
                member, index, len(spans), "", 0, 0, "", media_type, start_s, duration_s, rate_hz, how.channels
            )
            pieces.append(piece)
    return pieces


def cut_spans(duration_s: float) -> list[tuple[float, float]]:
    """Start and length in seconds of the pieces that a file is cut into: 30 s each, the last one if longer than 5 s."""
    total_ms, chunk_ms = round(duration_s * 1000), int(CHUNK_S * 1000)
    if total_ms <= chunk_ms:
        return [(0.0, duration_s)]
    whole, rest_ms = divmod(total_ms, chunk_ms)
    spans = [(index * CHUNK_S, CHUNK_S) for index in range(whole)]
    if rest_ms > TAIL_S * 1000:
        spans.append((whole * CHUNK_S, duration_s - whole * CHUNK_S))
    return spans


def layout(
    export_format: ExportFormat, pieces: Sequence[Piece], options: ExportOptions, *, name: str = "dataset"
) -> list[Entry]:
    """The files of the archive in order; equal pieces, options and name give equal files.

    Args:
        export_format: The format.
        pieces: The audio, in order of members and then of pieces.
        options: Choices that change the bytes.
        name: What manifests call the dataset: letters, digits, `.`, `_` and `-`.
    """
    unknown = {piece.media_type for piece in pieces} - set(SUFFIXES)
    if unknown:
        raise ValueError(f"no suffix for {', '.join(sorted(unknown))}")
    return _SHAPES[export_format].lay_out(samples_of(pieces, options), options, name)
