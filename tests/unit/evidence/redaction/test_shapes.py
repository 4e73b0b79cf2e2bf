import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.evidence.detectors import standard_detectors
from functions.evidence.redaction.shapes import SHAPES, buckets, list_of, one_of, to_hour

DETECTORS = standard_detectors()
UUID = "fe75da20-5dfe-4169-84e4-923456789012"

# shape, value, what is kept
KEPT = [
    ("name", "dispatcher", "dispatcher"),
    ("name", "dispatch.carrier.CarrierApiError", "dispatch.carrier.CarrierApiError"),
    ("name", "WH-A", "WH-A"),
    ("name", UUID, UUID),
    ("model", "gpt-4o-mini-2024-07-18", "gpt-4o-mini-2024-07-18"),
    ("model", "meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
    ("model", "ft:gpt-4o-mini:acme::abc123", "ft:gpt-4o-mini:acme::abc123"),
    ("version", "2.4.0+build.7", "2.4.0+build.7"),
    ("version", "9fceb02d0ae598e95dc970b74767f19372d61af8", "9fceb02d0ae598e95dc970b74767f19372d61af8"),
    ("hex_id", "00f067aa0ba902b7", "00f067aa0ba902b7"),
    ("boolean", True, True),
    ("boolean", "False", "False"),
    ("integer", 513, 513),
    ("integer", "513", "513"),
    ("integer", "-1", "-1"),
    ("integer", "99999999", "99999999"),
    ("number", 166.123456789, 166.123457),
    ("number", "0.31", "0.31"),
    ("number", "0.8333333333333334", "0.833333"),
    ("number", "1e-05", "0.000010"),
    ("instant", "2026-11-22T09:56:15Z", "2026-11-22T09:56:15Z"),
    ("instant", "2026-11-22T09:56:15.1234567+01:00", "2026-11-22T09:56:15.1234567+01:00"),
    ("name", "HTTP2ProtocolError", "HTTP2ProtocolError"),
    ("name", "RESOURCE_EXHAUSTED_429", "RESOURCE_EXHAUSTED_429"),
    ("model", "Qwen25Coder32BInstruct", "Qwen25Coder32BInstruct"),
    ("model", "claude-3-5-sonnet-20241022", "claude-3-5-sonnet-20241022"),
    ("version", "2024-11-20", "2024-11-20"),
    ("id_list", "17,POL-22", "17,POL-22"),
    ("id_list", "POL-17,POL-22", "POL-17,POL-22"),
    ("id_list", '["POL-17", "POL-22"]', "POL-17,POL-22"),
    ("id_list", "('POL-17', 'POL-22')", "POL-17,POL-22"),
    ("id_list", "('POL-17',)", "POL-17"),
    ("id_list", "", ""),
    ("id_list", "[]", ""),
]

REFUSED: dict[str, list[object]] = {
    "name": [
        "",
        "Alice Smith",
        "a\n",
        "a\nb",
        "<b>",
        "=cmd",
        "-x",
        "ünï",
        "a" * 65,
        "a@b",
        "a/b",
        "078051120",
        "555-0132",
        "born-1987-05-23",
        "born.23.05.1987",
        "ref-19870523",
        "CNRYMXZGH6MRW7FEAT",
        "ticket-CNRYABCDEFGHKLMNPQ",
        "q7Xz9LmP2vR8sT4w",
        "QWRhIExvdmVsYWNl",  # Ada Lovelace
        "xQWRhIExvdmVsYWNl",
        "a416461204c6f76656c616365",  # the same in hex
        5,
        None,
    ],
    "model": ["gpt 4", "https://x.example/y", "a//b", "/a", "a/", "a" * 129, "a/b/c/d/e"],
    "version": ["1987-05-23", "19870523", "v 1", "+1.2", "1.0.4111111111111111", "1;2"],
    "hex_id": [
        "19870523",
        "4111111111111111",
        "00F067AA0BA902B7",
        "00f067aa0ba902b",
        "00f067aa0ba902b7\n",
        "xyz",
    ],
    "boolean": ["yes", "TRUE", "", 1, 0, None],
    "integer": [
        "4111111111111111",
        "078051120",
        "15035559100",
        10**8,
        10**400,
        "1.5",
        "",
        " 1",
        "1\n",
        True,
        1.0,
        "١٢",
        None,
    ],
    "number": [
        "123456789",
        1e8,
        float("nan"),
        float("inf"),
        "nan",
        "1e5",
        "1,5",
        "0x1",
        True,
        10**400,
        "",
        None,
    ],
    "instant": [
        "2026-11-22",
        "2026-11-22T09:56:15",
        "2026-02-30T00:00:00Z",
        "2026-11-22 09:56:15Z",
        "now",
        5,
    ],
    "id_list": [
        "see POL-17",
        "POL-17,Alice Smith",
        "['POL-17', \"Alice's\"]",
        '[["POL-17"]]',
        "[POL-17",
        '{"id": "POL-17"}',
        "POL-17,,POL-22",
        "x," * 5000,
        ",".join(["a"] * 501),
        ["POL-17"],
    ],
}


@pytest.mark.parametrize(("shape", "value", "kept"), KEPT)
def test_a_value_of_the_shape_is_kept(shape: str, value: object, kept: object) -> None:
    assert SHAPES[shape](value) == kept
    assert type(SHAPES[shape](value)) is type(kept)


@pytest.mark.parametrize(
    ("shape", "value"),
    [(shape, value) for shape, values in REFUSED.items() for value in values],
    ids=lambda value: ascii(value)[:20],
)
def test_a_value_of_another_shape_is_refused(shape: str, value: object) -> None:
    assert SHAPES[shape](value) is None


def test_every_shape_has_kept_and_refused_cases() -> None:
    assert set(SHAPES) == {shape for shape, *_ in KEPT} == set(REFUSED)


def test_a_list_of_given_texts_holds_no_other() -> None:
    shape = list_of(one_of(["stop", "tool_calls"]))
    assert shape("('stop',)") == "stop"
    assert shape('["stop", "tool_calls"]') == "stop,tool_calls"
    assert shape('["stop", "because Alice said so"]') is None


@pytest.mark.parametrize("name", sorted(SHAPES))
@given(
    value=st.one_of(st.text(), st.text("[]()'\",.: aZ059-_/+e"), st.integers(), st.floats(), st.booleans())
)
def test_a_shape_applied_twice_changes_nothing_more(name: str, value: object) -> None:
    kept = SHAPES[name](value)
    assert kept is None or SHAPES[name](kept) == kept


@pytest.mark.parametrize("name", sorted(SHAPES))
@given(value=st.one_of(st.text(), st.text("<>&;\n\r\t \\'\"=|$({[aZ05")))
def test_no_shape_passes_spaces_markup_or_line_breaks(name: str, value: str) -> None:
    kept = SHAPES[name](value)
    assert not isinstance(kept, str) or not set(kept) & set(" \n\r\t<>&;\\'\"=|$({[")


@given(
    st.from_regex(r"-?[0-9]{1,8}(\.[0-9]{1,6})?", fullmatch=True),
    st.sampled_from(["integer", "number", "boolean"]),
)
def test_a_number_that_is_kept_is_too_short_for_any_detector(text: str, shape: str) -> None:
    kept = SHAPES[shape](text)
    assert kept is None or DETECTORS.find(str(kept)) == []


@pytest.mark.parametrize(
    ("value", "hour"),
    [
        ("2026-11-22T09:56:15.1234567Z", "2026-11-22T09:00:00Z"),
        ("2026-11-22T00:30:00+01:00", "2026-11-21T23:00:00Z"),
        ("2026-11-22T09:00:00Z", "2026-11-22T09:00:00Z"),
        ("0001-01-01T00:00:00+10:00", None),
        ("yesterday", None),
        (5, None),
    ],
)
def test_an_instant_becomes_its_hour(value: object, hour: str | None) -> None:
    assert to_hour(value) == hour


@pytest.mark.parametrize(
    ("value", "bucket"),
    [
        (-1, "below_0"),
        (0, "0_to_10"),
        (9.99, "0_to_10"),
        ("10", "10_to_100.5"),
        (100.5, "from_100.5"),
        ("from_100.5", "from_100.5"),
        ("from_7", None),
        ("many", None),
        (True, None),
    ],
)
def test_a_number_becomes_its_bucket(value: object, bucket: str | None) -> None:
    assert buckets([0, 10, 100.5])(value) == bucket
