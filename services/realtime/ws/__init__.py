"""The performance socket, subprotocol `tonewright.realtime.v1`."""

from services.realtime.ws.server import SocketRules, SocketServer

__all__ = ["SocketRules", "SocketServer"]
