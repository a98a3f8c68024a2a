"""The gRPC face of the service."""

from services.stems.api.servicer import METHOD_RULES, StemsServicer, operation_source

__all__ = ["METHOD_RULES", "StemsServicer", "operation_source"]
