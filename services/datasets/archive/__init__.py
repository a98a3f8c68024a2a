"""Archives as layouts of byte ranges: nothing is compressed, no audio is read, any range can be served alone."""

from services.datasets.archive.packing import lay_out
from services.datasets.archive.reading import read_back, read_stored
from services.datasets.archive.segments import INLINE_MAX

__all__ = ["INLINE_MAX", "lay_out", "read_back", "read_stored"]
