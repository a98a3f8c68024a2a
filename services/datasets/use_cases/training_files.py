"""What a person, and a worker, does with training files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from chassis.clock import Clock
from chassis.errors import EtagMismatch, require
from chassis.ids import new_uid
from chassis.objects import ObjectInfo, ObjectNotFound, ObjectStore
from chassis.paging import Page
from services.datasets.domain.conversations import Conversation, ConversationState, DocumentDamaged
from services.datasets.domain.enrichment import profile_of
from services.datasets.domain.exports import JobState
from services.datasets.domain.ports import Built, ConversationStore, Report, RequestKey, TrainingFileStore
from services.datasets.domain.splicing import write_json, write_jsonl
from services.datasets.domain.training_files import (
    MAX_MEMBERS,
    Finding,
    Member,
    TrainingFile,
    TrainingFileBusy,
    TrainingFileNotBuilt,
    TrainingFileState,
    TrainingFileStateInvalid,
    Verdict,
    Version,
    refuse_ineligible,
    statistics_of,
)
from services.datasets.use_cases.conversations import Content

_MEDIA_TYPES = {"json": "application/json", "jsonl": "application/x-ndjson"}
_WRITE_BYTES = 1 << 20
_LOOKED_AT = 200  # above so many conversations preflight trusts the rows; the build checks every byte anyway


class TrainingFiles:
    """Training files of the current caller's artist."""

    def __init__(
        self, store: TrainingFileStore, conversations: ConversationStore, objects: ObjectStore, clock: Clock
    ) -> None:
        self._store, self._conversations, self._objects, self._clock = store, conversations, objects, clock

    def create(self, file: TrainingFile, principal: str, uids: Sequence[str], key: RequestKey) -> Version:
        """The first version, queued, of a new file."""
        members = self._members(file.artist, uids)
        return self._store.add(file, self._version(file, principal), members, key)

    def append(
        self, artist: str, uid: str, principal: str, uids: Sequence[str], key: RequestKey, *, etag: str
    ) -> Version:
        """A next version, queued, with these conversations more."""
        file = self._store.get(artist, uid)
        if file.state is TrainingFileState.ARCHIVED:
            raise TrainingFileStateInvalid(f"{file.name} is archived; restore it first", metadata={"state": "ARCHIVED"})
        # Whether one is a member already is asked under the file's lock, and not of a request that is repeated.
        members = self._members(artist, uids)
        return self._store.append(file, self._version(file, principal), members, key, etag=etag)

    def get(self, artist: str, uid: str) -> TrainingFile:
        """One training file with its current version."""
        return self._store.get(artist, uid)

    def page(self, artist: str, *, state: TrainingFileState | None, size: int, token: str) -> Page[TrainingFile]:
        """Training files, newest first."""
        return self._store.page(artist, state=state, size=size, token=token)

    def update(self, artist: str, uid: str, changes: dict[str, str], etag: str) -> TrainingFile:
        """The file with another title or description."""
        before = self._seen(artist, uid, etag)
        return self._store.replace(before, self._changed(before, **changes))

    def archive(self, artist: str, uid: str, etag: str) -> TrainingFile:
        """The file out of use; a repeat changes nothing."""
        before = self._seen(artist, uid, etag)
        if before.state is TrainingFileState.ARCHIVED:
            return before
        return self._store.replace(before, self._changed(before, state=TrainingFileState.ARCHIVED))

    def restore(self, artist: str, uid: str, etag: str) -> TrainingFile:
        """An archived file back in use; a repeat changes nothing."""
        before = self._seen(artist, uid, etag)
        if before.state is not TrainingFileState.ARCHIVED:
            return before
        self._store.replace(before, self._changed(before, state=TrainingFileState.ACTIVE))
        return self._store.get(artist, uid)

    def delete(self, artist: str, uid: str, etag: str) -> None:
        """Remove the file, its versions, and then their objects."""
        found = self._seen(artist, uid, etag)
        newest = self._store.versions(found, size=1, token="").items[0]
        if not newest.state.is_final:
            raise TrainingFileBusy(f"version {newest.sequence} is being built; cancel it or wait until it has ended")
        self._store.delete(found)
        for info in list(self._objects.list(_folder(found))):
            self._objects.delete(info.key)

    def version(self, artist: str, uid: str, sequence: int) -> Version:
        """One version."""
        return self._store.version(artist, uid, sequence)

    def versions(self, artist: str, uid: str, *, size: int, token: str) -> Page[Version]:
        """Versions, newest first."""
        return self._store.versions(self._store.get(artist, uid), size=size, token=token)

    def build(self, artist: str, uid: str) -> Version:
        """One version by its job's uid."""
        return self._store.build(artist, uid)

    def cancel(self, artist: str, uid: str) -> Version:
        """The version after the wish to stop its build."""
        return self._store.cancel(artist, uid)

    def member_page(self, artist: str, uid: str, *, size: int, token: str) -> Page[Member]:
        """Members of the current version, in file order."""
        return self._store.member_page(self._store.get(artist, uid), size=size, token=token)

    def content(self, artist: str, uid: str, sequence: int, suffix: str) -> Content:
        """Where the bytes of a version lie; 0 means the current one."""
        file = self._store.get(artist, uid)
        version = self._store.version(artist, uid, sequence) if sequence else file.current
        if version is None or version.state is not JobState.SUCCEEDED:
            raise TrainingFileNotBuilt(f"{file.name} has no finished version to read yet; wait for its build to end")
        where = (
            (version.jsonl_key, version.jsonl_size_bytes, version.jsonl_sha256)
            if suffix == "jsonl"
            else (version.json_key, version.json_size_bytes, version.json_sha256)
        )
        return Content(*where, _MEDIA_TYPES[suffix], f"{_file_stem(file.display_name)}.{suffix}")

    def preflight(self, artist: str, file_uid: str, uids: Sequence[str]) -> list[Verdict]:
        """Whether each conversation can be taken."""
        taken = self._store.taken(self._store.get(artist, file_uid), uids) if file_uid else set()
        found = self._conversations.find(artist, list(uids))
        seen: set[str] = set()
        verdicts = []
        for uid in uids:
            verdict = self._verdict(artist, uid, found.get(uid), is_duplicate=uid in taken or uid in seen)
            if verdict.finding is Finding.ELIGIBLE and len(uids) <= _LOOKED_AT:
                verdict = self._looked_at(found[uid], verdict)
            verdicts.append(verdict)
            seen.add(uid)
        return verdicts

    def _members(self, artist: str, uids: Sequence[str]) -> list[Member]:
        require(1 <= len(uids) <= MAX_MEMBERS, "conversations", f"1 to {MAX_MEMBERS} names, not {len(uids)}")
        found = self._conversations.find(artist, list(uids))
        seen: set[str] = set()
        verdicts = []
        for uid in uids:
            verdicts.append(self._verdict(artist, uid, found.get(uid), is_duplicate=uid in seen))
            seen.add(uid)
        refuse_ineligible(verdicts)
        return [_member(found[uid], place) for place, uid in enumerate(uids, start=1)]

    def _verdict(self, artist: str, uid: str, found: Conversation | None, *, is_duplicate: bool) -> Verdict:
        name = found.name if found else f"artists/{artist}/conversations/{uid}"
        if found is None:
            return Verdict(name, Finding.NOT_FOUND, "there is no such conversation")
        if is_duplicate:
            return Verdict(name, Finding.DUPLICATE, "it is named twice or in the training file already")
        if found.state is not ConversationState.COMPLETED or found.enrichment is None:
            return Verdict(name, Finding.NOT_ENRICHED, f"it is {found.state.value}, not COMPLETED; enrich it first")
        return Verdict(name, Finding.ELIGIBLE)

    def _looked_at(self, found: Conversation, verdict: Verdict) -> Verdict:
        made = found.enrichment
        if made is not None and self._objects.head(made.json_key) is not None:
            return verdict
        return Verdict(found.name, Finding.MISSING_DOCUMENT, "its enriched document is gone; enrich it again")

    def _version(self, file: TrainingFile, principal: str) -> Version:
        now = self._clock.now()
        return Version(file.artist, new_uid(), file.uid, 1, principal, now, now)

    def _changed(self, before: TrainingFile, **changes: object) -> TrainingFile:
        return replace(before, revision=before.revision + 1, update_time=self._clock.now(), **changes)  # type: ignore[arg-type]

    def _seen(self, artist: str, uid: str, etag: str) -> TrainingFile:
        found = self._store.get(artist, uid)
        if etag and etag != found.etag:
            raise EtagMismatch(f"{found.name} has changed since it was read; read it again and repeat")
        return found


