"""Whatever telemetry holds: only what the shipped policy names leaves, and no free text with it."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import yaml
from hypothesis import given
from hypothesis import strategies as st

from functions.evidence.detectors import standard_detectors
from functions.evidence.redaction.policy import Drop, Keep, Pseudonymize, redaction_policy
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.rescan import rescan
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.traces.model import TABLES, TraceRow

POLICY = redaction_policy(yaml.safe_load((Path(__file__).parents[3] / "config/redaction.yaml").read_bytes()))
DETECTORS = standard_detectors()
SANITIZER = Sanitizer(POLICY, Pseudonyms(bytes(32), "keyA"), DETECTORS)
PSEUDONYM = re.compile(r"[a-p]{24}")

NAMED = POLICY.rules["properties", ""].exact
COLUMNS = POLICY.rules["columns", ""].exact

KEPT = sorted(name for name, rule in NAMED.items() if isinstance(rule.action, Keep))
KEPT_COLUMNS = sorted(name for name, rule in COLUMNS.items() if isinstance(rule.action, Keep))
PSEUDONYMIZED = sorted(name for name, rule in NAMED.items() if isinstance(rule.action, Pseudonymize))
DROPPED = sorted(name for name, rule in NAMED.items() if isinstance(rule.action, Drop))

anything = st.one_of(
    st.text(st.characters(exclude_categories=[])),
    st.text("aZ059 <>&\"'=@+-_.:/,[](){}\n\t%"),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.text()),
)
plausible = st.one_of(
    anything,
    st.sampled_from(
        ["dispatcher", "gpt-4o", "513", "0.9", "('stop',)", "chat", "2026-11-22T09:56:15Z", "POL-1,POL-2"]
    ),
)
names = st.one_of(st.text(), st.sampled_from(KEPT), st.sampled_from(PSEUDONYMIZED), st.sampled_from(DROPPED))
columns = st.one_of(st.text(), st.sampled_from(sorted(COLUMNS)))
rows = st.builds(
    TraceRow,
    table=st.sampled_from(TABLES),
    trace_id=st.one_of(st.text(), st.from_regex(r"[0-9a-f]{32}", fullmatch=True)),
    span_id=st.one_of(st.text(), st.from_regex(r"[0-9a-f]{16}", fullmatch=True)),
    parent_id=st.one_of(st.text(), st.from_regex(r"[0-9]{16}", fullmatch=True)),
    time=st.just(datetime(2026, 11, 22, tzinfo=UTC)),
    received=st.just(datetime(2026, 11, 22, tzinfo=UTC)),
    columns=st.dictionaries(columns, plausible, max_size=5),
    properties=st.dictionaries(names, plausible, max_size=5),
)  # fmt: skip


@given(rows)
def test_nothing_leaves_that_the_policy_does_not_keep_or_replace(row: TraceRow) -> None:
    result = SANITIZER.sanitize(row)
    for name in result.row.properties:
        assert name in KEPT or name in PSEUDONYMIZED
    for name, value in result.row.columns.items():
        rule = POLICY.rule_for_column(row.table, name)
        assert rule is not None
        assert not isinstance(rule.action, Drop)
        assert isinstance(rule.action, Keep) or PSEUDONYM.fullmatch(str(value))
    assert re.fullmatch(r"[0-9a-f]{32}", result.row.trace_id)
    assert re.fullmatch(r"(?:[0-9a-f]{16})?", result.row.span_id)
    assert re.fullmatch(r"(?:[0-9a-f]{16})?", result.row.parent_id)


@given(st.dictionaries(st.text(), st.just("UNSHOWABLE"), min_size=1))
def test_neither_names_nor_values_of_unknown_properties_leave(properties: dict[str, str]) -> None:
    unknown = {name: value for name, value in properties.items() if name not in NAMED}
    result = SANITIZER.sanitize(_row(unknown))
    assert result.row.properties == {}
    assert result.removed == ({"unknown": len(unknown)} if unknown else {})
    assert all(PSEUDONYM.fullmatch(name) for name in result.unknown)


@given(st.sampled_from(KEPT), plausible)
def test_a_kept_value_holds_no_free_text(name: str, value: Any) -> None:
    for kept in SANITIZER.sanitize(_row({name: value})).row.properties.values():
        assert not set(kept) & set(" \n\r\t<>&;\"'=|$(){}[]@%\\\x00")
        assert kept.isascii()
        assert DETECTORS.find(kept) == []


@given(rows)
def test_every_value_taken_is_counted_once(row: TraceRow) -> None:
    result = SANITIZER.sanitize(row)
    ids = sum(
        count
        for rule, count in result.removed.items()
        if re.fullmatch(r"misfit:(trace|span|parent)_id", rule)
    )
    replaced = sum(count for rule, count in result.removed.items() if rule.startswith("pseudonymize:"))
    gone = len(row.columns) + len(row.properties) - len(result.row.columns) - len(result.row.properties)
    assert sum(result.removed.values()) - ids - replaced == gone


@given(rows)
def test_counts_name_nothing_but_rules_and_detectors(row: TraceRow) -> None:
    named = {*COLUMNS, *NAMED, "AppEvents.Name", "trace_id", "span_id", "parent_id"}
    for label in SANITIZER.sanitize(row).removed:
        kind, _, name = label.partition(":")
        assert label == "unknown" or (kind == "detector" and name.isidentifier()) or name in named


@given(rows)
def test_sanitizing_is_deterministic(row: TraceRow) -> None:
    fresh = Sanitizer(POLICY, Pseudonyms(bytes(32), "keyA"), DETECTORS)
    assert fresh.sanitize(row) == SANITIZER.sanitize(row) == SANITIZER.sanitize(row)


@given(rows)
def test_a_second_pass_takes_nothing_more_away(row: TraceRow) -> None:
    once = SANITIZER.sanitize(row).row
    twice = SANITIZER.sanitize(once)
    assert all(label.startswith("pseudonymize:") for label in twice.removed)
    assert twice.row.properties.keys() == once.properties.keys()
    for name in once.properties.keys() & set(KEPT):
        assert twice.row.properties[name] == once.properties[name]
    for name in once.columns.keys() & set(KEPT_COLUMNS):
        assert twice.row.columns[name] == once.columns[name]


@given(st.lists(rows, max_size=5))
def test_finished_bytes_of_sanitized_rows_pass_the_rescan(telemetry: list[TraceRow]) -> None:
    results = [SANITIZER.sanitize(row) for row in telemetry]
    data = b"\n".join(orjson.dumps(result.row) for result in results)
    rescan(data, DETECTORS)
    rescan(
        json.dumps(json.loads(b"[" + data.replace(b"\n", b",") + b"]"), indent=1).encode(),
        DETECTORS,
    )


def _row(properties: dict[str, Any]) -> TraceRow:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    return TraceRow("AppRequests", "4bf92f3577b34da6a3ce929d0e0e4736", "", "", now, now, {}, properties)
