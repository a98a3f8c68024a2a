"""What a person does with conversations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chassis.clock import Clock
from chassis.errors import AppError, EtagMismatch, Unavailable, require
from chassis.ids import new_uid
from chassis.objects import ObjectStore
from chassis.paging import Page
from services.datasets.domain import jsontext, validation
from services.datasets.domain.conversations import (
    MAX_DOCUMENT_BYTES,
    Context,
    Conversation,
    ConversationAlreadyEnriched,
    ConversationNotEnriched,
    ConversationState,
    DocumentDamaged,
    DocumentKind,
    Enrichment,
    ReviewState,
    check_conversation_id,
    refuse_invalid,
)
from services.datasets.domain.enrichment import enrich
from services.datasets.domain.ports import ConversationStore, RequestKey
from services.datasets.domain.splicing import fragments_of
from services.datasets.domain.validation import Report


@dataclass(frozen=True, slots=True)
class ConversationFacts:
    """What a caller says of a conversation."""

    conversation_id: str = ""
    display_name: str = ""
    document: str = ""
    document_kind: DocumentKind | None = None
    context: Context = field(default_factory=Context)
    review_state: ReviewState = ReviewState.PENDING
    batch: str = ""
    generate_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """Where bytes lie and what they are."""

    object_key: str
    size_bytes: int
    sha256: str
    media_type: str
    file_name: str


# Fields whose change makes other training pairs.
CONTEXT_FIELDS = ("persona", "emotional_arc", "training_topic", "template", "system_prompt", "profile", "quality_score")
EDITABLE = ("display_name", "review_state", "batch", *CONTEXT_FIELDS)


class Conversations:
    """Conversations of the current caller's artist."""

    def __init__(self, store: ConversationStore, objects: ObjectStore, clock: Clock) -> None:
        self._store, self._objects, self._clock = store, objects, clock

    def create(self, artist: str, facts: ConversationFacts, key: RequestKey) -> Conversation:
        """A conversation taken in; one whose document holds training pairs already is COMPLETED at once."""
        text = facts.document.encode()
        document, report = _checked(text)
        kind = DocumentKind(validation.kind_of(document))
        asked = facts.document_kind
        require(asked in (None, kind), "conversation.document_kind", f"{kind.value}, as the document's keys say")
        now, uid = self._clock.now(), new_uid()
        digest = hashlib.sha256(text).hexdigest()
        conversation = Conversation(
            artist=artist,
            uid=uid,
            conversation_id=check_conversation_id(facts.conversation_id, document, uid),
            display_name=_line(facts.display_name, "display_name") or _title(document),
            document_kind=kind,
            document_key=f"artists/{artist}/datasets/conversations/{uid}/document.json",
            document_sha256=digest,
            document_size_bytes=len(text),
            turn_count=len(document["turns" if "turns" in document else "training_pairs"]),
            create_time=now,
            update_time=now,
            generate_time=facts.generate_time or now,
            context=facts.context,
            review_state=facts.review_state,
            batch=_line(facts.batch, "batch"),
            state=ConversationState.VALIDATED,
            report=report,
        )
        if kind is DocumentKind.ENRICHED:
            conversation = self._completed(conversation, document, text)
        self._objects.put(conversation.document_key, text, media_type="application/json")
        try:
            stored = self._store.add(conversation, key)
        except AppError:
            self._drop(conversation)
            raise
        if stored.uid != uid:  # a repeat of an earlier request: what was just written belongs to nobody
            self._drop(conversation)
        return stored

    def get(self, artist: str, uid: str) -> Conversation:
        """One conversation."""
        return self._store.get(artist, uid)

    def page(
        self, artist: str, *, state: ConversationState | None, batch: str, size: int, token: str
    ) -> Page[Conversation]:
        """Conversations, newest first."""
        return self._store.page(artist, state=state, batch=batch, size=size, token=token)

    def update(
        self, artist: str, uid: str, facts: ConversationFacts, fields: Collection[str], etag: str
    ) -> Conversation:
        """The conversation with these fields changed; new context asks for a new enrichment."""
        unknown = sorted(set(fields) - set(EDITABLE))
        require(not unknown, "update_mask", f"fields among {', '.join(EDITABLE)}, not {', '.join(unknown)}")
        before = self._seen(artist, uid, etag)
        context = {name: getattr(facts.context, name) for name in CONTEXT_FIELDS if name in fields}
        after = replace(
            before,
            context=replace(before.context, **context),
            revision=before.revision + 1,
            update_time=self._clock.now(),
            display_name=_line(facts.display_name, "display_name") if "display_name" in fields else before.display_name,
            batch=_line(facts.batch, "batch") if "batch" in fields else before.batch,
            review_state=facts.review_state if "review_state" in fields else before.review_state,
        )
        if after.context != before.context:
            if before.document_kind is DocumentKind.ENRICHED:
                after = self._completed(after, jsontext.parse(self._document(before)), self._document(before))
            else:
                after = replace(after, state=ConversationState.VALIDATED, enrichment=None)
        return self._store.replace(before, after)

    def delete(self, artist: str, uid: str, etag: str) -> None:
        """Remove a conversation that no training file holds, and its documents."""
        found = self._seen(artist, uid, etag)
        self._store.delete(found)
        self._drop(found)

    def check(self, artist: str, uid: str, document: str) -> Report:
        """What is wrong with a document, or with that of a stored conversation."""
        require(bool(uid) != bool(document), "document", "either a document or a conversation")
        text = document.encode() if document else self._document(self._store.get(artist, uid))
        require(len(text) <= MAX_DOCUMENT_BYTES, "document", f"up to {MAX_DOCUMENT_BYTES} bytes, not {len(text)}")
        return validation.check_text(text)[0]

    def enrich(self, artist: str, uid: str) -> Conversation:
        """The conversation with its training pairs stored; a repeat gives the same bytes."""
        before = self._store.get(artist, uid)
        if before.document_kind is DocumentKind.ENRICHED:
            raise ConversationAlreadyEnriched(
                f"{before.name} was taken in with its training pairs; there is nothing to enrich"
            )
        document, report = _checked(self._document(before))
        enriched = enrich(before, document)
        now = self._clock.now()
        after = replace(before, report=report, revision=before.revision + 1, update_time=now)
        after = self._completed(after, enriched, jsontext.write_indented(enriched))
        return before if after.enrichment == before.enrichment else self._store.replace(before, after)

    def content(self, artist: str, uid: str, kind: DocumentKind) -> Content:
        """Where a document of the conversation lies."""
        found = self._store.get(artist, uid)
        name = f"conversation-{found.conversation_id}"
        if kind is not DocumentKind.ENRICHED or found.document_kind is DocumentKind.ENRICHED:
            where = (found.document_key, found.document_size_bytes, found.document_sha256)
            return Content(*where, "application/json", f"{name}.json")
        if found.enrichment is None:
            raise ConversationNotEnriched(
                f"{found.name} is {found.state.value}; enrich it first", metadata={"state": found.state.value}
            )
        made = found.enrichment
        return Content(made.object_key, made.size_bytes, made.sha256, "application/json", f"{name}-enriched.json")

    def _seen(self, artist: str, uid: str, etag: str) -> Conversation:
        found = self._store.get(artist, uid)
        if etag and etag != found.etag:
            raise EtagMismatch(f"{found.name} has changed since it was read; read it again and repeat")
        return found

    def _document(self, conversation: Conversation) -> bytes:
        text = self._objects.read_bytes(conversation.document_key, limit=MAX_DOCUMENT_BYTES)
        if hashlib.sha256(text).hexdigest() != conversation.document_sha256:
            raise DocumentDamaged(f"the stored document of {conversation.name} is damaged; take it in again")
        return text

    def _completed(self, conversation: Conversation, enriched: dict[str, Any], text: bytes) -> Conversation:
        """The conversation with its pairs stored beside what training files take of them.

        Keys carry the hash of what they depend on: training files keep reading the bytes that they took.
        """
        made = fragments_of(conversation, enriched)
        digest = hashlib.sha256(text).hexdigest()
        version = hashlib.sha256(digest.encode() + made.member_json).hexdigest()[:32]
        enrichment = Enrichment(
            object_key=f"artists/{conversation.artist}/datasets/conversations/{conversation.uid}/{version}/enriched.json",
            sha256=digest,
            size_bytes=len(text),
            pair_count=made.pair_count,
            trainable_pair_count=made.trainable_pair_count,
            human_reviewed_count=made.human_reviewed_count,
            score=made.score,
            quality_tier=made.quality_tier,
            persona_key=made.scaffolding.persona_key,
            arc_key=made.scaffolding.arc_key,
            topic_key=made.scaffolding.topic_key,
            json_size_bytes=len(made.member_json),
            jsonl_size_bytes=len(made.member_jsonl),
        )
        self._objects.put(enrichment.object_key, text, media_type="application/json")
        self._objects.put(enrichment.json_key, made.member_json, media_type="application/json")
        self._objects.put(enrichment.jsonl_key, made.member_jsonl, media_type="application/x-ndjson")
        return replace(conversation, state=ConversationState.COMPLETED, enrichment=enrichment)

    def _drop(self, conversation: Conversation) -> None:
        folder = f"artists/{conversation.artist}/datasets/conversations/{conversation.uid}/"
        for info in list(self._objects.list(folder)):
            self._objects.delete(info.key)


