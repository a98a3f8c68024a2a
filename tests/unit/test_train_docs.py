"""docs/train-mode.md names the calls that there are, the findings that there are, and no others."""

from __future__ import annotations

import json
import re

import pytest
from typer.main import get_command

from tests.material.pages import TRAIN_MODE, blocks
from tonewright_client.cli import app
from tools.metrics import ROOT

PAGE = TRAIN_MODE.read_text()
LINES = [line for mark in ("train", "steps") for line in "".join(blocks("sh", mark, TRAIN_MODE)).splitlines()]
_ARTIST = "/v1/artists/{artist}"
_CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?]*)")
_REASON = re.compile(r"(?:Finding|Crash|_error|_warning)\(\s*(?:item, )?\"([A-Z][A-Z0-9_]{3,})\"")
_LIKENESS = re.compile(r"Likeness\.\w+: \(\"([A-Z_]+)\",")
_TOLD = re.compile(r"^\| (`[A-Z].*?) \|", re.MULTILINE)


def test_every_call_is_in_the_contract() -> None:
    paths = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]

    wrong = [
        f"{verb} {path}"
        for verb, path in ((verb, path.replace("\n", " ")) for verb, path in _CALL.findall(PAGE))
        if verb.lower() not in paths.get(_ARTIST + path, {})
    ]

    assert wrong == []


def test_the_table_names_the_findings_of_the_code_and_no_others() -> None:
    code = "".join(path.read_text() for path in (ROOT / "services" / "datasets").rglob("*.py"))
    known = {*_REASON.findall(code), *_LIKENESS.findall(code)}

    told = [reason for row in _TOLD.findall(PAGE) for reason in re.findall(r"`([A-Z_0-9]+)`", row)]

    assert len(told) == len(set(told))
    assert set(told) == known


@pytest.mark.parametrize("line", LINES)
def test_every_command_is_one(line: str) -> None:
    words = line.split("#")[0].split()
    command = get_command(app)

    assert words.pop(0) == "tonewright"
    group = getattr(command, "commands", {})
    found = group.get(words[0])
    assert found is not None, line
    verbs = getattr(found, "commands", None)
    if verbs is not None and len(words) > 1:
        found = verbs.get(words[1])
        assert found is not None, line
    known = {name for option in found.params for name in (*option.opts, *option.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


def test_the_guide_is_short() -> None:
    assert len(PAGE.splitlines()) <= 150
