from __future__ import annotations


class Unfit(Exception):
    """Audio that cannot become an asset.

    Args:
        reason: The reason of one of the domain's probe errors.
        message: What is wrong and what to do.
        facts: Numbers behind it.
    """

    def __init__(self, reason: str, message: str, **facts: object) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.facts = {key: str(value) for key, value in facts.items()}


def unsupported(what: str) -> Unfit:
    """The bytes are of another kind."""
    return Unfit("UNSUPPORTED_MEDIA", f"the file {what}; upload WAV, AIFF, FLAC, Ogg, MP3 or AAC")


def truncated(message: str, **facts: object) -> Unfit:
    """The file ends too early."""
    return Unfit(
        "AUDIO_TRUNCATED", f"{message}; the file is cut off or damaged: upload it again or export it anew", **facts
    )


def unreadable(message: str) -> Unfit:
    """The decoder gives up."""
    return Unfit("AUDIO_UNREADABLE", f"{message}; export the audio anew, for example as WAV")
