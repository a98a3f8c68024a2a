from services.sessions.probe.prober import ChildProber

__all__ = ["ChildProber"]
