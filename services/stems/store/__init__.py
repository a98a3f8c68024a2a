"""The rows of separations, on SQLite and Postgres."""

from services.stems.store.separations import SeparationStore
from services.stems.store.tables import Base, RequestRow, ResultRow, SeparationRow

__all__ = ["Base", "RequestRow", "ResultRow", "SeparationRow", "SeparationStore"]
