"""A check's document gives back what was put into it, and refuses what it can't understand."""

import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alerts.answer import Accepted, Rejected
from functions.alerts.circumstances import Circumstances
from functions.alerts.outbox import Response
from functions.alerts.progress import carry_on
from functions.alerts.state import FORMAT, CheckState, state_from_json, state_to_json
from functions.checks.runner import Evaluated, EvaluationFailed
from functions.delivery.boxes import settle
from functions.errors import SourceThrottled, StorageError
from functions.storage.documents import encode
from functions.traces.source import Cell
from tests.unit.alerts.building import CHECK, RULES, START, finding, judged, window

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
CELLS: st.SearchStrategy[Cell] = (
    st.none() | st.text() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | NUMBERS | st.datetimes()
)
ANSWERS = st.sampled_from(
    [
        Accepted(202),
        Rejected(retryable=True, retry_after_seconds=None, reason="HTTP 503"),
        Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 400"),
    ]
)


@given(
    keys=st.lists(st.dictionaries(st.sampled_from(["Agent", "Tool"]), st.text()), min_size=1, max_size=4),
    shows=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), CELLS, max_size=4),
    value=NUMBERS,
    answers=st.lists(ANSWERS, max_size=3),
    failures=st.integers(0, 4),
)
def test_what_is_written_is_read_back(
    keys: list[dict[str, str]], shows: dict[str, Cell], value: float, answers: list[Any], failures: int
) -> None:
    findings = [finding(0, key, value=value, shows=shows) for key in keys]
    outcome = Evaluated((judged(0, *findings),), window(0).end, rows=len(keys), unjudged=1)
    state, _ = carry_on(CheckState(), outcome, CHECK, Circumstances(RULES, START))
    for answer in answers:
        for entry in state.outbox.waiting[:1]:
            state = settle(state, entry.destination, {entry.key: Response(answer, START)}, jitter=0.5)
    for _ in range(failures):
        error = SourceThrottled("Too many.", next_step="Wait.")
        state, _ = carry_on(state, EvaluationFailed(error, (window(1),)), CHECK, Circumstances(RULES, START))
    assert state_from_json("checks/x", orjson.loads(encode(state_to_json(state)))) == state


def test_a_new_check_is_read_back() -> None:
    assert state_from_json("checks/x", orjson.loads(encode(state_to_json(CheckState())))) == CheckState()


def test_a_document_from_before_questions_were_counted_opens() -> None:
    old = {name: value for name, value in state_to_json(CheckState()).items() if name != "asking"}
    assert state_from_json("checks/x", old) == CheckState()


def test_a_newer_version_of_the_document_is_refused_and_named() -> None:
    body = state_to_json(CheckState()) | {"format": FORMAT + 1, "alerts": {"quite": "different"}}
    with pytest.raises(StorageError, match=r"checks/x was written by a newer version: format 4, not 3"):
        state_from_json("checks/x", body)


GOOD = state_to_json(CheckState())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {name: value for name, value in GOOD.items() if name != "outbox"},
        GOOD | {"watermark": "yesterday <secret>"},
        GOOD | {"watermark": 7},
        GOOD | {"alerts": [{"id": "secret"}]},
        GOOD | {"alerts": {"secret": 1}},
        GOOD | {"outbox": None},
        GOOD | {"coverage": [{"start": "secret"}]},
        GOOD | {"asking": [{"day": "secret"}]},
        GOOD | {"last_evaluation": {"at": "2026-11-24T03:00:00Z", "secret": 1}},
        GOOD | {"consecutive_failures": "secret"},
    ],
    ids=lambda body: re.sub(r"\W+", "-", str(body))[-40:],
)
def test_a_broken_document_is_refused_without_showing_what_it_holds(body: dict[str, Any]) -> None:
    with pytest.raises(StorageError, match="checks/x does not hold a check's state") as raised:
        state_from_json("checks/x", body)
    assert "secret" not in str(raised.value)
    assert raised.value.__suppress_context__
    assert raised.value.__cause__ is None
