"""Music from trained versions."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chassis.errors import NotFound, collect
from chassis.ids import format_name
from services.datasets.domain.provider_failures import GenerationEmpty, GenerationFailed
from services.datasets.domain.provider_runs import Patience, ProviderRun, RunState, Told, ended, heard

NAME = "artists/{artist}/generations/{generation}"
COLLECTION = "generations"


class GenerationNotFound(NotFound):
    """There is no such generation."""

    REASON = "GENERATION_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Sampling:
    """What to play and how, as the tuned model takes it.

    Attributes:
        prompt: 1 to 2,000 characters.
        duration_s: 1 to 120.
        seed: 1 to 2^31 - 1; 0 takes a random one, which is kept, so that the same music can be had again.
        temperature: Above 0 to 10.
        top_k: 1 to 2,048.
        top_p: 0 to 1; 0 leaves it to `top_k`.
        guidance: 1 to 20.
    """

    prompt: str
    duration_s: int = 8
    seed: int = 0
    temperature: float = 1.0
    top_k: int = 250
    top_p: float = 0.0
    guidance: int = 3

    def __post_init__(self) -> None:
        with collect() as found:
            said = self.prompt.strip() and len(self.prompt) <= 2000 and "\x00" not in self.prompt
            found.require(bool(said), "generation.prompt", "1 to 2,000 characters")
            found.require(1 <= self.duration_s <= 120, "generation.duration_s", "1 to 120; 0 for 8")
            found.require(0 <= self.seed < 1 << 31, "generation.seed", "1 to 2,147,483,647; 0 for a random one")
            found.require(0 < self.temperature <= 10, "generation.temperature", "above 0 to 10")
            found.require(1 <= self.top_k <= 2048, "generation.top_k", "1 to 2,048; 0 for 250")
            found.require(0 <= self.top_p <= 1, "generation.top_p", "0 to 1")
            found.require(1 <= self.guidance <= 20, "generation.guidance", "1 to 20; 0 for 3")

    def seeded(self) -> Sampling:
        """The same with a seed of its own."""
        return self if self.seed else replace(self, seed=secrets.randbelow((1 << 31) - 1) + 1)

    def to_inputs(self) -> dict[str, Any]:
        """Inputs of the tuned model. Source: spec, inputs of the trainer's predictions."""
        return {
            "prompt": self.prompt,
            "duration": self.duration_s,
            "seed": self.seed,
            "temperature": self.temperature,
            "top_k": self.top_k,
            "top_p": self.top_p,
            "classifier_free_guidance": self.guidance,
            "output_format": "wav",
            "normalization_strategy": "loudness",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation(ProviderRun):
    """One piece of music in the making or made.

    Attributes:
        training: Name of the training whose version plays.
        version: That version, `owner/model:version`.
        output_url: Where the provider keeps the audio, until it is an asset.
        deliveries: Tries to make an asset of it.
    """

    training: str
    version: str
    sampling: Sampling
    output_url: str = ""
    deliveries: int = 0
    asset: str = ""

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(NAME, artist=self.artist, generation=self.uid)

    @property
    def inputs(self) -> dict[str, Any]:
        """What the provider is given."""
        return self.sampling.to_inputs()


def heard_of(generation: Generation, told: Told, now: datetime, patience: Patience) -> Generation:
    """The generation after the provider's news; it succeeds only once the audio is an asset."""
    if generation.state.is_final or generation.output_url or generation.provider_id not in ("", told.id):
        return generation
    after = heard(generation, told, now, patience)
    if after.state is RunState.SUCCEEDED:
        url = _output_of(told.output)
        if not url:
            return ended(after, RunState.FAILED, now, GenerationEmpty("the provider gave no audio; generate again"))
        return replace(after, state=RunState.RUNNING, output_url=url, check_time=now)
    if after.state is RunState.FAILED:
        said = told.error.strip().replace("\x00", "")[:500] or "the provider gave no reason"
        return ended(after, RunState.FAILED, now, GenerationFailed(f"the generation failed: {said}"))
    return ended(after, after.state, now) if after.state.is_final else after


def _output_of(output: Any) -> str:
    found = output[0] if isinstance(output, list) and output else output
    return found if isinstance(found, str) and len(found) <= 2000 else ""
