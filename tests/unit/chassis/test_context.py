from __future__ import annotations

import pytest

from chassis import context
from chassis.context import Role, acting_as, in_request
from chassis.errors import Unauthenticated
from chassis.testing import caller_for


def test_an_owner_may_what_an_editor_may_and_a_viewer_may_not() -> None:
    assert Role.OWNER.allows(Role.EDITOR)
    assert Role.EDITOR.allows(Role.EDITOR)
    assert not Role.VIEWER.allows(Role.EDITOR)


def test_there_is_no_caller_outside_of_a_request() -> None:
    with pytest.raises(Unauthenticated):
        context.caller()


def test_work_acts_as_its_caller_and_no_longer() -> None:
    with acting_as(caller_for("nova")):
        inside = context.caller()

    assert inside == caller_for("nova")
    with pytest.raises(Unauthenticated):
        context.caller()


def test_a_request_has_an_id_a_deadline_and_flags_of_its_own() -> None:
    with in_request("abc", deadline=5.0) as flags:
        context.mark_replayed()
        inside = (context.request_id(), context.deadline(), context.response_flags() is flags)

    assert inside == ("abc", 5.0, True)
    assert flags.replayed
    assert context.request_id() == ""


def test_a_request_without_id_gets_one() -> None:
    with in_request(), in_request():
        assert len(context.request_id()) == 32
