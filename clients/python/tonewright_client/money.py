"""Amounts of money."""

from __future__ import annotations

MICROS = 1_000_000


def usd(micros: int) -> str:
    """Millionths of a US dollar for people."""
    return f"${micros / MICROS:,.2f}"


def micros(dollars: float) -> int:
    """US dollars in millionths."""
    return round(dollars * MICROS)
