from __future__ import annotations

import re

import pytest

from chassis.errors import NameInvalid
from chassis.ids import SLUG, format_name, new_uid, parse_name

PATTERN = "artists/{artist}/assets/{asset}"


def test_later_ids_sort_later() -> None:
    ids = [new_uid() for _ in range(100)]

    assert ids == sorted(ids)
    assert all(re.fullmatch("[0-9a-f]{32}", uid) for uid in ids)


def test_a_name_is_taken_apart_and_put_together() -> None:
    parts = parse_name(PATTERN, "artists/nova/assets/0a1b")

    assert parts == {"artist": "nova", "asset": "0a1b"}
    assert format_name(PATTERN, **parts) == "artists/nova/assets/0a1b"


@pytest.mark.parametrize(
    "name",
    ["", "artists/nova", "artists/nova/assets/", "artists//assets/a", "artists/../assets/a", "artists/nova/assets/a/b",
     "artists/nova/assets/a:b", "artists/nova/assets/a\n", "artists/nova/assets/" + "a" * 200, "artists/-/assets/a"],
)  # fmt: skip
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(NameInvalid) as raised:
        parse_name(PATTERN, name, field="asset")

    assert raised.value.violations[0].field == "asset"


def test_a_wildcard_stands_only_where_it_may() -> None:
    assert parse_name(PATTERN, "artists/-/assets/a", wildcards=True)["artist"] == "-"


@pytest.mark.parametrize(("text", "fits"), [("nova", True), ("no", False), ("1st", False), ("Nova", False)])
def test_slugs(text: str, fits: bool) -> None:
    assert (SLUG.fullmatch(text) is not None) is fits
