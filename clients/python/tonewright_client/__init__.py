"""Client of the tonewright gateway: typed calls, streamed audio, waiting for long work."""

from tonewright_client.client import ArtistHandle, Tonewright
from tonewright_client.errors import ApiError, DownloadDamaged, FieldError, GatewayUnreachable, OperationFailed

__all__ = [
    "ApiError",
    "ArtistHandle",
    "DownloadDamaged",
    "FieldError",
    "GatewayUnreachable",
    "OperationFailed",
    "Tonewright",
]
