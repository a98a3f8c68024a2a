from services.sessions.store.store import SqlStore
from services.sessions.store.tables import Base

__all__ = ["Base", "SqlStore"]
