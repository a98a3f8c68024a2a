"""What the use cases need from outside."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chassis.context import Caller, Role
from chassis.paging import Page
from services.prompt.domain.artists import Artist, Member, Membership, Profile
from services.prompt.domain.captions import Caption, Usage
from services.prompt.domain.instructions import Exchange, Instruction
from services.prompt.domain.live_sets import LiveSet, ReadFile
from services.prompt.domain.rules import RuleContext
from services.prompt.domain.templates import PromptTemplate


class Reader(Protocol):
    """Reads Live Set files."""

    def read(self, pieces: Iterable[bytes]) -> ReadFile:
        """Hash, size and summary of the file."""


class Objects(Protocol):
    """The object store, as far as Live Sets need it."""

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes of an object."""

    def read_part(self, key: str, offset: int, length: int) -> Iterator[bytes]:
        """So many bytes of an object from the offset on, fewer at its end."""

    def size(self, key: str) -> int | None:
        """Size of an object in bytes; None if there is none."""

    def exists(self, key: str) -> bool:
        """Whether there is an object at the key."""

    def put(self, key: str, pieces: Iterable[bytes]) -> None:
        """Store the bytes under the key."""

    def copy(self, source: str, target: str) -> None:
        """Put the bytes of one key at another."""

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is fine."""

    def is_older(self, key: str, moment: datetime) -> bool:
        """Whether the object was last written before the moment; False if there is none."""

    def delete_all(self, prefix: str, *, before: datetime | None = None) -> None:
        """Remove every object whose key begins with the prefix, those that were last written later left out."""


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """What a caption needs to know of an asset."""

    name: str
    duration_s: float
    tempo_bpm: float = 0.0  # as heard; 0 when none is
    tempo_confidence: float = 0.0
    key: str = ""
    key_confidence: float = 0.0


class Assets(Protocol):
    """The audio assets of the sessions service."""

    async def find(self, name: str) -> AssetFacts:
        """The facts of an asset; NotFound when there is none for the caller."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a caption writer gets."""

    instruction: Instruction
    messages: Sequence[Exchange]
    projection: dict[str, Any]
    tempo_bpm: float | None
    context: RuleContext
    variant: int = 0
    seed: int = 0


class Writer(Protocol):
    """Writes captions: a language model or the offline composer."""

    engine: str
    model: str
    max_attempts: int

    def temperature(self, instruction: Instruction) -> float:
        """The sampling temperature that is used."""

    def cost_usd_micros(self, usage: Usage) -> int:
        """What so many tokens cost, in millionths of a US dollar; 0 when free or unknown."""

    def seed_sent(self, task: Task) -> int:
        """The seed that goes to the model; 0 when none does."""

    def write(self, task: Task) -> AsyncGenerator[str | Usage, None]:
        """Text piece by piece; the usage, if known, comes last."""


class Talker(Protocol):
    """Answers conversations: a language model."""

    model: str

    def cost_usd_micros(self, usage: Usage) -> int:
        """What so many tokens cost, in millionths of a US dollar; 0 when free or unknown."""

    def talk(self, messages: Sequence[Exchange]) -> AsyncGenerator[str | Usage, None]:
        """Text piece by piece; the usage, if known, comes last."""


