"""Fenced blocks of the documentation, which tests run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

_DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
OPERATIONS, TRAIN_MODE = _DOCS / "operations.md", _DOCS / "train-mode.md"
_BLOCK = re.compile(r"^( *)```(\S+) (\S+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def blocks(language: str, mark: str, page: Path = OPERATIONS) -> list[str]:
    """The blocks that begin with this language and mark, without their indent."""
    found = _BLOCK.findall(page.read_text())
    return [
        re.sub(f"^{indent}", "", text, flags=re.MULTILINE) for indent, *kind, text in found if kind == [language, mark]
    ]


def block(language: str, mark: str) -> str:
    """The only block of this language and mark."""
    (found,) = blocks(language, mark)
    return found
