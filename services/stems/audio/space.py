from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import soundfile

from services.stems.domain import ScratchFull

# What libsndfile answers when the system refuses a write, and when it does so to the header of a FLAC file; a full disk
# is the only refusal that files of ours meet.
_REFUSED = (2, 157)
_AGAIN_S = 60.0


def scratch_full() -> ScratchFull:
    """The one error for a disk that is full while files are written."""
    return ScratchFull("a worker's scratch space is full; the work begins again by itself", retry_after_s=_AGAIN_S)


@contextmanager
def telling_full_disk() -> Iterator[None]:
    """Raise `ScratchFull` where the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise scratch_full() from error
    except soundfile.LibsndfileError as error:
        if error.code not in _REFUSED:
            raise
        raise scratch_full() from error
