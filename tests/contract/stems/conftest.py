from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from services.stems.domain import Recording


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Recording]:
    def make(frames: npt.NDArray[np.float32], rate_hz: int = 44100) -> Recording:
        path = tmp_path / "mix.f32"
        frames.astype(np.float32).tofile(path)
        return Recording(path, rate_hz, frames.shape[1], len(frames))

    return make
