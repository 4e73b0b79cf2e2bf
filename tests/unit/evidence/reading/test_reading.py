"""Single traces, sanitized at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest

from functions.configuration import SHIPPED, load_configuration
from functions.errors import InvalidRequest, NotFound, RedactionFailure
from functions.evidence.controls.verdicts import Control, Result, RunVerdicts, Verdict
from functions.evidence.detectors import Detector, Detectors
from functions.evidence.reading.reading import Reading
from functions.evidence.seals.store import Seals
from tests.fakes.storage import MemoryDocuments, MemoryObjects
from tests.unit.evidence.material import ABSENT, SECRET, TRACE, protection
from tests.unit.evidence.reporting import PRICES
from tests.unit.evidence.rig import NOW, telemetry_source
from tests.unit.triggers.rig import NoControls


@pytest.fixture
def reading() -> Reading:
    documents = MemoryDocuments()
    return Reading(
        telemetry_source(),
        protection,
        load_configuration(SHIPPED).agents.attributes,
        PRICES,
        NoControls(),
        documents,
        Seals(MemoryObjects(), documents),
        timedelta(days=90),
        lambda: NOW,
    )


def test_one_trace_is_read_sanitized(reading: Reading) -> None:
    trace = reading.read(TRACE.upper())
    assert trace["trace_id"] == TRACE
    assert [span["name"] for span in trace["spans"]] == [
        "request",
        "invoke_agent dispatcher",
        "execute_tool get_shipment_status",
    ]
    assert len(trace["events"]) == 4
    assert trace["complete"] is True
    assert trace["redactions"]["removed"]["drop:Message"] == 2
    text = orjson.dumps(trace).decode()
    assert not [word for word in SECRET.split() if len(word) > 3 and word in text]


@pytest.mark.parametrize(
    ("trace_id", "error"), [(ABSENT, NotFound), ("x", InvalidRequest), ("a" * 10_000, InvalidRequest)]
)
def test_a_trace_that_can_not_be_read_is_refused(
    reading: Reading, trace_id: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        reading.read(trace_id)


def test_a_trace_in_which_the_rescan_finds_something_is_withheld(reading: Reading) -> None:
    careless = Detectors([Detector("agent", '"agent"|dispatcher"', '"agent"')])
    with pytest.raises(RedactionFailure):
        replace(reading, protection=lambda: replace(protection(), detectors=careless)).read(TRACE)


class StrictControls(NoControls):
    """Finds that a look-up was not made, and that data was old."""

    def judge_trace(
        self, trace_id: str, *, since: datetime, until: datetime, cutoff: datetime
    ) -> Sequence[RunVerdicts]:
        assert since < until
        verdicts = (
            Verdict(Control.REQUIRED_LOOKUPS, Result.FAIL, "get_shipment_status was not called"),
            Verdict(Control.DATA_FRESH, Result.FAIL, "data 9 h old"),
        )
        return [RunVerdicts(trace_id, "b" * 16, cutoff, "dispatcher", "2.0", "c" * 64, "", verdicts, ())]


def test_what_controls_found_is_told_in_sentences(reading: Reading) -> None:
    trace = replace(reading, controls=StrictControls()).read(TRACE)
    assert trace["findings"] == [
        "dispatcher: get_shipment_status was not called.",
        "dispatcher: data 9 h old.",
    ]
    assert reading.read(TRACE)["findings"] == []
