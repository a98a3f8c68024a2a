"""Rows of prompt templates."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import etag_of
from chassis.paging import Page, Pager, page_size
from services.prompt.domain.templates import (
    PromptTemplate,
    PromptTemplateExists,
    PromptTemplateInUse,
    PromptTemplateNotFound,
    State,
    built_in,
)
from services.prompt.store.changes import change
from services.prompt.store.tables import CaptionRow, PromptTemplateRow

# Stands in a page token for "the artist's own are through".
_BUILT_IN = "built-in templates of"


class TemplateRows:
    """The part of a transaction that keeps prompt templates."""

    session: Session
    pager: Pager
    clock: Clock

    def add_template(self, template: PromptTemplate) -> None:
        """Keep a new template."""
        row = PromptTemplateRow(
            artist=template.artist,
            version=template.version,
            display_name=template.display_name,
            instruction=template.instruction,
            temperature=template.temperature,
            max_tokens=template.max_tokens,
            state=template.state.value,
            creator=template.creator,
            approver=template.approver,
            create_time=template.create_time,
            update_time=template.create_time,
        )
        try:
            with self.session.begin_nested():
                self.session.add(row)
        except sa.exc.IntegrityError as error:
            raise PromptTemplateExists(
                f"the artist has a prompt template {template.version!r}; a version never changes, so choose a new one"
            ) from error

    def template(self, artist: str, version: str) -> PromptTemplate | None:
        """The artist's own template, if there is one."""
        row = self.session.get(PromptTemplateRow, {"artist": artist, "version": version})
        return None if row is None else _to_template(row)

    def default_template(self, artist: str) -> PromptTemplate | None:
        """The artist's own template that was approved last, if one is in use."""
        select = (
            sa.select(PromptTemplateRow)
            .where(PromptTemplateRow.artist == artist, PromptTemplateRow.state == State.APPROVED.value)
            .order_by(PromptTemplateRow.approve_time.desc(), PromptTemplateRow.version.desc())
            .limit(1)
        )
        row = self.session.scalar(select)
        return None if row is None else _to_template(row)

    def templates(self, artist: str, *, size: int, token: str) -> Page[PromptTemplate]:
        """The artist's own templates, newest first, and after them the built-in ones."""
        limit = page_size(size)
        owners = built_in(artist)
        if token and (place := self._built_in_place(artist, token)) is not None:
            return self._built_in_page(artist, [], owners, place, limit)
        rows, next_token = self.pager.page(
            self.session,
            sa.select(PromptTemplateRow).where(PromptTemplateRow.artist == artist),
            order=(PromptTemplateRow.create_time, PromptTemplateRow.version),
            size=size,
            token=token,
            filter=f"prompt templates of {artist}",
        )
        found = [_to_template(row) for row in rows]
        return Page(found, next_token) if next_token else self._built_in_page(artist, found, owners, 0, limit)

    def change_template(self, template: PromptTemplate, etag: str) -> PromptTemplate:
        """Keep the template's new state if the etag fits."""
        row = self._row(template.artist, template.version)
        key = [PromptTemplateRow.artist == template.artist, PromptTemplateRow.version == template.version]
        columns = {
            "state": template.state.value,
            "approver": template.approver,
            "approve_time": template.approve_time,
        }
        change(self.session, row, key, etag, lambda r: _to_template(r).etag, self.clock, columns)
        return _to_template(row)

    def remove_template(self, artist: str, version: str) -> None:
        """Remove the template unless a caption was made with it."""
        row = self._row(artist, version)
        used = sa.select(CaptionRow.uid).where(CaptionRow.artist == artist, CaptionRow.prompt_version == version)
        if self.session.scalar(used.limit(1)) is not None:
            raise PromptTemplateInUse(
                f"captions were made with the prompt template {version!r}; retire it to take it out of use"
            )
        self.session.delete(row)
        self.session.flush()

    def _row(self, artist: str, version: str) -> PromptTemplateRow:
        row = self.session.get(PromptTemplateRow, {"artist": artist, "version": version})
        if row is None:
            raise PromptTemplateNotFound(f"artists/{artist}/prompt-templates/{version} does not exist")
        return row

    def _built_in_place(self, artist: str, token: str) -> int | None:
        """How many built-in ones came before a token that lies among them; None for a token among the own ones."""
        kind, *rest = self.pager.unseal(token)
        return int(rest[0]) if kind == f"{_BUILT_IN} {artist}" else None

    def _built_in_page(
        self, artist: str, found: list[PromptTemplate], owners: list[PromptTemplate], place: int, limit: int
    ) -> Page[PromptTemplate]:
        end = place + limit - len(found)
        more = self.pager.seal([f"{_BUILT_IN} {artist}", end]) if end < len(owners) else ""
        return Page([*found, *owners[place:end]], more)


def _to_template(row: PromptTemplateRow) -> PromptTemplate:
    return PromptTemplate(
        artist=row.artist,
        version=row.version,
        display_name=row.display_name,
        instruction=row.instruction,
        temperature=row.temperature,
        max_tokens=row.max_tokens,
        state=State(row.state),
        creator=row.creator,
        approver=row.approver,
        create_time=row.create_time,
        approve_time=row.approve_time,
        etag=etag_of("prompt_template", row.artist, row.version, row.revision),
    )
