"""Keep docs/ true: the table of settings, the links between pages, the commands that README names.

python tools/docs.py          write docs/settings.md
python tools/docs.py check    fail when it is stale, a link leads nowhere or a `make` target does not exist
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from services.launcher.settings import SERVICES

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "settings.md"
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")
_TARGET = re.compile(r"`make ([a-z-]+)")

HEADER = """# Settings

Every process reads its settings from the environment, and `--check` prints them with secrets masked. A service reads
`TONEWRIGHT_<SERVICE>_<NAME>` first and `TONEWRIGHT_<NAME>` where that is not set, so one variable can serve all.
URLs choose the adapter: `sqlite:///…` or `postgresql://…`, `file:///…` or `s3://bucket/prefix?endpoint=…`,
`filesystem:///…`, `amqp://…` or `redis://…`. Credentials of S3 come from the usual `AWS_*` variables. `make generate`
makes this page.

`standin` plays a training provider on a laptop: the launcher starts it where no token of Replicate is set, unless
`TONEWRIGHT_STANDIN=off`. It is no service of the platform and in no image.
"""


def main() -> int:
    os.environ["TONEWRIGHT_HOME"] = "/HOME"
    if sys.argv[1:] == ["check"]:
        faults = [*_stale_page(), *_dead_links(), *_unknown_targets(), *_version_faults()]
        print("\n".join(faults) or "docs are true", file=sys.stderr if faults else sys.stdout)
        return 1 if faults else 0
    PAGE.write_text(_page())
    return 0


def _page() -> str:
    types = {service: _settings_type(service) for service in (*SERVICES, "standin")}
    shared = importlib.import_module("chassis.settings").Settings
    parts = [HEADER, "## Every service\n", _table(shared, [*shared.model_fields], "TONEWRIGHT_")]
    for service, settings in types.items():
        own = [
            name
            for name, field in settings.model_fields.items()
            if name not in shared.model_fields or field.default != shared.model_fields[name].default
        ]
        parts += [f"## {service}\n", _table(settings, own, f"TONEWRIGHT_{service.upper()}_")]
    return "\n".join(parts)


def _settings_type(service: str) -> Any:
    shared = importlib.import_module("chassis.settings").Settings
    module = importlib.import_module(f"services.{service}.settings")
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, shared) and value is not shared
    )


def _table(settings: Any, names: list[str], prefix: str) -> str:
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name in names:
        field = settings.model_fields[name]
        default = "required" if field.is_required() else _shown(field.get_default(call_default_factory=True))
        rows.append(f"| `{prefix}{name.upper()}` | {default} | {field.description or ''} |")
    return "\n".join(rows) + "\n"


def _shown(value: object) -> str:
    if value in (None, "", Path(), ()):
        return ""
    text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(getattr(value, "value", value))
    return f"`{text}`" if text else ""


def _stale_page() -> list[str]:
    fresh = PAGE.exists() and PAGE.read_text() == _page()
    return [] if fresh else ["docs/settings.md is stale; run `make generate`"]


def _pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "services").glob("*/README.md")]


def _dead_links() -> list[str]:
    return [
        f"{page.relative_to(ROOT)}: {link} leads nowhere"
        for page in _pages()
        for link in _LINK.findall(page.read_text())
        if not (page.parent / link).exists()
    ]


def _unknown_targets() -> list[str]:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    return [
        f"{page.relative_to(ROOT)}: there is no `make {target}`"
        for page in _pages()
        for target in _TARGET.findall(page.read_text())
        if target not in known
    ]


def _version_faults() -> list[str]:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## \[([^]]+)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    if newest and newest.group(1) == version:
        return []
    return [f"CHANGELOG.md does not begin with version {version}"]


if __name__ == "__main__":
    raise SystemExit(main())
