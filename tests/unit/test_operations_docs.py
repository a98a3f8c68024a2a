"""docs/operations.md says what the chart, the alerts and the code have."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.material.pages import OPERATIONS, block, blocks
from tools.metrics import ALERTS, ROOT

PAGE = OPERATIONS.read_text()
CHART = ROOT / "deploy" / "helm" / "tonewright"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
_NAMED = re.compile(r"`([a-z][A-Za-z]*(?:\.[A-Za-z]+)+)(?::[^`]*)?`")
_SET = re.compile(r"--set ([A-Za-z.]+)=")


def _missing(path: tuple[str, ...]) -> bool:
    """Whether values.yaml has no such key."""
    here: Any = VALUES
    for key in path:
        if here == {} and path[0] != key:
            return False
        if not isinstance(here, dict) or key not in here:
            return True
        here = here[key]
    return False


def _paths(values: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each value; what lies below a map that operators fill counts as that map."""
    known: Any = VALUES
    for key in at:
        known = known.get(key) if isinstance(known, dict) else None
    if isinstance(values, dict) and values and known != {}:
        for key, value in values.items():
            yield from _paths(value, (*at, key))
    else:
        yield at


_EXAMPLES = blocks("yaml", "values")


def test_the_page_shows_values_for_each_task() -> None:
    assert len(_EXAMPLES) >= 12


@pytest.mark.parametrize("example", _EXAMPLES, ids=range(len(_EXAMPLES)))
def test_values_of_an_example_exist(example: str) -> None:
    assert [".".join(path) for path in _paths(yaml.safe_load(example)) if _missing(path)] == []


def test_values_that_the_text_names_exist() -> None:
    named = {*_NAMED.findall(PAGE), *_SET.findall(PAGE)}
    meant = sorted(name for name in named if name.partition(".")[0] in VALUES)

    assert len(meant) >= 25
    assert [name for name in meant if _missing(tuple(name.split(".")))] == []


def _alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def _runbooks() -> dict[str, str]:
    """Heading to text of each runbook."""
    _, *parts = re.split(r"^### (Tonewright\w+)$", PAGE.partition("\n## Runbooks\n")[2], flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    assert sorted(_runbooks()) == sorted(_alerts())


@pytest.mark.parametrize("name", _alerts())
def test_an_alert_says_what_to_do(name: str) -> None:
    rule, runbook = _alerts()[name], _runbooks()[name]
    notes = rule["annotations"]

    assert set(notes) == {"summary", "description", "runbook_url"}
    assert notes["runbook_url"].rpartition("#")[2] == name.lower()
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert runbook.strip().startswith(f"*{rule['labels']['severity']}.*")
    assert "notice" in runbook, "what users see of it"
    assert "for" in rule, "how long it must last, with its reason in a comment"


def test_links_inside_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL), flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) - anchors == set()


def test_settings_that_the_page_names_exist() -> None:
    known = (ROOT / "docs" / "settings.md").read_text()

    assert [name for name in re.findall(r"`(TONEWRIGHT_[A-Z_]+)`", PAGE) if f"`{name}`" not in known] == []


def test_the_nightly_backup_runs_the_tested_commands() -> None:
    pod = yaml.safe_load(block("yaml", "manifest"))["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (rows,), (objects,) = pod["initContainers"], pod["containers"]
    tested = block("sh", "backup")

    dated = re.sub(r"/backup/rows-\$\(.*?\)\.dump", "$BACKUP/rows.dump", rows["args"][0])
    given = [*objects["command"], *objects["args"]]
    copied = " ".join(given).replace("$(OBJECTS_URL)", '"$OBJECTS_URL"').replace("file:///backup", '"file://$BACKUP')

    def words(script: str) -> list[str]:
        return script.replace("\\\n", " ").split()

    assert words(dated + copied + '"') == words(tested)


def test_the_nightly_backup_is_restricted_and_of_this_release() -> None:
    pod = yaml.safe_load(block("yaml", "manifest"))["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["initContainers"] + pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert pod["containers"][0]["image"].endswith(f"/sessions:{version}")


def test_the_nightly_backup_is_an_object_of_kubernetes() -> None:
    validator = pytest.importorskip("kubernetes_validate")
    manifest = yaml.safe_load(block("yaml", "manifest"))

    for version in ("1.25", "1.30", "1.34"):
        validator.validate(manifest, version, strict=True)


def test_the_schemas_of_the_backup_are_those_of_the_services() -> None:
    from services.launcher.settings import PROCESSES

    with_rows = {spec.name.partition("-")[0] for spec in PROCESSES} - {"gateway"}

    assert set(re.findall(r"--schema=(\w+)", block("sh", "backup"))) == with_rows
    (dropped,) = re.findall(r"DROP SCHEMA IF EXISTS ([\w, ]+) CASCADE", block("sh", "restore"))
    assert set(dropped.split(", ")) == with_rows


def test_log_lines_that_runbooks_look_for_are_written() -> None:
    sources = [*(ROOT / "libs").rglob("*.py"), *(ROOT / "services").rglob("*.py")]
    code = "".join(path.read_text() for path in sources)
    patterns = re.findall(r"grep (?:-E )?'?([\w|]+)'?", PAGE)
    words = {word for pattern in patterns for word in pattern.split("|") if "_" in word}

    assert len(words) >= 4
    assert [word for word in sorted(words) if f'"{word}"' not in code] == []


def test_reasons_that_the_page_names_are_ones_that_callers_meet() -> None:
    contracts = (ROOT / "docs" / "contracts.md").read_text()
    code = {"INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "DATA_LOSS"}
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", PAGE)) - code

    settings = {name for name in named if name.startswith("TONEWRIGHT_")} | {"OWNER_URL", "OBJECTS_URL"}
    assert [name for name in sorted(named - settings) if f"`{name}`" not in contracts] == []
