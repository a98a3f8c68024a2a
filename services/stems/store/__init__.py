"""The rows of separations, on SQLite and Postgres."""

from services.stems.store.separations import SeparationStore
from services.stems.store.tables import Base, ChunkRow, OutboxRow, RequestRow, ResultRow, SeparationRow

__all__ = ["Base", "ChunkRow", "OutboxRow", "RequestRow", "ResultRow", "SeparationRow", "SeparationStore"]