class TrainingFileBench:
    """The worker's side: splices the bytes of a version's members into its two files."""

    def __init__(self, store: TrainingFileStore, objects: ObjectStore, clock: Clock) -> None:
        self._store, self._objects, self._clock = store, objects, clock

    def run(self, artist: str, uid: str, fence: int, report: Report) -> None:
        """Write JSON and JSONL and commit them; one member is in memory at a time, and a repeat is safe."""
        version = self._store.build(artist, uid)
        file, members = self._store.get(artist, version.training_file_uid), self._store.members(version)
        statistics, profile = statistics_of(members), profile_of(file.profile)
        # The fence keeps a worker that lost its lease from writing over the files of its successor.
        stem = f"{_folder(file)}{version.sequence}-{fence}/training"
        json = self._write(
            f"{stem}.json",
            write_json(
                file,
                profile,
                statistics,
                self._pieces(members, lambda member: (member.json_key, member.json_size_bytes), report, 0),
                built_at=version.create_time,
            ),
        )
        jsonl = self._write(
            f"{stem}.jsonl",
            write_jsonl(
                file,
                statistics,
                self._pieces(members, lambda member: (member.jsonl_key, member.jsonl_size_bytes), report, 49),
            ),
        )
        built = Built(
            statistics, json.key, json.size_bytes, json.sha256 or "", jsonl.key, jsonl.size_bytes, jsonl.sha256 or ""
        )
        self._store.finish(version, fence, built)

    def _pieces(
        self, members: Sequence[Member], where: Callable[[Member], tuple[str, int]], report: Report, base: float
    ) -> Iterator[Iterator[bytes]]:
        for done, member in enumerate(members):
            report(base + 49.0 * done / len(members), "writing")
            yield self._checked(member, *where(member))

    def _checked(self, member: Member, key: str, size_bytes: int) -> Iterator[bytes]:
        got = 0
        try:
            for piece in self._objects.read(key):
                got += len(piece)
                yield piece
        except ObjectNotFound as error:
            raise _damaged(member) from error
        if got != size_bytes:
            raise _damaged(member)

    def _write(self, key: str, pieces: Iterator[bytes]) -> ObjectInfo:
        media_type = _MEDIA_TYPES[key.rpartition(".")[2]]
        with self._objects.writer(key, media_type=media_type) as writer:
            buffer = bytearray()
            for piece in pieces:
                buffer += piece
                if len(buffer) >= _WRITE_BYTES:
                    writer.write(bytes(buffer))
                    buffer.clear()
            writer.write(bytes(buffer))
            return writer.commit()


