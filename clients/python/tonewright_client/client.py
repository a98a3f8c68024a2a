"""The typed client of the gateway: one object per artist, one collection per kind of resource."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from tonewright_client.audio import Assets, download
from tonewright_client.captions import Captions, Chat, PromptTemplates
from tonewright_client.collections import Collection, Operations
from tonewright_client.exports import Exports, Snapshots
from tonewright_client.live_sets import LiveSets
from tonewright_client.models import (
    Artist,
    Conversation,
    Member,
    Model,
    Operation,
    Performance,
    Profile,
    Session,
    Ticket,
    TrainingFile,
)
from tonewright_client.separations import Separations
from tonewright_client.training_items import CaptionRuns, TrainingItems
from tonewright_client.trainings import Generations, Trainings
from tonewright_client.transport import Json, Transport


class Conversations(Collection[Conversation]):
    """Conversations that training files are made of."""

    COLLECTION = "conversations"
    FIELD = "conversations"

    def create(self, conversation: Json) -> Conversation:
        """Bring one in: its facts, and the document as JSON text in `document`."""
        return self._create(conversation)

    def enrich(self, name: str) -> Conversation:
        """Compute the enriched document."""
        return cast(Conversation, self._transport.post(f"{self.path(name)}:enrich"))


class TrainingFiles(Collection[TrainingFile]):
    """LoRA training files: JSON v4.0 and JSONL."""

    COLLECTION = "training-files"
    FIELD = "training_files"

    def start(self, display_name: str, conversations: list[str]) -> Operation:
        """Ask for a training file of these conversations."""
        body = {"training_file": {"display_name": display_name}, "conversations": conversations}
        return self._start(self._base, body)

    def download(self, name: str, target: Path, *, file_format: str = "JSON") -> Path:
        """Write the file to disk; `file_format` is JSON or JSONL."""
        return download(self._transport, f"{self.path(name)}/content?format={file_format}", target)


class Sessions(Collection[Session]):
    """Saved sessions."""

    COLLECTION = "sessions"
    FIELD = "sessions"

    def create(self, display_name: str, snapshot: Json, audio: list[Json] | None = None) -> Session:
        """Save a session."""
        return self._create({"display_name": display_name, "snapshot": snapshot, "audio": audio or []})

    def open(self, name: str) -> Json:
        """The session and whether everything it needs is there."""
        return self._transport.post(f"{self.path(name)}:open")

    def copy(self, name: str, display_name: str) -> Session:
        """A copy that shares the audio."""
        return cast(Session, self._transport.post(f"{self.path(name)}:copy", {"display_name": display_name}))

    def rename(self, session: Session, display_name: str) -> Session:
        """The session under another name; refused if it changed meanwhile."""
        body = {"display_name": display_name}
        return cast(Session, self._transport.patch(self.path(session["name"]), body, etag=session["etag"]))


class Performances(Collection[Performance]):
    """Performances; their sound travels over the socket that a ticket opens."""

    COLLECTION = "performances"
    FIELD = "performances"

    def create(self, **performance: Any) -> Performance:
        """Start one from an asset (`asset=`) or a saved session (`session=`)."""
        return self._create(performance)

    def connect(self, name: str) -> Ticket:
        """A ticket that opens the socket once, within a minute."""
        return cast(Ticket, self._transport.post(f"{self.path(name)}:connect"))

    def save(self, name: str, display_name: str) -> Json:
        """Save it as a session; gives the session's name."""
        return self._transport.post(f"{self.path(name)}:save", {"display_name": display_name})

    def stop(self, name: str) -> Performance:
        """End it; what was saved stays."""
        return cast(Performance, self._transport.post(f"{self.path(name)}:stop"))


class ArtistHandle:
    """Everything one artist has."""

    def __init__(self, transport: Transport, name: str) -> None:
        self._transport = transport
        self.name = name if name.startswith("artists/") else f"artists/{name}"
        self.assets = Assets(transport, self.name)
        self.caption_runs = CaptionRuns(transport, self.name)
        self.captions = Captions(transport, self.name)
        self.chat = Chat(transport, self.name)
        self.conversations = Conversations(transport, self.name)
        self.exports = Exports(transport, self.name)
        self.generations = Generations(transport, self.name)
        self.live_sets = LiveSets(transport, self.name)
        self.operations = Operations(transport, self.name)
        self.performances = Performances(transport, self.name)
        self.prompt_templates = PromptTemplates(transport, self.name)
        self.separations = Separations(transport, self.name)
        self.sessions = Sessions(transport, self.name)
        self.snapshots = Snapshots(transport, self.name)
        self.training_files = TrainingFiles(transport, self.name)
        self.training_items = TrainingItems(transport, self.name)
        self.trainings = Trainings(transport, self.name)

    def get(self) -> Artist:
        """The artist itself."""
        return cast(Artist, self._transport.get(f"/v1/{self.name}"))

    def delete(self) -> None:
        """Delete the artist; it can be brought back for 30 days."""
        self._transport.delete(f"/v1/{self.name}", etag="*")

    def profile(self) -> Profile:
        """The artist's profile with the master schema."""
        return cast(Profile, self._transport.get(f"/v1/{self.name}/profile"))

    def update_profile(self, changes: Json, *, etag: str) -> Profile:
        """The profile with these fields changed."""
        return cast(Profile, self._transport.patch(f"/v1/{self.name}/profile", changes, etag=etag))

    def members(self) -> Iterator[Member]:
        """Who may do what."""
        yield from self._transport.pages(f"/v1/{self.name}/members", "members")

    def add_member(self, principal: str, role: str) -> Member:
        """Let somebody in as OWNER, EDITOR or VIEWER."""
        return cast(Member, self._transport.post(f"/v1/{self.name}/members", {"principal": principal, "role": role}))

    def models(self) -> Iterator[Model]:
        """The separation models that can be asked for."""
        yield from self._transport.pages(f"/v1/{self.name}/models", "models")


class Tonewright:
    """One gateway, seen by the holder of one key.

    Use it as a context manager, or call `close`.
    """

    def __init__(self, url: str, key: str) -> None:
        self.transport = Transport(url, key)

    def __enter__(self) -> Tonewright:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def me(self) -> Json:
        """Who the key belongs to and which artists are open to it."""
        return self.transport.get("/v1/me")

    def artist(self, name: str) -> ArtistHandle:
        """An artist by name (`artists/ada`) or id (`ada`); nothing is asked of the gateway yet."""
        return ArtistHandle(self.transport, name)

    def artists(self) -> Iterator[Artist]:
        """The artists that are open to the key."""
        yield from self.transport.pages("/v1/artists", "artists")

    def create_artist(self, display_name: str, *, artist_id: str = "") -> ArtistHandle:
        """A new artist, owned by the key's holder."""
        query = f"?artist_id={artist_id}" if artist_id else ""
        artist = self.transport.post(f"/v1/artists{query}", {"display_name": display_name})
        return self.artist(str(artist["name"]))
