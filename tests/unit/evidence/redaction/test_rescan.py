import pytest

from functions.errors import RedactionFailure
from functions.evidence.detectors import standard_detectors
from functions.evidence.redaction.rescan import rescan

DETECTORS = standard_detectors()

CLEAN = {
    "ids of fixed length": b'{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"}',
    "a trace id of digits": b'{"traceId":"41111111111111114111111111111111"}',
    "a digest": b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  data/spans.csv",
    "an epoch in nanoseconds": b'{"startTimeUnixNano":"1763805374000000001"}',
    "instants": b"2026-11-22T09:56:15.1234567Z,2026-11-22T09:56:15+01:00",
    "a pseudonym": b"aaaabbbbccccddddeeeeffff",
    "counts beside each other": b"513,41,4000,1111,1111,1111,166.123457",
    "names and models": b"dispatcher,get_shipment_status,gpt-4o-mini-2024-07-18,2.3.1",
    "nothing": b"",
}


@pytest.mark.parametrize("data", CLEAN.values(), ids=CLEAN.keys())
def test_what_bundles_hold_passes(data: bytes) -> None:
    rescan(data, DETECTORS)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"to":"alice@example.com"}', r"email \(1\)"),
        (b"?email=alice%40example.com", r"email \(1\)"),
        (b"a,078-05-1120,b\n219-09-9999", r"us_ssn \(2\)"),
        (rb'{"text":"a\n415-555-0132"}', r"phone \(1\)"),
        (rb'{"text":"tab\t4111111111111111"}', r"payment_card \(1\)"),
        (b'{"spanId":"4111111111111111"}', r"payment_card \(1\)"),
        (b"x 198.51.100.7 alice@example.com", r"email \(1\), ip_address \(1\)"),
    ],
)
def test_what_must_not_leave_withholds_the_export(data: bytes, found: str) -> None:
    with pytest.raises(RedactionFailure, match=found):
        rescan(data, DETECTORS)


def test_the_failure_names_types_never_values() -> None:
    with pytest.raises(RedactionFailure) as failure:
        rescan(b"write to alice@example.com", DETECTORS)
    assert "alice" not in str(failure.value)
    assert failure.value.__cause__ is None


def test_bytes_that_are_no_text_can_not_be_vouched_for() -> None:
    with pytest.raises(RedactionFailure, match="UTF-8"):
        rescan(b"PK\x03\x04\xff\xfe", DETECTORS)
