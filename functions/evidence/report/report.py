"""Writes report.html: one file for a person, without script or foreign resource, that prints.

Everything that comes out of traces is sanitized before it gets here, and escaped here all the same. What is
kept between traces is bounded, so that an export of any size has a report that can be opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from functions.costs.prices import Prices
from functions.evidence.controls.verdicts import Result, RunVerdicts
from functions.evidence.report.controls import ControlTally, failed_controls, has_no_rule, verdict_words
from functions.evidence.report.page import Totals, page
from functions.evidence.report.step_cost import trace_cost
from functions.evidence.report.timeline import shortened, timeline
from functions.evidence.report.timelines import Drawing
from functions.traces.agents import Attributes
from functions.traces.model import TraceRow

MOST_TIMELINES = 50
"""Traces drawn; those with failed controls first."""

MOST_STEPS = 40
"""Steps drawn of one trace."""

_FAILED_CONTROL, _FAILED_STEP, _NOT_EVALUABLE, _SOUND = range(4)


@dataclass(frozen=True, slots=True)
class Account:
    """What a report says beside the traces: the bodies of the bundle's other files.

    Attributes:
        request: Of request.json.
        completeness: Of completeness.json, the seals among it under "seals".
        redactions: Of redactions.json.
        coverage: Of coverage.json (`coverage_body`).
        key_id: Of the key that signs the bundle; None where nothing is signed.
        published: Where the public key is published (the setting PUBLIC_KEY_URL); "" where nobody has said.
    """

    request: Mapping[str, Any]
    completeness: Mapping[str, Any]
    redactions: Mapping[str, Any]
    coverage: Mapping[str, Any]
    key_id: str | None = None
    published: str = ""


class ReportBuilder:
    """Takes the traces of one export one by one, and then writes its report.

    Args:
        attributes: Which properties carry what the site configured.
        prices: What model calls cost.
    """

    def __init__(self, attributes: Attributes, prices: Prices) -> None:
        self._attributes = attributes
        self._prices = prices
        self._controls = ControlTally()
        self._drawings: tuple[list[Drawing], ...] = ([], [], [], [])
        self._failed = self._traces = self._rows = 0
        self._first: datetime | None = None
        self._last: datetime | None = None

    def add(
        self,
        trace_id: str,
        rows: Sequence[TraceRow],
        verdicts: Sequence[RunVerdicts],
        *,
        rows_in_all: int | None = None,
    ) -> None:
        """Take one trace; call it for each, in the order of the bundle.

        Args:
            trace_id: 32 hex digits.
            rows: The rows of the trace, sanitized, in the order of time; at least one. Of a very long trace
                the first will do.
            verdicts: Of the trace's runs; none where no run was judged.
            rows_in_all: How many rows the trace has; None: as many as are given.
        """
        self._traces += 1
        self._rows += rows_in_all or len(rows)
        self._first = min(self._first or rows[0].time, rows[0].time)
        self._last = max(self._last or rows[-1].time, rows[-1].time)
        self._controls.add(verdicts)
        rank = _rank(rows, verdicts)
        if rank == _FAILED_CONTROL:
            self._failed += 1
        if sum(map(len, self._drawings[: rank + 1])) >= MOST_TIMELINES:
            return
        whole = replace(timeline(trace_id, rows, self._attributes), rows=rows_in_all or len(rows))
        cost = trace_cost(whole.steps, self._prices)
        self._drawings[rank].append(
            Drawing(shortened(whole, MOST_STEPS), cost, verdict_words(verdicts), len(rows))
        )
        while sum(map(len, self._drawings)) > MOST_TIMELINES:
            next(filter(None, reversed(self._drawings))).pop()

    def render(self, account: Account) -> bytes:
        """Return report.html: the same bytes for the same traces and account."""
        drawn = [drawing for some in self._drawings for drawing in some]
        totals = Totals(
            traces=self._traces,
            rows=self._rows,
            first=self._first,
            last=self._last,
            failed=self._failed,
        )
        return page(
            totals,
            self._controls,
            drawn,
            self._prices,
            request=account.request,
            completeness=account.completeness,
            redactions=account.redactions,
            coverage=account.coverage,
            key_id=account.key_id,
            published=account.published,
        )


def _rank(rows: Sequence[TraceRow], verdicts: Sequence[RunVerdicts]) -> int:
    """Tell how much a trace deserves to be drawn: 0 most."""
    if failed_controls(verdicts):
        return _FAILED_CONTROL
    if any(row.columns.get("Success") is False for row in rows):
        return _FAILED_STEP
    if any(
        one.result is not Result.PASS and not has_no_rule(one) for run in verdicts for one in run.verdicts
    ):
        return _NOT_EVALUABLE
    return _SOUND