class Transaction(Protocol):
    """One transaction over the rows of one artist, or of all for platform methods."""

    def once(self, caller: Caller, method: str, request_id: str, fingerprint: str, resource: str) -> str | None:
        """None for a new request, else the name that it made before."""

    def made_by(self, caller: Caller, method: str, request_id: str) -> str | None:
        """The name that a request made, whatever its body was; None for a new one."""

    def add_artist(self, artist: Artist) -> None:
        """Keep a new artist with an empty profile; ArtistIdTaken if the id is in use."""

    def artist(self, artist: str, *, deleted: bool = False) -> Artist:
        """The artist; ArtistNotFound if it is not there, or deleted and not asked for."""

    def change_artist(self, artist: str, etag: str, *, deleted: bool | None = False, **columns: Any) -> Artist:
        """Change columns if the etag (unless empty) and the deletion fit."""

    def artists_of(self, principal: str, *, size: int, token: str, show_deleted: bool) -> Page[tuple[Artist, Role]]:
        """The artists of a principal with its roles, newest first."""

    def membership(self, artist: str, principal: str, *, show_deleted: bool) -> Membership:
        """The role of a principal; MembershipNotFound if it has none."""

    def add_member(self, member: Member) -> None:
        """Keep a new member; MemberExists if the principal is one already."""

    def member(self, artist: str, uid: str) -> Member:
        """The member, or MemberNotFound."""

    def members(self, artist: str, *, size: int, token: str) -> Page[Member]:
        """The members, newest first."""

    def count_owners(self, artist: str) -> int:
        """How many owners there are; their rows stay locked until the end."""

    def change_member(self, artist: str, uid: str, etag: str, **columns: Any) -> Member:
        """Change columns if the etag (unless empty) fits."""

    def remove_member(self, artist: str, uid: str, etag: str) -> None:
        """Remove the member if the etag (unless empty) fits."""

    def profile(self, artist: str) -> Profile:
        """The profile of an artist that is not deleted."""

    def change_profile(self, artist: str, etag: str, **columns: Any) -> Profile:
        """Change columns if the etag (unless empty) fits."""

    def add_live_set(self, live_set: LiveSet) -> None:
        """Keep a new Live Set."""

    def live_set(self, artist: str, uid: str, *, deleted: bool = False) -> LiveSet:
        """The Live Set, or LiveSetNotFound."""

    def live_set_of_file(self, artist: str, sha256: str) -> LiveSet | None:
        """The oldest Live Set of the artist that has this file and is not deleted."""

    def live_sets(self, artist: str, *, size: int, token: str, show_deleted: bool, query: str = "") -> Page[LiveSet]:
        """The Live Sets, newest first; only those whose names hold the query, unless it is empty."""

    def change_live_set(
        self, artist: str, uid: str, etag: str, *, deleted: bool | None = False, **columns: Any
    ) -> LiveSet:
        """Change columns if the etag (unless empty) and the deletion fit."""

    def purge_live_sets(self, before: datetime, limit: int) -> list[LiveSet]:
        """Remove Live Sets deleted before the moment and give them back."""

    def holds_file(self, artist: str, sha256: str) -> bool:
        """Whether any Live Set of the artist has this file."""

    def purge_artists(self, before: datetime, limit: int) -> list[str]:
        """Empty artists deleted before the moment and give back their ids."""

    def add_caption(self, caption: Caption) -> None:
        """Keep a new caption."""

    def caption(self, artist: str, uid: str) -> Caption:
        """The caption, or CaptionNotFound."""

    def captions(self, artist: str, *, size: int, token: str, live_set: str = "", asset: str = "") -> Page[Caption]:
        """The captions, newest first; only those of the named Live Set and asset, unless empty."""

    def add_template(self, template: PromptTemplate) -> None:
        """Keep a new template; PromptTemplateExists if the artist has one of that version."""

    def template(self, artist: str, version: str) -> PromptTemplate | None:
        """The artist's own template, if there is one."""

    def default_template(self, artist: str) -> PromptTemplate | None:
        """The artist's own template that was approved last, if one is in use."""

    def templates(self, artist: str, *, size: int, token: str) -> Page[PromptTemplate]:
        """The artist's own templates and the built-in ones, newest first."""

    def change_template(self, template: PromptTemplate, etag: str) -> PromptTemplate:
        """Keep the template's new state if the etag (unless empty) fits."""

    def remove_template(self, artist: str, version: str) -> None:
        """Remove the template; PromptTemplateInUse if a caption was made with it."""


class Store(Protocol):
    """Transactions on the service's rows."""

    def of_artist(self, artist: str, *, write: bool = True) -> AbstractContextManager[Transaction]:
        """A transaction over the rows of one artist."""

    def of_platform(self, job: str, *, write: bool = True) -> AbstractContextManager[Transaction]:
        """A transaction over the rows of all artists, for the named job."""


Run = Callable[..., Awaitable[Any]]
