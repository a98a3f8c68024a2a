"""Client of the tonewright gateway: typed calls, streamed audio, waiting for long work."""

from tonewright_client.client import ArtistHandle, Tonewright
from tonewright_client.errors import ApiError, FieldError, GatewayUnreachable, OperationFailed

__all__ = ["ApiError", "ArtistHandle", "FieldError", "GatewayUnreachable", "OperationFailed", "Tonewright"]
