"""Every documented reason was given by the platform's own code in this run."""

from __future__ import annotations

from tests.reasons_plugin import unprovoked


def test_every_documented_reason_was_provoked() -> None:
    never = [f"{found.service}: {found.reason}" for found in unprovoked()]

    assert not never, "documented, but no test of this run provokes them"
