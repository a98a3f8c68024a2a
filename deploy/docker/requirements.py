"""Print what pip installs for some extras of the project, one requirement per line.

`python requirements.py pyproject.toml chassis tracing`: the base dependencies come with every extra; extras of the
project inside extras are resolved. The dependency layers of the images are keyed on this output alone, so a change of
code, or of any other part of pyproject.toml, leaves them as they are.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


def requirements(project: Mapping[str, object], extras: Sequence[str]) -> list[str]:
    """The base dependencies and those of the extras, sorted, each once.

    Raises:
        KeyError: The project has no such extra.
    """
    base, table = project["dependencies"], project["optional-dependencies"]
    assert isinstance(base, list)
    assert isinstance(table, dict)
    found = set(base)
    for extra in extras:
        found.update(_of_extra(str(project["name"]), table, extra))
    return sorted(found)


def _of_extra(name: str, table: Mapping[str, list[str]], extra: str) -> Iterator[str]:
    for line in table[extra]:
        own = re.fullmatch(rf"{re.escape(name)}\[([\w, -]+)\]", line)
        if own is None:
            yield line
            continue
        for inner in own[1].split(","):
            yield from _of_extra(name, table, inner.strip())


if __name__ == "__main__":
    parsed = tomllib.loads(Path(sys.argv[1]).read_text("utf-8"))
    print("\n".join(requirements(parsed["project"], sys.argv[2:])))
