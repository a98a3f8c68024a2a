"""Why runs at a provider fail; rows keep the reason and the message."""

from __future__ import annotations

from chassis.errors import AppError, DataLoss, FailedPrecondition, PermissionDenied, ResourceExhausted, Unavailable


class ProviderTokenRefused(FailedPrecondition):
    """The provider refused this installation's token."""

    REASON = "PROVIDER_TOKEN_REFUSED"


class ProviderWantsPayment(FailedPrecondition):
    """The provider's account has no credit."""

    REASON = "PROVIDER_WANTS_PAYMENT"


class ProviderSaidNo(FailedPrecondition):
    """The provider refused the inputs."""

    REASON = "PROVIDER_REFUSED"


class TrainerNotFound(FailedPrecondition):
    """The provider does not know the trainer or its version."""

    REASON = "TRAINER_NOT_FOUND"


class DestinationNotFound(FailedPrecondition):
    """The provider has no such destination."""

    REASON = "DESTINATION_NOT_FOUND"


class ArchiveUnreachable(FailedPrecondition):
    """The archive's address gives no zip file."""

    REASON = "ARCHIVE_UNREACHABLE"


class VersionNotFound(FailedPrecondition):
    """The provider does not know the trained version any more."""

    REASON = "VERSION_NOT_FOUND"


class SubmissionFailed(Unavailable):
    """The provider took none of several submissions."""

    REASON = "SUBMISSION_FAILED"


class ProviderLostRun(DataLoss):
    """The provider does not know the run any more."""

    REASON = "PROVIDER_LOST_RUN"


class ProviderAborted(FailedPrecondition):
    """The provider gave up before it began."""

    REASON = "PROVIDER_ABORTED"


class TrainerOutOfMemory(FailedPrecondition):
    """The trainer ran out of GPU memory."""

    REASON = "TRAINER_OUT_OF_MEMORY"


class TrainerFoundNoAudio(FailedPrecondition):
    """The trainer found no audio in the archive."""

    REASON = "TRAINER_FOUND_NO_AUDIO"


class TrainerRateTooLow(FailedPrecondition):
    """Every file of the archive has too low a sample rate."""

    REASON = "TRAINER_RATE_TOO_LOW"


class TrainerArchiveUnreadable(FailedPrecondition):
    """The trainer could not fetch or unpack the archive."""

    REASON = "TRAINER_ARCHIVE_UNREADABLE"


class TrainerCrashed(FailedPrecondition):
    """The training crashed inside the trainer; its log says why."""

    REASON = "TRAINER_CRASHED"


class TrainingFailed(FailedPrecondition):
    """The training failed for a reason that only the provider knows."""

    REASON = "TRAINING_FAILED"


class TrainingWithoutVersion(DataLoss):
    """The provider says that it succeeded and names no version."""

    REASON = "TRAINING_WITHOUT_VERSION"


class GenerationFailed(FailedPrecondition):
    """The provider could not generate."""

    REASON = "GENERATION_FAILED"


class GenerationEmpty(DataLoss):
    """The provider gave no audio."""

    REASON = "GENERATION_EMPTY"


class GenerationOutputLost(DataLoss):
    """The provider's audio is gone."""

    REASON = "GENERATION_OUTPUT_LOST"


class OutputTooLarge(ResourceExhausted):
    """The provider's audio is larger than is fetched."""

    REASON = "OUTPUT_TOO_LARGE"


class OutputAddressRefused(PermissionDenied):
    """The provider names audio at an address that is none of its own."""

    REASON = "OUTPUT_ADDRESS_REFUSED"


FAILURES: tuple[type[AppError], ...] = (
    ProviderTokenRefused,
    ProviderWantsPayment,
    ProviderSaidNo,
    TrainerNotFound,
    DestinationNotFound,
    ArchiveUnreachable,
    VersionNotFound,
    SubmissionFailed,
    ProviderLostRun,
    ProviderAborted,
    TrainerOutOfMemory,
    TrainerFoundNoAudio,
    TrainerRateTooLow,
    TrainerArchiveUnreadable,
    TrainerCrashed,
    TrainingFailed,
    TrainingWithoutVersion,
    GenerationFailed,
    GenerationEmpty,
    GenerationOutputLost,
    OutputTooLarge,
    OutputAddressRefused,
)
