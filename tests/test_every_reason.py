"""Every documented reason was given by the platform's own code in this run."""

from __future__ import annotations

from tests.reasons_plugin import provoked
from tools.contracts import reasons


def test_every_documented_reason_was_provoked() -> None:
    never = {reason.reason for reason in reasons()} - provoked

    assert not never, f"documented, but no test of this run provokes: {sorted(never)}"