def _damaged(member: Member) -> DocumentDamaged:
    return DocumentDamaged(
        f"the enriched document of {member.conversation} is damaged; enrich it again and rebuild",
        metadata={"conversation": member.conversation},
    )


def _member(found: Conversation, place: int) -> Member:
    made = found.enrichment
    assert made is not None, "only eligible conversations become members"
    return Member(
        conversation_uid=found.uid,
        conversation=found.name,
        conversation_id=found.conversation_id,
        position=place,
        added_in_version=1,
        score=made.score,
        quality_tier=made.quality_tier,
        pair_count=made.pair_count,
        trainable_pair_count=made.trainable_pair_count,
        human_reviewed_count=made.human_reviewed_count,
        persona_key=made.persona_key,
        arc_key=made.arc_key,
        topic_key=made.topic_key,
        source_sha256=made.sha256,
        json_key=made.json_key,
        jsonl_key=made.jsonl_key,
        json_size_bytes=made.json_size_bytes,
        jsonl_size_bytes=made.jsonl_size_bytes,
    )


def _folder(file: TrainingFile) -> str:
    return f"artists/{file.artist}/datasets/training-files/{file.uid}/"


def _file_stem(display_name: str) -> str:
    kept = "".join(sign if sign.isalnum() or sign in " ._-()" else "-" for sign in display_name)
    return kept.strip(" .-")[:100] or "training"
