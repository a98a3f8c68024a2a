"""`python -m tools.chart check` holds the chart to everything that needs no cluster; `golden` writes its renderings."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tools.chart import callers, golden, links, pods, validate
from tools.chart.render import ROOT, HelmFailed, Manifest, lint, render, said, scenarios
from tools.pod_security import pod_specs, restricted_faults

STRICT = ("1.25", "1.30", "1.34")
# The oldest that the chart installs on; the validator has no schemas for it, so that only its API groups are checked.
OLDEST = "1.20"
_TYPO = "gateway.replcas=3"
Renderings = dict[tuple[str, str], list[Manifest]]


def main(arguments: list[str]) -> int:
    """0 when the chart is in order, else 1, with every fault on stderr."""
    parser = argparse.ArgumentParser(prog="python -m tools.chart", description=__doc__)
    parser.add_argument("command", choices=("check", "golden"))
    command = parser.parse_args(arguments).command
    began = time.monotonic()
    try:
        found = write() if command == "golden" else check()
    except HelmFailed as error:
        found = [str(error)]
    for fault in found:
        print(fault, file=sys.stderr)
    print(f"chart: {len(found) or 'no'} faults in {len(scenarios())} scenarios, {time.monotonic() - began:.1f} s")
    return 1 if found else 0


def check() -> list[str]:
    """Everything that is wrong with the chart."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        lints = [threads.submit(_refusal, partial(lint, values, STRICT[-1])) for values in scenarios().values()]
        typo = threads.submit(_refusal, partial(render, None, STRICT[-1], settings=[_TYPO]))
        rendered, found = _render_all(threads)
        found += [fault for lint_ in lints if (fault := lint_.result())]
        if "replcas" not in typo.result() or "gateway" not in typo.result():
            found.append(f"values.schema.json lets {_TYPO} pass, or does not say where it is")
    found += callers.faults()
    found += _object_faults(rendered)
    found += _golden_faults(rendered)
    return found + _metric_faults(rendered)


def write() -> list[str]:
    """Write the copies and golden files; faults of rendering only."""
    callers.COPY.write_text(callers.wanted())
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        rendered, found = _render_all(threads)
    if found:
        return found
    golden.FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = _golden_files(rendered)
    for stale in set(golden.FOLDER.glob("*.yaml")) - wanted.keys():
        stale.unlink()
    for path, text in wanted.items():
        path.write_text(text)
    return []


def _render_all(threads: ThreadPoolExecutor) -> tuple[Renderings, list[str]]:
    jobs = {
        (name, version): threads.submit(render, values, version)
        for name, values in scenarios().items()
        for version in (*STRICT, OLDEST)
        if version in (said(values, "kubernetes") or {version})
    }
    rendered, found = {}, []
    for pair, job in jobs.items():
        try:
            rendered[pair] = job.result()
        except HelmFailed as error:
            found.append(f"{' '.join(pair)}: {error}")
    return rendered, found


def _refusal(work: Callable[[], object]) -> str:
    try:
        work()
    except HelmFailed as error:
        return str(error)
    return ""


def _object_faults(rendered: Renderings) -> list[str]:
    seen: dict[tuple[str, str], list[str]] = {}
    found: list[str] = []
    for (scenario, version), manifests in rendered.items():
        outside = said(scenarios()[scenario], "outside")
        own = links.faults(manifests, outside=outside)
        for item in manifests:
            key = (version, json.dumps(item, sort_keys=True))
            if key not in seen:  # most objects are the same in most scenarios
                seen[key] = [*validate.faults(item, version), *pods.faults(item), *_security_faults(item)]
            own += [f"{item['kind']}/{item['metadata']['name']}: {fault}" for fault in seen[key]]
        found += [f"{scenario} {version}: {fault}" for fault in own]
    return found


def _security_faults(item: Manifest) -> list[str]:
    return [fault for spec in pod_specs(item) for fault in restricted_faults(spec)]


def _golden_files(rendered: Renderings) -> dict[Path, str]:
    kept = {pair: golden.parts(own) for pair, own in rendered.items() if pair[1] in STRICT}
    return golden.files(kept, STRICT[-1])


def _golden_faults(rendered: Renderings) -> list[str]:
    try:
        wanted = _golden_files(rendered)
    except KeyError:  # the newest version did not render; that is reported already
        return []
    unmade = set(golden.FOLDER.glob("*.yaml")) - wanted.keys()
    stale = [f"{path.relative_to(ROOT)}: no scenario makes it" for path in unmade]
    for path, text in wanted.items():
        there = path.read_text() if path.exists() else ""
        if there != text:
            change = difflib.unified_diff(there.splitlines(), text.splitlines(), lineterm="", n=2)
            stale.append(f"{path.relative_to(ROOT)} is not what the chart renders; run python -m tools.chart golden")
            stale += _first(change, 40)
    return stale


def _first(lines: Iterable[str], count: int) -> list[str]:
    return [line for line, _ in zip(lines, range(count), strict=False)]


def _metric_faults(rendered: Renderings) -> list[str]:
    from tools import metrics

    found = metrics.faults()
    known = metrics.series()
    for (scenario, version), manifests in rendered.items():
        for item in manifests if version == STRICT[-1] else ():
            for trigger in item["spec"]["triggers"] if item["kind"] == "ScaledJob" else ():
                query = metrics.Query(
                    f"{scenario}: trigger of {item['metadata']['name']}", trigger["metadata"]["valueLocation"]
                )
                found += metrics.query_faults(query, known)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
