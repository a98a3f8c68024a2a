from __future__ import annotations

from services.gateway.problems import STATUS_BY_REASON, Problems
from tools import contracts


def test_page_says_what_the_code_says() -> None:
    assert contracts.TARGET.read_text() == contracts.text(), "run `python tools/contracts.py`"


def test_every_reason_has_a_meaning() -> None:
    assert [found.reason for found in contracts.reasons() if not found.meaning] == []


def test_every_special_status_belongs_to_a_reason() -> None:
    assert set(STATUS_BY_REASON) - {found.reason for found in contracts.reasons()} == set()


def test_type_of_a_problem_leads_to_its_reason_on_the_page() -> None:
    from services.gateway.errors import RateLimited

    document = Problems("https://tonewright.dev/docs/contracts").document(RateLimited("x"), 429)

    assert f'<a id="{document["type"].partition("#")[2]}"></a>' in contracts.TARGET.read_text()
