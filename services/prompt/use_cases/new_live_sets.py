"""What a Live Set is made from."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.ids import new_uid
from services.prompt.domain.artists import Artist
from services.prompt.domain.live_sets import LiveSet, ReadFile, finished_summary, names_of


@dataclass(frozen=True, slots=True)
class NewLiveSet:
    """What a Live Set is made from."""

    object_key: str
    file_name: str = ""
    display_name: str = ""
    project_name: str = ""
    request_id: str = ""
    project_folder: str = ""


def live_set_of(owner: Artist, new: NewLiveSet, found: ReadFile, clock: Clock) -> LiveSet:
    """A new Live Set of the artist, not kept yet."""
    file_name, display_name = names_of(new.file_name, new.display_name)
    now = clock.now()
    return LiveSet(
        artist=owner.id,
        uid=new_uid(),
        display_name=display_name,
        project_name=new.project_name,
        file_name=file_name,
        sha256=found.sha256,
        size_bytes=found.size_bytes,
        summary=finished_summary(found.summary, file_name, new.project_name, owner.display_name, new.project_folder),
        create_time=now,
        update_time=now,
        delete_time=None,
        etag="",
    )
