"""What the release gate says of each rule, and what becomes of a failure that an exception covers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from functions.release.gate_facts import Unknown
from functions.release.gate_policy import GateException


class Result(StrEnum):
    """What a rule came to. One that can't be evaluated stops a release as one that fails does."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    NOT_EVALUABLE = "not evaluable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one rule.

    Attributes:
        rule: The rule's name.
        subject: What of it: an attribute or a resource's id; "" where the rule has one verdict only.
        result: What it came to.
        reason: Why, as a sentence without any value that was read.
        next_step: What a person does about it, as a sentence; "" for a pass.
    """

    rule: str
    subject: str
    result: Result
    reason: str
    next_step: str = ""


class Rule:
    """Writes the verdicts of one rule."""

    def __init__(self, rule: str, subject: str = "") -> None:
        self._of = (rule, subject)

    def passed(self, reason: str) -> Verdict:
        """Return that it holds."""
        return Verdict(*self._of, Result.PASS, reason)

    def failed(self, reason: str, next_step: str) -> Verdict:
        """Return that it does not hold."""
        return Verdict(*self._of, Result.FAIL, reason, next_step)

    def open(self, reason: str, next_step: str) -> Verdict:
        """Return that it can't be told."""
        return Verdict(*self._of, Result.NOT_EVALUABLE, reason, next_step)

    def unknown(self, fact: Unknown) -> Verdict:
        """Return that it can't be told, for want of a fact."""
        return self.open(fact.reason, fact.next_step)


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, with the exception that is on record for it.

    Attributes:
        verdict: What was found.
        exception: The one for this rule and subject; None where there is none.
        stops: Whether it stops the release.
        note: What is to be said of the exception; "" where there is none.
    """

    verdict: Verdict
    exception: GateException | None
    stops: bool
    note: str


def judge(
    verdicts: Sequence[Verdict], exceptions: Iterable[GateException], today: date
) -> tuple[Judged, ...]:
    """Put the exceptions to the verdicts.

    An exception covers one rule and subject, up to and with its last day; after that the rule stops releases
    again by itself. Of several for the same, the one that holds longest counts.

    Args:
        verdicts: What was found.
        exceptions: Those of the environment.
        today: The present day, UTC.
    """
    by_end = sorted(exceptions, key=lambda one: one.until)
    held = {(one.rule, one.subject): one for one in by_end}
    return tuple(_judged(verdict, held.get((verdict.rule, verdict.subject)), today) for verdict in verdicts)


def unmatched(verdicts: Iterable[Verdict], exceptions: Iterable[GateException]) -> tuple[GateException, ...]:
    """Return the exceptions for which there is no verdict: their rule or subject is misspelt, or is gone."""
    known = {(verdict.rule, verdict.subject) for verdict in verdicts}
    return tuple(one for one in exceptions if (one.rule, one.subject) not in known)


def _judged(verdict: Verdict, exception: GateException | None, today: date) -> Judged:
    failed = verdict.result is not Result.PASS
    if exception is None:
        return Judged(verdict, None, stops=failed, note="")
    if not failed:
        return Judged(verdict, exception, stops=False, note="The exception is not needed: remove it.")
    if today > exception.until:
        return Judged(verdict, exception, stops=True, note=f"The exception ended on {exception.until}.")
    return Judged(verdict, exception, stops=False, note=f"Excepted until {exception.until}.")
