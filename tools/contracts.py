"""Write docs/contracts.md, the list of public routes, statuses and reasons, or check that it is true.

python tools/contracts.py           write it
python tools/contracts.py check     fail when the code says something else
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "libs"), str(ROOT / "gen")]

TARGET = ROOT / "docs" / "contracts.md"
EVERYWHERE = "every service"


@dataclass(frozen=True)
class Kind:
    """A class of errors as its source states it."""

    service: str
    name: str
    bases: tuple[str, ...]
    code: str
    reason: str
    meaning: str


@dataclass(frozen=True)
class Reason:
    """One reason that a caller can meet."""

    service: str
    reason: str
    code: str
    meaning: str


def main() -> int:
    command = sys.argv[1] if len(sys.argv) > 1 else "write"
    if command not in ("write", "check"):
        print(f"unknown command {command!r}; write or check", file=sys.stderr)
        return 2
    fresh = text()
    if command == "write":
        TARGET.write_text(fresh)
        return 0
    if not TARGET.exists() or TARGET.read_text() != fresh:
        print("docs/contracts.md is stale; run `python tools/contracts.py`", file=sys.stderr)
        return 1
    print("docs/contracts.md is true")
    return 0


@functools.cache
def reasons() -> tuple[Reason, ...]:
    """Every reason that a caller of a service can meet, in order of service and name.

    Sources are read, not imported: some of them need torch, and reading shows the same.
    """
    sources = [(path, ast.parse(path.read_text())) for path in _sources()]
    kinds = [kind for path, tree in sources for kind in _kinds(path, tree)]
    by_name: dict[tuple[str, str], Kind] = {(kind.service, kind.name): kind for kind in kinds}
    found = {(given.service, given.reason): given for given in OF_LONG_WORK}
    met = OF_GRPC.union(*(_made(tree) for _, tree in sources))
    for kind in kinds:
        code = _code_of(kind, by_name)
        # The general class of a code is what others derive from; nobody meets its reason unless code makes it itself.
        is_met = "AppError" not in kind.bases or kind.name in met
        if code and kind.reason and is_met:
            found[kind.service, kind.reason] = Reason(kind.service, kind.reason, code, kind.meaning)
    return tuple(found[key] for key in sorted(found, key=lambda key: (key[0] != EVERYWHERE, *key)))


def text() -> str:
    """The whole page."""
    from services.gateway.access import PUBLIC, PUBLIC_BELOW, TICKETED
    from services.gateway.problems import STATUS_BY_CODE, STATUS_BY_REASON

    public = [f"| `{path}` | {why} |" for path, why in PUBLIC.items()]
    public += [f"| `{path}…` | {why} |" for path, why in PUBLIC_BELOW.items()]
    public += [f"| `{path}` | the ticket is the right to this one stream, for a few minutes |" for path in TICKETED]
    by_code = [f"| {code.name} | {status} |" for code, status in STATUS_BY_CODE.items()]
    by_reason = [f"| {reason} | {status} |" for reason, status in STATUS_BY_REASON.items()]
    statuses = {code.name: status for code, status in STATUS_BY_CODE.items()}
    lines = [HEAD, "## What needs no key", "", "| path | why |", "|---|---|", *public, ""]
    lines += ["## Statuses", "", STATUSES, "", "| gRPC code | HTTP |", "|---|---|", *by_code, ""]
    lines += ["These reasons have a status of their own:", "", "| reason | HTTP |", "|---|---|", *by_reason, ""]
    lines += ["## Reasons", "", REASONS]
    service = ""
    for found in reasons():
        if found.service != service:
            service = found.service
            domain = "the answering service's domain" if service == EVERYWHERE else f"`{service}.tonewright.dev`"
            lines += ["", f"### {service[0].upper()}{service[1:]}", "", f"Domain: {domain}.", ""]
            lines += ["| reason | gRPC code | HTTP | meaning |", "|---|---|---|---|"]
        status = STATUS_BY_REASON.get(found.reason) or statuses[found.code]
        anchor = f'<a id="{found.reason.lower()}"></a>'
        lines.append(f"| {anchor}`{found.reason}` | {found.code} | {status} | {found.meaning} |")
    return "\n".join(lines) + "\n"


def _sources() -> Iterator[Path]:
    yield from (path for path in sorted((ROOT / "libs" / "chassis").rglob("*.py")) if "testing" not in path.parts)
    yield from sorted((ROOT / "services").rglob("*.py"))


def _made(tree: ast.Module) -> set[str]:
    """Names of what the module calls."""
    return {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def _kinds(path: Path, tree: ast.Module) -> Iterator[Kind]:
    parts = path.relative_to(ROOT).parts
    service = EVERYWHERE if parts[0] == "libs" else parts[1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            bases = tuple(ast.unparse(base).rpartition(".")[2] for base in node.bases)
            meaning = (ast.get_docstring(node) or "").partition("\n")[0]
            code = _constant(node, "CODE").rpartition(".")[2]
            yield Kind(service, node.name, bases, code, _constant(node, "REASON"), meaning)


def _constant(node: ast.ClassDef, name: str) -> str:
    for statement in node.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        value = getattr(statement, "value", None)
        if isinstance(target, ast.Name) and target.id == name and value is not None:
            return str(value.value) if isinstance(value, ast.Constant) else ast.unparse(value)
    return ""


def _code_of(kind: Kind, by_name: dict[tuple[str, str], Kind]) -> str:
    if kind.code or kind.name == "AppError":
        return kind.code
    for base in kind.bases:
        parent = by_name.get((kind.service, base)) or by_name.get((EVERYWHERE, base))
        if parent is not None and parent != kind and (code := _code_of(parent, by_name)):
            return code
    return ""


HEAD = """# Contracts

What callers may rely on beside [openapi.json](openapi.json) and the protos. This page is made by `tools/contracts.py`
from the code; a test keeps it true.
"""
STATUSES = """Every error is an RFC 9457 problem, `application/problem+json`, with `type` (a link to the reason on this
page), `title`, `status`, `detail`, `reason`, `domain`, `request_id`, `metadata`, `errors[]` (each field that breaks a
rule) and, for faults of the platform, `error_id`. The gRPC code of the reason decides the HTTP status:"""
REASONS = """A pair of domain and reason keeps its meaning for ever; texts may change. Over gRPC the same pair travels
as `google.rpc.ErrorInfo`. What refuses a call without one, as a proxy between services may, has the name of its gRPC
code for a reason."""
# Reasons that no request is refused with: the error of long work that ended badly carries them.
OF_LONG_WORK = (
    Reason(EVERYWHERE, "CANCELLED", "CANCELLED", "The work was cancelled."),
    Reason(EVERYWHERE, "WORKER_LOST", "UNAVAILABLE", "Ten workers died over this work; start it again."),
)
# General classes whose code gRPC itself answers, before any code of ours runs.
OF_GRPC = frozenset({"ResourceExhausted"})


if __name__ == "__main__":
    raise SystemExit(main())
