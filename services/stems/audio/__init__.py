"""Files of audio in and out: decoding in a process of its own, encoding while the engine works."""

from services.stems.audio.files import AudioFiles

__all__ = ["AudioFiles"]
