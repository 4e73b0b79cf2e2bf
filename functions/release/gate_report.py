"""Writes what the release gate found: text, JSON, JUnit, annotations of GitHub Actions and Azure Pipelines.

None of it holds a value that was read: no connection string, no setting, no attribute. Names and reasons out
of release.yaml are escaped, so that they can't steer a terminal or a pipeline.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

import orjson

from functions.release.gate_policy import GateException
from functions.release.gate_verdicts import Judged, Result
from functions.text_plot import safe


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the gate found.

    Attributes:
        environment: What is released to.
        release: The release that is to go out; None where none was named.
        at: When it was judged, UTC.
        judged: Each verdict with its exception.
        unmatched: Exceptions that fit no verdict.
    """

    environment: str
    release: str | None
    at: datetime
    judged: tuple[Judged, ...]
    unmatched: tuple[GateException, ...]

    @property
    def open(self) -> bool:
        """Whether the release may go on."""
        return bool(self.judged) and not any(one.stops for one in self.judged)


def as_lines(report: GateReport) -> Iterator[str]:
    """Yield what a person reads at a terminal: a line for each verdict, and what to do."""
    for one in report.judged:
        verdict = one.verdict
        mark = "excepted" if _is_excepted(one) else str(verdict.result)
        yield f"  {mark:<14} {_printable(_name(one))}: {_printable(verdict.reason)}"
        if verdict.next_step:
            yield f"  {'':<14}   {_printable(verdict.next_step)}"
        if one.note:
            yield f"  {'':<14}   {_printable(_note(one))}"
    for exception in report.unmatched:
        yield f"  {'':<14} {_printable(_stray(exception))}"
    stopping = sum(one.stops for one in report.judged)
    yield "The release may go on." if report.open else f"The release is stopped by {stopping} verdicts."


def as_json(report: GateReport) -> bytes:
    """Return the report as JSON, indented."""
    body = {
        "environment": report.environment,
        "release": report.release,
        "at": report.at,
        "gate": "open" if report.open else "closed",
        "rules": [
            {
                "rule": one.verdict.rule,
                "subject": one.verdict.subject or None,
                "result": one.verdict.result,
                "reason": one.verdict.reason,
                "next_step": one.verdict.next_step or None,
                "stops": one.stops,
                "exception": _exception(one.exception),
                "note": one.note or None,
            }
            for one in report.judged
        ],
        "unmatched_exceptions": [_exception(one) for one in report.unmatched],
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_junit(report: GateReport) -> bytes:
    """Return it as JUnit XML: what fails is a failure, what can't be told an error, an exception a skip."""
    stopped = [one for one in report.judged if one.stops]
    failures = sum(one.verdict.result is Result.FAIL for one in stopped)
    suite = ET.Element(
        "testsuite",
        name="tracekeeper gate",
        timestamp=report.at.strftime("%Y-%m-%dT%H:%M:%S"),
        tests=str(len(report.judged)),
        failures=str(failures),
        errors=str(len(stopped) - failures),
        skipped=str(sum(map(_is_excepted, report.judged))),
    )
    for one in report.judged:
        case = ET.SubElement(
            suite, "testcase", classname=f"gate.{report.environment}", name=_printable(_name(one))
        )
        if _is_excepted(one):
            ET.SubElement(case, "skipped", message=_printable(_note(one)))
        elif one.stops:
            kind = "failure" if one.verdict.result is Result.FAIL else "error"
            ET.SubElement(case, kind, message=_printable(_message(one)))
    root = ET.Element("testsuites")
    root.append(suite)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def as_github(report: GateReport) -> Iterator[str]:
    """Yield workflow commands of GitHub Actions.

    Escapes: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
    """
    for kind, title, message in _annotations(report):
        escaped = _escaped(title, _GITHUB_PROPERTY)
        yield f"::{kind} title={escaped}::{_escaped(message, _GITHUB)}"


def as_azure(report: GateReport) -> Iterator[str]:
    """Yield logging commands of Azure Pipelines.

    Escapes: https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
    """
    for kind, title, message in _annotations(report):
        yield f"##vso[task.logissue type={kind}]{_escaped(f'{title}: {message}', _AZURE)}"


_GITHUB = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_GITHUB_PROPERTY = {**_GITHUB, ":": "%3A", ",": "%2C"}
_AZURE = {"%": "%AZP25", "\r": "%0D", "\n": "%0A", ";": "%3B", "]": "%5D"}


def _annotations(report: GateReport) -> Iterator[tuple[str, str, str]]:
    for one in report.judged:
        if one.stops:
            yield "error", f"gate {_name(one)}", _message(one)
        elif one.note:
            yield "warning", f"gate {_name(one)}", _note(one)
    for exception in report.unmatched:
        yield "warning", f"gate {exception.rule}", _stray(exception)


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in _printable(text))


def _printable(text: str) -> str:
    """Return text that steers neither a terminal nor Azure's agent, which takes ##vso[ anywhere in a line."""
    # In pieces, since `safe` cuts long texts.
    shown = "".join(safe(text[start : start + 40]) for start in range(0, len(text), 40))
    return shown.replace("##", "# #")


def _is_excepted(one: Judged) -> bool:
    return one.verdict.result is not Result.PASS and not one.stops


def _name(one: Judged) -> str:
    verdict = one.verdict
    return f"{verdict.rule} ({verdict.subject})" if verdict.subject else verdict.rule


def _message(one: Judged) -> str:
    parts = (one.verdict.reason, one.verdict.next_step, one.note)
    return " ".join(part for part in parts if part)


def _note(one: Judged) -> str:
    exception = one.exception
    said = f" {exception.owner} answers for it: {exception.reason}" if exception else ""
    return f"{one.note}{said}"


def _stray(exception: GateException) -> str:
    subject = f" ({exception.subject})" if exception.subject else ""
    return f"The exception for {exception.rule}{subject} fits no verdict: correct or remove it."


def _exception(exception: GateException | None) -> dict[str, Any] | None:
    if exception is None:
        return None
    return {
        "rule": exception.rule,
        "subject": exception.subject or None,
        "reason": exception.reason,
        "owner": exception.owner,
        "until": exception.until,
    }
