"""Writes report.html: one file for a person, without script or foreign resource, that prints.

Everything that comes out of traces is sanitized before it gets here, and escaped here all the same. What is
kept between traces is bounded, so that an export of any size has a report that can be opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.costs.prices import Prices
from functions.traces.agents import Attributes
from functions.traces.model import TraceRow

MOST_TIMELINES = 50
"""Traces drawn; those with failed controls first."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a report says beside the traces: the bodies of the bundle's other files.

    Attributes:
        request: Of request.json.
        completeness: Of completeness.json, the seals among it under "seals".
        redactions: Of redactions.json.
        coverage: Of coverage.json (`coverage_body`).
        key_id: Of the key that signs the bundle; None where nothing is signed.
        published: Where the public key is published, for people; "" where nobody has said.
        content_note: What the profile says about content, for example what it can't find; "" for metadata.
    """

    request: Mapping[str, Any]
    completeness: Mapping[str, Any]
    redactions: Mapping[str, Any]
    coverage: Mapping[str, Any]
    key_id: str | None = None
    published: str = ""
    content_note: str = ""


class ReportBuilder:
    """Takes the traces of one export one by one, and then writes its report.

    Args:
        attributes: Which properties carry what the site configured.
        prices: What model calls cost.
    """

    def __init__(self, attributes: Attributes, prices: Prices) -> None:
        self._attributes = attributes
        self._prices = prices

    def add(self, trace_id: str, rows: Sequence[TraceRow], verdicts: Sequence[Any]) -> None:
        """Take one trace; call it for each, in the order of the bundle.

        Args:
            trace_id: 32 hex digits.
            rows: All rows of the trace, sanitized, in the order of time; at least one.
            verdicts: RunVerdicts of the trace's runs; none where no run was judged.
        """
        raise NotImplementedError

    def render(self, account: Account) -> bytes:
        """Return report.html: the same bytes for the same traces and account."""
        raise NotImplementedError
