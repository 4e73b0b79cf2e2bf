"""How numbers, times and an alert's subject are said in one or two words."""

import re
from datetime import datetime, timedelta

from functions.alerts.alert import Alert
from functions.alerts.escaping import escape
from functions.checks.definition import CheckDefinition

_STEP_LENGTH = 300


def number(value: float) -> str:
    """Return four figures of a number: 0.00132, 95.45, 12,346."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def quantity(value: float, unit: str) -> str:
    """Return a number and its unit: "1 run", "2 runs"."""
    figures = number(value)
    return f"{figures} {unit.removesuffix('s') if figures == '1' else unit}"


def measure(alert: Alert, unit: str) -> str:
    """Return what was measured last, and the limit where there is one."""
    measured = quantity(alert.value, unit)
    return measured if alert.threshold is None else f"{measured}, limit {number(alert.threshold)}"


def moment(at: datetime) -> str:
    """Return an instant to the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def length_of(time: timedelta) -> str:
    """Return a length of time in its largest fitting unit: "95 minutes", "4 hours", "3 days"."""
    minutes = round(time.total_seconds() / 60)
    if minutes < 120:
        return count(minutes, "minute")
    return count(minutes // 60, "hour") if minutes < 48 * 60 else count(minutes // (24 * 60), "day")


def count(of: int, noun: str) -> str:
    """Return "1 run" or "2,000 runs"."""
    return f"{of:,} {noun}" if of == 1 else f"{of:,} {noun}s"


def label(column: str) -> str:
    """Turn "PromptVersion" into "Prompt version"."""
    return escape(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).capitalize())


def subject(alert: Alert) -> str:
    """Return whom it is about: the agent, or whatever the alert's key names first. Escaped."""
    return escape(alert.key.get("Agent") or next(iter(alert.key.values()), ""))


def first_step(check: CheckDefinition) -> str:
    """Return the first sentence of the triage guide. Escaped."""
    sentence = re.split(r"(?<=[.!?])\s", " ".join(check.triage.split()), maxsplit=1)[0]
    return escape(sentence, _STEP_LENGTH)
