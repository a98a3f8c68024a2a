from services.sessions.api.assets import AssetsServicer
from services.sessions.api.sessions import SessionsServicer

__all__ = ["AssetsServicer", "SessionsServicer"]
