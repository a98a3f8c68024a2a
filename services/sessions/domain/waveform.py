"""How the stored waveform of a recording is laid out; free of imports, for the process that measures."""

from __future__ import annotations

# Frames per bucket of each zoom level; each is a multiple of the one before.
PEAK_LEVELS = (512, 8192)
MAX_PEAK_BUCKETS = 1_000_000


def bucket_count(frames: int, level: int) -> int:
    """Buckets of a recording at a zoom level."""
    return -(-frames // PEAK_LEVELS[level])


def peaks_offset(frames: int, level: int) -> int:
    """Where a zoom level begins in the stored waveform, which holds the finest level first."""
    return 2 * sum(bucket_count(frames, finer) for finer in range(level))
