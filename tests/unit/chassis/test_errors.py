from __future__ import annotations

import pytest

from chassis import errors
from chassis.errors import AppError, Code, FieldInvalid, NotFound, Violation, by_code, collect, require


def test_require_names_the_field_and_what_is_expected() -> None:
    require(True, "bpm", "20 to 400")

    with pytest.raises(FieldInvalid) as raised:
        require(False, "bpm", "20 to 400")

    assert raised.value.violations == (Violation("bpm", "20 to 400"),)
    assert "bpm: expected 20 to 400" in str(raised.value)


def test_collect_tells_all_violations_at_once() -> None:
    def check() -> None:
        with collect() as violations:
            violations.require(False, "title", "1 to 80 characters")
            violations.require(True, "key", "a key")
            with violations.within("tempo"):
                require(False, "bpm", "20 to 400")

    with pytest.raises(FieldInvalid) as raised:
        check()

    assert [v.field for v in raised.value.violations] == ["title", "tempo.bpm"]


def test_collect_without_violations_raises_nothing() -> None:
    with collect() as violations:
        violations.require(True, "title", "anything")


def test_every_code_has_its_own_class_but_unknown() -> None:
    classes = {code: by_code(code) for code in Code}

    assert classes.pop(Code.UNKNOWN) is errors.Internal
    assert all(kind.CODE is code for code, kind in classes.items())


def test_an_error_keeps_what_it_was_given() -> None:
    error = NotFound("gone", metadata={"a": "b"}, retry_after_s=2)

    assert (error.reason, error.metadata, error.retry_after_s, str(error)) == (
        "RESOURCE_NOT_FOUND",
        {"a": "b"},
        2,
        "gone",
    )


def test_reasons_are_unique() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AppError)]
    reasons = [kind.REASON for kind in kinds if kind is not AppError]

    assert len(reasons) == len(set(reasons))


def test_a_missing_dependency_is_named() -> None:
    error = errors.DependencyUnavailable("database")

    assert error.metadata == {"dependency": "database"}
    assert error.retry_after_s == 2.0
