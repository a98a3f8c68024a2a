"""What somebody asks for: the model, which stems, how, and where to tell the end."""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from chassis.errors import collect, require
from services.stems.domain.errors import SeparationFormatUnsupported

# A new number makes every remembered result stale: raise it when the same input gives other stems.
RESULT_VERSION = 2
VOCALS = "vocals"
RESIDUAL = "residual"
# Rates at which MP3 has 320 kbit/s (MPEG-1 layer III).
MP3_RATES_HZ = (32000, 44100, 48000)
_MAX_FLAC_RATE_HZ = 655350
_MAX_URL = 2000


class StemSet(enum.StrEnum):
    """Which stems come out."""

    ALL = "ALL"
    TWO_STEMS = "TWO_STEMS"
    SUBSET = "SUBSET"


class OutputFormat(enum.StrEnum):
    """How a stem is stored."""

    FLAC_24 = "FLAC_24"
    WAV_FLOAT = "WAV_FLOAT"
    MP3 = "MP3"

    @property
    def media_type(self) -> str:
        """Media type of the stored bytes."""
        return {"FLAC_24": "audio/flac", "WAV_FLOAT": "audio/wav", "MP3": "audio/mpeg"}[self.value]

    def check_rate(self, rate_hz: int) -> None:
        """Refuse a rate that the format does not have."""
        fitting = [kind.value for kind in OutputFormat if kind.has_rate(rate_hz)]
        if self.value not in fitting:
            raise SeparationFormatUnsupported(
                f"{self} has no rate of {rate_hz} Hz; ask for {' or '.join(fitting)}",
                metadata={"formats": ",".join(fitting), "rate_hz": str(rate_hz)},
            )

    def has_rate(self, rate_hz: int) -> bool:
        """Whether audio at this rate can be stored so."""
        match self:
            case OutputFormat.MP3:
                return rate_hz in MP3_RATES_HZ
            case OutputFormat.FLAC_24:
                return rate_hz <= _MAX_FLAC_RATE_HZ
        return True


class Priority(enum.IntEnum):
    """Which jobs go first: the higher."""

    BATCH = 0
    INTERACTIVE = 10


@dataclass(frozen=True, slots=True)
class Model:
    """What separates."""

    id: str
    display_name: str
    engine: str
    sources: tuple[str, ...]
    rate_hz: int  # 0: the source's own
    channels: int  # 0: the source's own
    digest: str
    licence: str = ""
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the engine is told."""

    overlap: float = 0.25
    shifts: int = 0
    seed: int = 0
    deterministic: bool = False

    def __post_init__(self) -> None:
        with collect() as rules:
            fits = math.isfinite(self.overlap) and 0 <= self.overlap <= 0.9
            rules.require(fits, "separation.parameters.overlap", "0 to 0.9")
            rules.require(0 <= self.shifts <= 10, "separation.parameters.shifts", "0 to 10")

    def facts(self, engine: str) -> dict[str, float | int]:
        """What of them changes the outcome in this engine."""
        if engine == "stub":
            return {}
        facts = {"overlap": self.overlap, "shifts": self.shifts, "seed": self.seed if self.shifts else 0}
        return facts | {"deterministic": 1} if self.deterministic else facts


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of a model's stems come out."""

    stem_set: StemSet = StemSet.ALL
    target_stem: str = ""
    wanted_stems: tuple[str, ...] = ()
    include_residual: bool = False  # also what the stems leave of the mix

    def settled(self, model: Model) -> Selection:
        """The selection with its defaults filled in, checked against what the model gives."""
        target = self.target_stem or (VOCALS if self.stem_set is StemSet.TWO_STEMS else "")
        known = f"one of {', '.join(model.sources)}"
        with collect() as rules:
            two = self.stem_set is StemSet.TWO_STEMS
            rules.require(
                target in model.sources if two else not target,
                "separation.target_stem",
                known if two else "nothing unless stem_set is TWO_STEMS",
            )
            some = self.stem_set is StemSet.SUBSET
            wanted = self.wanted_stems
            fits = len(set(wanted)) == len(wanted) > 0 and set(wanted) <= set(model.sources)
            rules.require(
                fits if some else not wanted,
                "separation.wanted_stems",
                f"at least {known}, none twice" if some else "nothing unless stem_set is SUBSET",
            )
            rules.require(
                not (two and self.include_residual),
                "separation.include_residual",
                "false for TWO_STEMS, whose second stem is what the first leaves of the mix",
            )
        ordered = tuple(source for source in model.sources if source in wanted)
        return Selection(self.stem_set, target, ordered, self.include_residual)

    def sources(self, model: Model) -> tuple[str, ...]:
        """Those of the model's sources that the stems are made of."""
        return (self.target_stem,) if self.stem_set is StemSet.TWO_STEMS else self.wanted_stems or model.sources

    @property
    def rest(self) -> str:
        """What the stem is called that is all the others leave of the mix; empty when there is none."""
        if self.stem_set is StemSet.TWO_STEMS:
            return "instruments" if self.target_stem == VOCALS else f"no_{self.target_stem}"
        return RESIDUAL if self.include_residual else ""

    def labels(self, model: Model) -> tuple[str, ...]:
        """What the stems are called, in the order in which they come out."""
        return self.sources(model) + ((self.rest,) if self.rest else ())


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to tell the end of a separation."""

    url: str
    secret: str = field(repr=False)  # `whsec_` and base64 of the key that signs, Standard Webhooks

    def __post_init__(self) -> None:
        with collect() as rules:
            rules.require(0 < len(self.url) <= _MAX_URL, "separation.webhook.url", f"1 to {_MAX_URL} characters")
            fits = 24 <= len(_key_of(self.secret)) <= 64
            rules.require(fits, "separation.webhook.secret", "whsec_ and the base64 of 24 to 64 bytes")


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asks for."""

    asset: str
    model: str = ""
    selection: Selection = Selection()
    output_format: OutputFormat = OutputFormat.FLAC_24
    parameters: Parameters = Parameters()
    priority: Priority = Priority.BATCH
    labels: Mapping[str, str] = field(default_factory=dict)
    publish_chunks: bool = False
    webhook: Webhook | None = None

    def __post_init__(self) -> None:
        with collect() as rules:
            rules.require(bool(self.asset), "separation.asset", "the name of an asset")
            rules.require(len(self.labels) <= 64, "separation.labels", "at most 64")
            fits = all(1 <= len(key) <= 63 and len(value) <= 255 for key, value in self.labels.items())
            rules.require(fits, "separation.labels", "keys of 1 to 63 characters and values of up to 255")
            exact = self.output_format is not OutputFormat.MP3
            rules.require(
                exact or not self.selection.include_residual,
                "separation.include_residual",
                "false for MP3, whose stems do not sum to the mix",
            )


def content_key(pcm_sha256: str, model: Model, order: Order) -> str:
    """The key that equal work has: SHA-256 over source, engine, model and what changes the outcome."""
    require(len(pcm_sha256) == 64, "pcm_sha256", "64 hex digits")
    facts = {
        "version": RESULT_VERSION,
        "pcm": pcm_sha256,
        "engine": model.engine,
        "model": model.digest,
        "parameters": order.parameters.facts(model.engine),
        "stems": order.selection.labels(model),
        "set": order.selection.stem_set,
        "format": order.output_format,
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _key_of(secret: str) -> bytes:
    prefix, encoded = secret[:6], secret[6:]
    try:
        return base64.b64decode(encoded, validate=True) if prefix == "whsec_" else b""
    except (binascii.Error, ValueError):
        return b""
