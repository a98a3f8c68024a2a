"""More than two channels as two."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

MAX_CHANNELS = 8
_LAYOUTS = {
    "wave": {
        3: "L R C",
        4: "L R Ls Rs",
        5: "L R C Ls Rs",
        6: "L R C LFE Ls Rs",
        7: "L R C LFE S Ls Rs",
        8: "L R C LFE Ls Rs Ls Rs",
    },
    "vorbis": {
        3: "L C R",
        4: "L R Ls Rs",
        5: "L C R Ls Rs",
        6: "L C R Ls Rs LFE",
        7: "L C R Ls Rs S LFE",
        8: "L C R Ls Rs Ls Rs LFE",
    },
}
_HALF_POWER = 2**-0.5
# What each channel gives to left and right.
_SHARES = {
    "L": (1.0, 0.0),
    "R": (0.0, 1.0),
    "C": (_HALF_POWER, _HALF_POWER),
    "Ls": (_HALF_POWER, 0.0),
    "Rs": (0.0, _HALF_POWER),
    "S": (0.5, 0.5),
    "LFE": (0.0, 0.0),
}


def to_stereo(channels: int, order: str) -> Float32:
    """The matrix that mixes 3 to 8 channels down: frames of shape (n, channels) @ it have shape (n, 2).

    Nothing is scaled against clipping: what goes beyond full scale stays there in float. The LFE is left out.

    Source: ITU-R BS.775-4 annex 4 table 2 (3/2, 3/1 and 2/2 to 2/0); pairs beyond 5.1 are taken as surrounds.
    """
    return np.array([_SHARES[name] for name in _LAYOUTS[order][channels].split()], np.float32)
