"""Options of the whole suite, and the closing count per kind of test."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.targets import LOCAL_TARGETS, TARGETS

pytest_plugins = [
    "tests.backends_plugin",
    "tests.reasons_plugin",
    "tests.cluster_plugin",
    "tests.figures_plugin",
]
_counts: Counter[tuple[str, str]] = Counter()


# Servers are forked off this process with a function to run in the child; gRPC's own fork handlers may hang there.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

# What a collection imports lives to the end; walking it again and again takes a fifth of the unit tests' time.
gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage from here on, but not among what was there before the first test."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target",
        default=",".join(LOCAL_TARGETS),
        help=f"where integration tests run, comma-separated: {', '.join(TARGETS)}",
    )


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.outcome != "passed":
        _counts[_kind(report.nodeid), report.outcome] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    kinds = sorted({kind for kind, _ in _counts})
    if not kinds:
        return
    terminalreporter.section("counts by kind")
    for kind in kinds:
        passed, failed, skipped = (_counts[kind, outcome] for outcome in ("passed", "failed", "skipped"))
        terminalreporter.write_line(f"{kind:24} {passed:5} passed  {failed:3} failed  {skipped:3} skipped")


def _kind(nodeid: str) -> str:
    kind = nodeid.split("/")[1] if nodeid.count("/") else "other"
    target = next((target for target in TARGETS if f"[{target}" in nodeid or f"-{target}]" in nodeid), "")
    return f"{kind} on {target}" if target and kind == "integration" else kind


@pytest.fixture(autouse=True)
def _unit_tests_open_no_sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    if "tests/unit/" not in request.node.nodeid:
        yield
        return
    from pytest_socket import disable_socket, enable_socket

    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
