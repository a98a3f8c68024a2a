"""What tests of services stand on: a clock they own, a caller, an in-process server."""

from chassis.testing.clock import FakeClock
from chassis.testing.rpc import Served, caller_for, grpc_server, operator, write_keys

__all__ = ["FakeClock", "Served", "caller_for", "grpc_server", "operator", "write_keys"]
