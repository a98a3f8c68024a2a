"""What the gateway itself refuses, and why."""

from __future__ import annotations

from chassis.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)


class KeyMissing(Unauthenticated):
    """The request carries no API key and no token."""

    REASON = "KEY_MISSING"


class KeyUnknown(Unauthenticated):
    """The API key is not one of this installation."""

    REASON = "KEY_UNKNOWN"


class KeyExpired(Unauthenticated):
    """The API key was valid until a time that has passed."""

    REASON = "KEY_EXPIRED"


class TokenExpired(Unauthenticated):
    """The JWT was valid until a time that has passed."""

    REASON = "TOKEN_EXPIRED"


class TokenInvalid(Unauthenticated):
    """The JWT is malformed, wrongly signed, or from another issuer or for another audience."""

    REASON = "TOKEN_INVALID"


class IssuerUnavailable(Unavailable):
    """The OIDC issuer's keys are needed and cannot be read."""

    REASON = "ISSUER_UNAVAILABLE"


class TicketInvalid(Unauthenticated):
    """The ticket is malformed, expired, or for another stream."""

    REASON = "TICKET_INVALID"


class LinkExpired(PermissionDenied):
    """The signed link was valid until a time that has passed."""

    REASON = "LINK_EXPIRED"


class LinkUnknown(NotFound):
    """The link was not made by this installation, or was changed."""

    REASON = "LINK_UNKNOWN"


class ArtistNotFound(NotFound):
    """There is no such artist for this principal."""

    REASON = "ARTIST_NOT_FOUND"


class RouteNotFound(NotFound):
    """There is nothing at this path."""

    REASON = "ROUTE_NOT_FOUND"


class MethodNotAllowed(Unimplemented):
    """The path exists and does not take this method."""

    REASON = "METHOD_NOT_ALLOWED"


class BodyTooLarge(ResourceExhausted):
    """The body is larger than the route takes."""

    REASON = "BODY_TOO_LARGE"


class BodyInvalid(InvalidArgument):
    """The body is not what its media type says."""

    REASON = "BODY_INVALID"


class MediaTypeUnsupported(InvalidArgument):
    """The route does not take a body of this media type."""

    REASON = "MEDIA_TYPE_UNSUPPORTED"


class HeaderInvalid(InvalidArgument):
    """A header has a value that it cannot have."""

    REASON = "HEADER_INVALID"


class DigestMismatch(InvalidArgument):
    """The bytes that arrived do not have the digest or the size that was announced."""

    REASON = "DIGEST_MISMATCH"


class RangeUnsatisfiable(OutOfRange):
    """The range lies outside the content."""

    REASON = "RANGE_UNSATISFIABLE"


class IfMatchRequired(FailedPrecondition):
    """The change needs the etag that the caller last saw, in `If-Match`."""

    REASON = "IF_MATCH_REQUIRED"


class RateLimited(ResourceExhausted):
    """The key made more requests than it may."""

    REASON = "RATE_LIMITED"


class UploadNotOpen(FailedPrecondition):
    """The upload is completed, given up or expired."""

    REASON = "UPLOAD_NOT_OPEN"