def outcome(work: Callable[[], Conversation]) -> Conversation | AppError:
    """What the work gives, or the error that stopped it: in a batch each stands for itself."""
    try:
        return work()
    except Unavailable:
        raise  # nothing of the batch would fare better
    except AppError as error:
        return error


def _checked(text: bytes) -> tuple[dict[str, Any], Report]:
    size = len(text)
    require(size > 0, "conversation.document", "a JSON document")
    require(size <= MAX_DOCUMENT_BYTES, "conversation.document", f"up to {MAX_DOCUMENT_BYTES} bytes, not {size}")
    report, document = validation.check_text(text)
    refuse_invalid(report)
    found: dict[str, Any] = document
    return found, report


def _line(text: str, field: str) -> str:
    require(len(text) <= 255, f"conversation.{field}", "0 to 255 characters")
    require(not text or text.isprintable(), f"conversation.{field}", "one line without control characters")
    return text


def _title(document: dict[str, Any]) -> str:
    metadata = document.get("conversation_metadata")
    if metadata is None:
        metadata = document["training_pairs"][0]["conversation_metadata"]
    title = metadata.get("client_persona")
    shown = title if isinstance(title, str) else ""
    return "".join(sign if sign.isprintable() else " " for sign in shown)[:255].strip() or "Untitled conversation"
