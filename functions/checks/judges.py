"""What judges that ask no telemetry have in common: when they judge, and what they answer."""

from datetime import datetime

from functions.checks.definition import CheckDefinition
from functions.checks.finding import JudgedWindow, Window
from functions.checks.runner import Evaluated, NothingDue, Outcome


def window_due(check: CheckDefinition, watermark: datetime | None, now: datetime) -> Window | None:
    """Return the time since the judge judged last; None where that is too little."""
    if watermark is not None and now - watermark < check.every:
        return None
    return Window(watermark or now - check.every, now)


def answer(judged: JudgedWindow, watermark: datetime | None) -> Outcome:
    """Return the outcome; there is nothing to say where nothing ever went wrong."""
    if watermark is None and not judged.findings:
        return NothingDue()
    return Evaluated(
        (judged,),
        watermark=judged.window.end,
        rows=len(judged.findings),
        unjudged=len(judged.unjudged),
    )
