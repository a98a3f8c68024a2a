"""The gRPC face of the service."""

from services.realtime.api.servicer import METHOD_RULES, RealtimeServicer

__all__ = ["METHOD_RULES", "RealtimeServicer"]
