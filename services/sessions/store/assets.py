from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session as SqlSession

from chassis.clock import Clock
from chassis.db import etag_of
from chassis.ids import new_uid
from chassis.paging import Pager
from services.sessions.domain.assets import (
    ASSET,
    Analysis,
    Asset,
    AssetState,
    Content,
    Hold,
    Recording,
    Upload,
    UploadState,
)
from services.sessions.domain.ports import NewAsset
from services.sessions.store.tables import AssetRow, HoldRow, UploadRow

_CONTENT = ("sha256", "size_bytes", "crc32")
_RECORDING = ("media_type", "frames", "rate_hz", "channels", "pcm_sha256", "loudness_lufs", "peak")
_ANALYSIS = ("tempo_bpm", "tempo_confidence", "key", "key_confidence", "clipped_share", "silent_share")
_UPLOAD = (
    "artist",
    "uid",
    "display_name",
    "sha256",
    "size_bytes",
    "media_type",
    "create_time",
    "expire_time",
    "asset_uid",
)


class AssetRecords:
    """One artist's uploads, assets and holds in one transaction."""

    def __init__(self, session: SqlSession, artist: str, pager: Pager, clock: Clock, *, locking: bool) -> None:
        self._session, self._artist, self._pager, self._clock = session, artist, pager, clock
        self._locking = locking

    def add_upload(self, upload: Upload) -> None:
        """Record an upload."""
        self._session.add(UploadRow(state=upload.state.value, **{name: getattr(upload, name) for name in _UPLOAD}))
        self._session.flush()

    def upload(self, uid: str) -> Upload | None:
        """The upload, locked against other writers."""
        wanted = sa.select(UploadRow).where(UploadRow.artist == self._artist, UploadRow.uid == uid)
        row = self._session.scalar(wanted.with_for_update() if self._locking else wanted)
        return to_upload(row) if row else None

    def save_upload(self, upload: Upload) -> None:
        """Record an upload's new state."""
        self._session.execute(
            sa.update(UploadRow)
            .where(UploadRow.artist == self._artist, UploadRow.uid == upload.uid)
            .values(state=upload.state.value, asset_uid=upload.asset_uid)
        )

    def asset(self, uid: str) -> Asset | None:
        """The asset in any state, locked against other writers."""
        return self._one(AssetRow.uid == uid)

    def asset_with(self, sha256: str) -> Asset | None:
        """The asset in any state that has these bytes, locked against other writers."""
        return self._one(AssetRow.sha256 == sha256)

    def assets(self, uids: Iterable[str]) -> dict[str, Asset]:
        """The assets in any state, by uid, locked against other writers."""
        # In one order, so that two callers that lock the same ones never wait for each other.
        wanted = (
            sa.select(AssetRow)
            .where(AssetRow.artist == self._artist, AssetRow.uid.in_(sorted(set(uids))))
            .order_by(AssetRow.uid)
        )
        rows = self._session.scalars(wanted.with_for_update() if self._locking else wanted)
        return {asset.uid: asset for asset in self._with_holds(list(rows))}

    def add_asset(self, new: NewAsset) -> Asset:
        """Record an asset, or give the one in any state that has the same bytes."""
        insert = postgresql.insert if self._session.get_bind().dialect.name == "postgresql" else sqlite.insert
        now = self._clock.now()
        values = {name: getattr(new.content, name) for name in _CONTENT}
        values |= {name: getattr(new.recording, name) for name in _RECORDING} | _heard(new.recording.analysis)
        values |= {"uid": new_uid(), "artist": self._artist, "display_name": new.display_name, "version": 1}
        values |= {"state": AssetState.READY.value, "create_time": now, "update_time": now}
        self._session.execute(insert(AssetRow).values(values).on_conflict_do_nothing())
        found = self.asset_with(new.content.sha256)
        assert found is not None, "the row was inserted or conflicts with the one found"
        return found

    def save_asset(self, asset: Asset) -> Asset:
        """Record an asset's new name and state; gives it with its new etag."""
        self._session.execute(
            sa.update(AssetRow)
            .where(AssetRow.artist == self._artist, AssetRow.uid == asset.uid)
            .values(
                display_name=asset.display_name,
                state=asset.state.value,
                delete_time=asset.delete_time,
                update_time=self._clock.now(),
                version=AssetRow.version + 1,
            )
        )
        self._session.expire_all()
        found = self.asset(asset.uid)
        assert found is not None, "the caller holds the row's lock"
        return found

    def remove_asset(self, uid: str) -> None:
        """Forget an asset."""
        self._session.execute(sa.delete(AssetRow).where(AssetRow.artist == self._artist, AssetRow.uid == uid))

    def page_assets(self, *, sha256: str, show_deleted: bool, size: int, token: str) -> tuple[list[Asset], str]:
        """A page of assets and the next token."""
        states = [AssetState.READY.value] + [AssetState.DELETED.value] * show_deleted
        wanted = sa.select(AssetRow).where(AssetRow.artist == self._artist, AssetRow.state.in_(states))
        if sha256:
            wanted = wanted.where(AssetRow.sha256 == sha256)
        rows, following = self._pager.page(
            self._session,
            wanted,
            order=(AssetRow.create_time, AssetRow.uid),
            size=size,
            token=token,
            filter=f"assets\0{self._artist}\0{sha256}\0{show_deleted}",
        )
        return self._with_holds(rows), following

    def hold(self, uid: str, holder: str) -> Hold:
        """The holder's hold, taken now if it was not before."""
        self.hold_all([uid], holder)
        mine = sa.select(HoldRow).where(
            HoldRow.artist == self._artist, HoldRow.asset_uid == uid, HoldRow.holder == holder
        )
        return self._to_hold(self._session.scalars(mine).one())

    def hold_all(self, uids: Iterable[str], holder: str) -> None:
        """Take the holder's hold on each of them that it has not yet."""
        insert = postgresql.insert if self._session.get_bind().dialect.name == "postgresql" else sqlite.insert
        row = {"artist": self._artist, "holder": holder, "create_time": self._clock.now()}
        rows = [{**row, "uid": new_uid(), "asset_uid": uid} for uid in sorted(set(uids))]
        self._session.execute(insert(HoldRow).on_conflict_do_nothing(), rows)

    def release(self, uid: str, holder: str) -> None:
        """Drop the hold if there is one."""
        self._session.execute(
            sa.delete(HoldRow).where(HoldRow.artist == self._artist, HoldRow.asset_uid == uid, HoldRow.holder == holder)
        )

    def release_all(self, holder: str) -> None:
        """Drop all holds of the holder."""
        self._session.execute(sa.delete(HoldRow).where(HoldRow.artist == self._artist, HoldRow.holder == holder))

    def page_holds(self, uid: str, *, size: int, token: str) -> tuple[list[Hold], str]:
        """A page of an asset's holds and the next token."""
        rows, following = self._pager.page(
            self._session,
            sa.select(HoldRow).where(HoldRow.artist == self._artist, HoldRow.asset_uid == uid),
            order=(HoldRow.create_time, HoldRow.uid),
            size=size,
            token=token,
            filter=f"holds\0{self._artist}\0{uid}",
        )
        return [self._to_hold(row) for row in rows], following

    def _one(self, condition: sa.ColumnElement[bool]) -> Asset | None:
        wanted = sa.select(AssetRow).where(AssetRow.artist == self._artist, condition)
        row = self._session.scalar(wanted.with_for_update() if self._locking else wanted)
        return self._with_holds([row])[0] if row else None

    def _with_holds(self, rows: list[AssetRow]) -> list[Asset]:
        counted = self._session.execute(
            sa.select(HoldRow.asset_uid, sa.func.count())
            .where(HoldRow.artist == self._artist, HoldRow.asset_uid.in_([row.uid for row in rows]))
            .group_by(HoldRow.asset_uid)
        )
        counts: dict[str, int] = {row.asset_uid: row[1] for row in counted}
        return [to_asset(row, counts.get(row.uid, 0)) for row in rows]

    def _to_hold(self, row: HoldRow) -> Hold:
        return Hold(ASSET.format(artist=self._artist, asset=row.asset_uid), row.holder, row.create_time)


