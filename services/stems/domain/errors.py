"""What can be wrong with a separation."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, Unavailable


class SeparationNotFound(NotFound):
    """There is no such separation for this artist."""

    REASON = "SEPARATION_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no separation {name}; list the artist's separations to see which exist")


class ModelNotFound(NotFound):
    """No such model is mounted."""

    REASON = "MODEL_NOT_FOUND"

    def __init__(self, model: str, known: Iterable[str]) -> None:
        names = sorted(known)
        listed = ", ".join(names) or "none"
        super().__init__(f"there is no model {model!r}; these exist: {listed}", metadata={"models": ",".join(names)})


class ModelUnusable(FailedPrecondition):
    """A mounted model's files cannot be used as they are."""

    REASON = "MODEL_UNUSABLE"


class SeparationInputEmpty(InvalidArgument):
    """The source has no frames."""

    REASON = "SEPARATION_INPUT_EMPTY"


class SeparationInputTooLong(InvalidArgument):
    """The source is longer or larger than the service takes."""

    REASON = "SEPARATION_INPUT_TOO_LONG"


class SeparationInputDamaged(InvalidArgument):
    """The source's bytes do not decode to the frames that its asset promises."""

    REASON = "SEPARATION_INPUT_DAMAGED"


class SeparationInputNotFinite(InvalidArgument):
    """A sample of the source, or of what the model makes of it, is NaN or infinite."""

    REASON = "SEPARATION_INPUT_NOT_FINITE"


class SeparationChannelsUnsupported(InvalidArgument):
    """The source has more channels than are mixed down."""

    REASON = "SEPARATION_CHANNELS_UNSUPPORTED"


class SeparationFormatUnsupported(InvalidArgument):
    """The output format has no such rate as the source's."""

    REASON = "SEPARATION_FORMAT_UNSUPPORTED"


class SeparationNotEnded(FailedPrecondition):
    """The separation is queued or running."""

    REASON = "SEPARATION_NOT_ENDED"


class SeparationNotRetryable(FailedPrecondition):
    """Only a separation that failed or was cancelled can be queued again."""

    REASON = "SEPARATION_NOT_RETRYABLE"


class ScratchFull(Unavailable):
    """A worker's disk has no room for the files of this work at the moment."""

    REASON = "SCRATCH_FULL"
