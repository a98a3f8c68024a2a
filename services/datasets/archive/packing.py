"""Files into an archive of the wanted kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.datasets.archive import tars, zips
from services.datasets.domain.exports import Entry, Layout


def lay_out(
    entries: Sequence[Entry], *, suffix: str = ".zip", report: Callable[[int], None] = lambda _done: None
) -> Layout:
    """The archive of these files as byte ranges; equal files give an equal archive.

    Args:
        entries: Files in archive order, with unique names.
        suffix: `.zip` or `.tar`.
        report: Called with the number of files done.
    """
    if len({entry.name for entry in entries}) != len(entries):
        raise ValueError("two files of an archive have the same name")
    return tars.lay_out(entries, report) if suffix == ".tar" else zips.lay_out(entries, report)