def to_asset(row: AssetRow, hold_count: int = 0) -> Asset:
    """The domain's asset of a row."""
    return Asset(
        artist=row.artist,
        uid=row.uid,
        display_name=row.display_name,
        state=AssetState(row.state),
        content=Content(**{name: getattr(row, name) for name in _CONTENT}),
        recording=Recording(**{name: getattr(row, name) for name in _RECORDING}, analysis=_analysis(row)),
        create_time=row.create_time,
        update_time=row.update_time,
        delete_time=row.delete_time,
        hold_count=hold_count,
        etag=etag_of("asset", row.uid, row.version),
    )


def _heard(analysis: Analysis | None) -> dict[str, object]:
    """The columns of an analysis."""
    if analysis is None:
        return {"analysis": None, "fingerprint": None}
    return {
        "analysis": {name: getattr(analysis, name) for name in _ANALYSIS},
        "fingerprint": analysis.fingerprint,
    }


def _analysis(row: AssetRow) -> Analysis | None:
    if row.analysis is None:
        return None
    return Analysis(**{name: row.analysis[name] for name in _ANALYSIS}, fingerprint=row.fingerprint or b"")


def to_upload(row: UploadRow) -> Upload:
    """The domain's upload of a row."""
    return Upload(state=UploadState(row.state), **{name: getattr(row, name) for name in _UPLOAD})


def overdue(session: SqlSession, now: datetime, limit: int) -> list[Upload]:
    """Open uploads past their expiry."""
    wanted = sa.select(UploadRow).where(UploadRow.state == UploadState.OPEN.value, UploadRow.expire_time < now)
    return [to_upload(row) for row in session.scalars(wanted.limit(limit))]


def finished(session: SqlSession, before: datetime, limit: int) -> list[Upload]:
    """Uploads that ended and expired before the time."""
    wanted = sa.select(UploadRow).where(UploadRow.state != UploadState.OPEN.value, UploadRow.expire_time < before)
    return [to_upload(row) for row in session.scalars(wanted.limit(limit))]


def purgeable(session: SqlSession, before: datetime, limit: int) -> list[Asset]:
    """Assets deleted before the time that nothing holds, and those whose purge was interrupted."""
    held = sa.exists().where(HoldRow.asset_uid == AssetRow.uid)
    due = sa.and_(AssetRow.state == AssetState.DELETED.value, AssetRow.delete_time < before, ~held)
    rows = session.scalars(
        sa.select(AssetRow).where(sa.or_(due, AssetRow.state == AssetState.PURGING.value)).limit(limit)
    )
    return [to_asset(row) for row in rows]
