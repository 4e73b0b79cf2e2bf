"""Single traces, sanitized at once."""

from dataclasses import replace

import orjson
import pytest

from functions.errors import InvalidRequest, NotFound, RedactionFailure
from functions.evidence.detectors import Detector, Detectors
from functions.evidence.reading import Reading
from tests.unit.evidence.material import ABSENT, SECRET, TRACE, protection
from tests.unit.evidence.rig import NOW, telemetry_source


@pytest.fixture
def reading() -> Reading:
    return Reading(telemetry_source(), protection, lambda: NOW)


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
