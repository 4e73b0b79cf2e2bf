"""Says in sentences where what a check found is not what its fixture expects."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from functions.checks.definition import CheckDefinition
from functions.checks.finding import Finding
from tests.checks.bench import Built, build
from tests.checks.fixtures import read_cases

TOLERANCE = 0.005
"""How far a value may be from the expected one, as a share of it: fixtures are written to be read."""


def walk(check: CheckDefinition, fixtures: Path, scratch: Path) -> list[str]:
    """Run a check over all cases of its two files and return what is not as they say.

    Args:
        check: The check.
        fixtures: The folder that holds fires.yaml and quiet.yaml.
        scratch: An empty folder for the sites of the cases.

    Raises:
        ConfigurationError: A file is missing or wrong.
    """
    return [
        f"{built.case}: {what}"
        for workspace in build(check, read_cases(fixtures), scratch)
        for built, found in workspace.findings(check)
        for what in complaints(built, found)
    ]


def complaints(built: Built, found: Sequence[Finding]) -> list[str]:
    """Return what is wrong with the findings of one case; nothing where they are as expected.

    Where a key is found in several windows, its last finding is compared.
    """
    by_key: defaultdict[tuple[tuple[str, str], ...], list[Finding]] = defaultdict(list)
    for finding in found:
        by_key[tuple(sorted(finding.key.items()))].append(finding)
    wrong = []
    for expected in built.case.expect:
        findings = by_key.pop(tuple(sorted(expected["key"].items())), [])
        if not findings:
            wrong.append(f"{expected['key']} was not found")
            continue
        wrong += [f"{expected['key']}: {what}" for what in _differences(built, expected, findings)]
    wrong += [f"{dict(key)} was found: {findings[-1]}" for key, findings in by_key.items()]
    return wrong


def _differences(built: Built, expected: Mapping[str, Any], findings: Sequence[Finding]) -> Iterator[str]:
    finding = findings[-1]
    pairs: list[tuple[str, Any, Any]] = [("windows", expected.get("windows", 1), len(findings))]
    pairs += [
        (name, expected[name], getattr(finding, name))
        for name in ("value", "threshold", "violations")
        if name in expected
    ]
    pairs += [(column, cell, finding.shows.get(column)) for column, cell in expected.get("shows", {}).items()]
    for name, wanted, got in pairs:
        if not _alike(wanted, got):
            yield f"{name} is {got!r}, not {wanted!r}"
    if "traces" in expected and set(finding.trace_ids) != built.named(expected["traces"]):
        named = [
            n
            for n, copies in enumerate(built.traces, 1)
            if {t.trace_id for t in copies} & set(finding.trace_ids)
        ]
        yield f"it names {len(finding.trace_ids)} traces, of {named}, not exactly {expected['traces']}"


def _alike(wanted: object, got: object) -> bool:
    if isinstance(wanted, bool) or not (isinstance(wanted, int | float) and isinstance(got, int | float)):
        return wanted == got
    return math.isclose(wanted, got, rel_tol=TOLERANCE, abs_tol=1e-9)
