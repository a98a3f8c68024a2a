"""Conversations in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.db import artist_scope
from chassis.paging import Page
from services.datasets.domain.conversations import (
    Context,
    Conversation,
    ConversationIdTaken,
    ConversationInUse,
    ConversationNotFound,
    ConversationState,
    DocumentKind,
    EmotionalArc,
    Enrichment,
    Persona,
    PromptTemplate,
    ReviewState,
    TrainingTopic,
)
from services.datasets.domain.ports import RequestKey
from services.datasets.domain.validation import Issue, Report
from services.datasets.store.shared import Ground, changed_meanwhile, earlier
from services.datasets.store.tables import Conversations, TrainingFileMembers

_PLAIN = (
    "uid",
    "artist",
    "conversation_id",
    "display_name",
    "document_key",
    "document_sha256",
    "document_size_bytes",
    "turn_count",
    "generate_time",
    "batch",
    "revision",
    "create_time",
    "update_time",
)


class SqlConversations:
    """Conversations, in SQL."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def add(self, conversation: Conversation, key: RequestKey) -> Conversation:
        """The stored conversation; a repeat gives what the first one made. ConversationIdTaken if its UUID is."""
        with self._ground.db.transaction(artist_scope(conversation.artist)) as session:
            if name := earlier(session, key, conversation.name, self._ground.clock):
                return _to_conversation(_row(session, conversation.artist, name.rpartition("/")[2]))
            same_id = sa.select(Conversations.uid).where(
                Conversations.artist == conversation.artist,
                Conversations.conversation_id == conversation.conversation_id,
            )
            if session.scalar(same_id):
                raise _taken(conversation)
            session.add(Conversations(**_columns(conversation)))
            try:
                session.flush()
            except sa.exc.IntegrityError as error:  # a twin was faster
                raise _taken(conversation) from error
            return conversation

    def get(self, artist: str, uid: str) -> Conversation:
        """The conversation, or ConversationNotFound."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return _to_conversation(_row(session, artist, uid))

    def find(self, artist: str, uids: Sequence[str]) -> dict[str, Conversation]:
        """The conversations that exist, by uid."""
        found: dict[str, Conversation] = {}
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            for start in range(0, len(uids), 500):
                part = uids[start : start + 500]
                rows = session.scalars(
                    sa.select(Conversations).where(Conversations.artist == artist, Conversations.uid.in_(part))
                )
                found |= {row.uid: _to_conversation(row) for row in rows}
        return found

    def page(
        self, artist: str, *, state: ConversationState | None, batch: str, size: int, token: str
    ) -> Page[Conversation]:
        """Conversations, newest first."""
        select = sa.select(Conversations).where(Conversations.artist == artist)
        if state is not None:
            select = select.where(Conversations.state == state.value)
        if batch:
            select = select.where(Conversations.batch == batch)
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows, following = self._ground.pager.page(
                session,
                select,
                order=(Conversations.create_time, Conversations.uid),
                size=size,
                token=token,
                filter=f"conversations/{artist}/{state or ''}/{batch}",
            )
            return Page([_to_conversation(row) for row in rows], following)

    def replace(self, before: Conversation, after: Conversation) -> Conversation:
        """The conversation changed, if it still is as before; EtagMismatch otherwise."""
        with self._ground.db.transaction(artist_scope(before.artist)) as session:
            changed = session.execute(
                sa.update(Conversations)
                .where(
                    Conversations.artist == before.artist,
                    Conversations.uid == before.uid,
                    Conversations.revision == before.revision,
                )
                .values(_columns(after))
            )
            if not changed.rowcount:  # type: ignore[attr-defined]
                _row(session, before.artist, before.uid)
                raise changed_meanwhile(before.name)
            return after

    def delete(self, conversation: Conversation) -> None:
        """Remove the conversation, if it is as it was and no training file holds it."""
        with self._ground.db.transaction(artist_scope(conversation.artist)) as session:
            holding = sa.select(TrainingFileMembers.training_file_uid).where(
                TrainingFileMembers.artist == conversation.artist,
                TrainingFileMembers.conversation_uid == conversation.uid,
            )
            if file_uid := session.scalar(holding.limit(1)):
                raise ConversationInUse(
                    f"{conversation.name} is part of a training file; delete that file first",
                    metadata={"training_file": f"artists/{conversation.artist}/training-files/{file_uid}"},
                )
            gone = session.execute(
                sa.delete(Conversations).where(
                    Conversations.artist == conversation.artist,
                    Conversations.uid == conversation.uid,
                    Conversations.revision == conversation.revision,
                )
            )
            if not gone.rowcount:  # type: ignore[attr-defined]
                raise changed_meanwhile(conversation.name)


def _taken(conversation: Conversation) -> ConversationIdTaken:
    return ConversationIdTaken(
        f"another conversation has the id {conversation.conversation_id}; use it, or send another id",
        metadata={"conversation_id": conversation.conversation_id},
    )


def _row(session: Session, artist: str, uid: str) -> Conversations:
    row = session.scalars(
        sa.select(Conversations).where(Conversations.artist == artist, Conversations.uid == uid)
    ).one_or_none()
    if row is None:
        raise ConversationNotFound(f"conversation {uid!r} does not exist")
    return row


def _columns(conversation: Conversation) -> dict[str, Any]:
    return {name: getattr(conversation, name) for name in _PLAIN} | {
        "document_kind": conversation.document_kind.value,
        "context": asdict(conversation.context),
        "review_state": conversation.review_state.value,
        "state": conversation.state.value,
        "report": [asdict(issue) for issue in conversation.report.issues],
        "enrichment": conversation.enrichment and asdict(conversation.enrichment),
    }


def _to_conversation(row: Conversations) -> Conversation:
    return Conversation(
        **{name: getattr(row, name) for name in _PLAIN},
        document_kind=DocumentKind(row.document_kind),
        context=_to_context(row.context),
        review_state=ReviewState(row.review_state),
        state=ConversationState(row.state),
        report=Report(tuple(Issue(**issue) for issue in row.report)),
        enrichment=Enrichment(**row.enrichment) if row.enrichment else None,
    )


def _to_context(stored: dict[str, Any]) -> Context:
    template = stored["template"]
    return Context(
        persona=Persona(**stored["persona"]),
        emotional_arc=EmotionalArc(**stored["emotional_arc"]),
        training_topic=TrainingTopic(**stored["training_topic"]),
        template=PromptTemplate(template["display_name"], template["category"], tuple(template["skills"]))
        if template
        else None,
        system_prompt=stored["system_prompt"],
        profile=stored["profile"],
        quality_score=stored["quality_score"],
    )
