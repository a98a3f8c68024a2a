"""Rows of performances and tickets."""

from services.realtime.store.performances import PerformanceStore

__all__ = ["PerformanceStore"]
