"""Values are planted in every table, column, attribute, name, id and message: which of them leave?

In the profile `metadata` none; in `content` none of the kinds that the detectors claim. Both, whether the
content still lies in the rows or was moved to AppGenAIContent.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.errors import RedactionFailure
from functions.evidence.detectors import Detectors, standard_detectors
from functions.evidence.detectors.payments import PAYMENT_DETECTORS
from functions.evidence.packing.otlp import encode_traces
from functions.evidence.packing.table import encode_table
from functions.evidence.redaction.content import CONTENT_COLUMNS, ContentReader, encode_content
from functions.evidence.redaction.policy import Keep, Kind, Policy, Rule, Rules, redaction_policy
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.redactions import Redactions
from functions.evidence.redaction.rescan import rescan
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.traces.model import TABLES, TraceRow
from local.azure_monitor.content import move_content
from local.azure_monitor.envelopes import Row
from tests.unit.evidence.planted import CLAIMED, DRESSES, KINDS, Planted, in_json, plant, planted

CONFIG = Path(__file__).parents[3] / "config"
BODY = yaml.safe_load((CONFIG / "redaction.yaml").read_bytes())
SCHEMAS = json.loads((Path(__file__).parents[3] / "local/azure_monitor/tables.json").read_bytes())
METADATA = redaction_policy(BODY)
CONTENT = redaction_policy(BODY, "content")
DETECTORS = standard_detectors()
PSEUDONYMS = Pseudonyms(bytes(range(32)), "keyA", Pseudonyms(bytes(range(1, 33)), "keyB"))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
OWN = {"Id", "OperationId", "ParentId", "TimeGenerated", "Properties"}

COLUMNS = {table: sorted(set(SCHEMAS[table]) - OWN) for table in TABLES}
NAMED = sorted(
    {
        *METADATA.rules["properties", ""].exact,
        *CONTENT.rules["properties", ""].exact,
        *CONTENT_COLUMNS.values(),
    }
)
PREFIXES = [rule.prefix for rule in METADATA.rules["properties", ""].prefixes]
UNSEEN = ["customer.email", "crew.task.result", "dspy.trace", "input", "user_prompt", "Properties", "x" * 300]


@dataclass(frozen=True)
class Telemetry:
    """Rows as sent, before Azure routes their content, and what was planted in them."""

    rows: tuple[TraceRow, ...]
    planted: tuple[Planted, ...]

    def routed(self, routing: str) -> tuple[tuple[TraceRow, ...], tuple[Mapping[str, Any], ...]]:
        """Return the rows of the trace's tables and those of AppGenAIContent."""
        if routing == "inline":
            return self.rows, ()
        rows, records = [], []
        for row in self.rows:
            own = {"Id": row.span_id, "ParentId": row.parent_id, "OperationId": row.trace_id}
            values = {**row.columns, **own, "Properties": dict(row.properties)}
            kept, content = move_content(Row(row.table, row.time, values))
            rows.append(replace(row, properties=kept.values["Properties"]))
            if content is not None:
                records.append({"TimeGenerated": content.time, **content.values})
        return tuple(rows), tuple(records)


def message_of(role: str, text: str) -> str:
    """Return what the attributes for messages hold, the text in every place that there is."""
    parts = [
        {"type": "text", "content": text},
        {"type": "tool_call", "id": text, "name": text, "arguments": json.dumps({text: [text]})},
        {"type": "tool_call_response", "id": text, "response": {"result": {"note": text}}},
        {"type": text, text: text},
    ]
    return json.dumps([{"role": role, "name": text, "parts": parts, "finish_reason": text}])


@st.composite
def telemetry(draw: st.DrawFn) -> Telemetry:
    """Draw rows in which every value, and some names and ids, are planted ones."""
    values: list[Planted] = []

    def value(*, bare: bool = False) -> str:
        one = draw(planted)
        values.append(one)
        text = one.told if draw(st.booleans()) else one.value
        return one.value if bare else draw(st.sampled_from(DRESSES))(text)

    def names() -> st.SearchStrategy[Callable[[], str]]:
        known = st.sampled_from([*NAMED, *UNSEEN]).map(lambda name: lambda: name)
        odd = st.sampled_from(["", *PREFIXES, "app.", "gen_ai."]).map(lambda p: lambda: p + value(bare=True))
        return st.one_of(known, known, known, odd)

    rows = []
    for _ in range(draw(st.integers(1, 3))):
        table = draw(st.sampled_from(TABLES))
        columns = {name: value() for name in draw(st.sets(st.sampled_from(COLUMNS[table]), max_size=6))}
        if draw(st.booleans()):
            columns[value(bare=True)] = value()
        properties = {name(): value() for name in draw(st.lists(names(), max_size=8))}
        if draw(st.booleans()):
            properties["gen_ai.input.messages"] = message_of("user", value(bare=True))
        ids = [draw(st.sampled_from(["", SPAN])) if draw(st.booleans()) else value() for _ in range(2)]
        trace_id = TRACE if draw(st.booleans()) else value()
        rows.append(TraceRow(table, trace_id, *ids, NOON, NOON, columns, properties))
    return Telemetry(tuple(rows), tuple(values))


def files_of(
    rows: Sequence[TraceRow], records: Sequence[Mapping[str, Any]], policy: Policy
) -> dict[str, bytes]:
    """Return the files that sanitized rows and content go into, each proven by the rescan."""
    sanitizer, redactions = Sanitizer(policy, PSEUDONYMS, DETECTORS), Redactions(policy, PSEUDONYMS)
    safe = []
    for row in rows:
        result = sanitizer.sanitize(row)
        redactions.add(result)
        safe.append(result.row)
    files = {}
    if policy.profile == "content":
        reader = ContentReader(policy, PSEUDONYMS, DETECTORS)
        parts = [part for row in rows for part in reader.inline(row)]
        parts += [part for record in records for part in reader.moved(record)]
        for part in parts:
            redactions.add_content(part)
        files["content.jsonl"] = b"".join(map(encode_content, sorted(parts, key=lambda part: part.order)))
    safe.sort(key=lambda row: row.trace_id)
    files["traces.otlp.jsonl"] = encode_traces(safe).data
    files["spans.csv"] = encode_table(safe)
    files["redactions.json"] = orjson.dumps(redactions.body(rescanned=list(files)))
    for data in files.values():
        rescan(data, DETECTORS)
    return files


def leaked(values: Sequence[Planted], files: Mapping[str, bytes]) -> set[tuple[str, str, str]]:
    return {(name, one.kind, one.value) for name, data in files.items() for one in values if one.is_in(data)}


ROUTINGS = ["inline", "table"]
MANY = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@pytest.mark.parametrize("routing", ROUTINGS)
@MANY
@given(sent=telemetry())
def test_no_planted_value_is_in_a_metadata_bundle(routing: str, sent: Telemetry) -> None:
    rows, _ = sent.routed(routing)
    assert leaked(sent.planted, files_of(rows, (), METADATA)) == set()


@pytest.mark.parametrize("routing", ROUTINGS)
@MANY
@given(sent=telemetry())
def test_no_planted_value_is_in_the_rows_of_a_content_bundle(routing: str, sent: Telemetry) -> None:
    files = files_of(*sent.routed(routing), CONTENT)
    assert (
        leaked(sent.planted, {name: data for name, data in files.items() if name != "content.jsonl"}) == set()
    )


@pytest.mark.parametrize("routing", ROUTINGS)
@MANY
@given(sent=telemetry())
def test_no_value_that_the_detectors_claim_is_in_masked_content(routing: str, sent: Telemetry) -> None:
    files = files_of(*sent.routed(routing), CONTENT)
    sure = [one for one in sent.planted if one.kind in CLAIMED and one.kind not in {"phone", "dob"}]
    assert leaked(sure, {"content.jsonl": files["content.jsonl"]}) == set()


def one_of_each(kinds: Sequence[str], each: int, dress: Callable[[str], str] = str) -> Telemetry:
    """Return a trace with a row a value: it stands in a message, a tool's arguments and an attribute."""
    values = tuple(plant(kind, seed) for kind in kinds for seed in range(each))
    rows = tuple(
        TraceRow(
            table="AppDependencies",
            trace_id=TRACE,
            span_id=f"f{number:015x}",
            parent_id="",
            time=NOON,
            received=NOON,
            columns={"Name": dress(one.told), "Data": dress(one.told)},
            properties={
                "gen_ai.input.messages": message_of("user", dress(one.told)),
                "gen_ai.tool.call.arguments": json.dumps({"note": dress(one.told)}),
                "gen_ai.agent.name": one.value,
                "customer.note": dress(one.told),
            },
        )
        for number, one in enumerate(values)
    )
    return Telemetry(rows, values)


@pytest.mark.parametrize("dress", DRESSES, ids=lambda dress: dress.__name__)
@pytest.mark.parametrize("kind", CLAIMED)
def test_content_holds_none_of_a_kind_and_few_phones(kind: str, dress: Callable[[str], str]) -> None:
    sent = one_of_each([kind], 40, dress)
    found = leaked(sent.planted, files_of(*sent.routed("table"), CONTENT))
    assert len(found) <= (0.15 * len(sent.planted) if kind == "phone" else 0), found


def test_content_does_hold_what_people_said() -> None:
    sent = one_of_each(["name"], 5)
    files = files_of(*sent.routed("inline"), CONTENT)
    assert len(leaked(sent.planted, {"content.jsonl": files["content.jsonl"]})) == 5
    assert leaked(sent.planted, files_of(*sent.routed("inline"), METADATA)) == set()


def test_structure_alone_holds_no_value_of_any_kind() -> None:
    sent = one_of_each(sorted(KINDS), 10)
    reader = ContentReader(CONTENT, PSEUDONYMS, DETECTORS, structure_only=True)
    lines = [encode_content(part) for row in sent.rows for part in reader.inline(row)]
    assert len(lines) == 5 * len(sent.rows)
    assert leaked(sent.planted, {"content.jsonl": b"".join(lines)}) == set()


def test_a_table_never_seen_before_is_refused() -> None:
    (row,) = one_of_each(["name"], 1).rows
    for table in ("AppMetrics", "AppGenAIContent", "AppNew_CL", plant("name", 1).value):
        with pytest.raises(RedactionFailure) as refused:
            Sanitizer(CONTENT, PSEUDONYMS, DETECTORS).sanitize(replace(row, table=table))
        assert table not in str(refused.value)


def test_a_dialect_never_seen_before_leaks_nothing() -> None:
    sent = one_of_each(sorted(KINDS), 4)
    names = [
        "crew.agent",
        "llm.prompt.0.text",
        "gen_ai.new.messages",
        "gen_ai.promptx",
        "input.values",
        "Tool.Name",
    ]
    rows = tuple(
        replace(
            row,
            columns={"New_s": one.value, "message": one.told, one.value: "x"},
            properties={name: in_json(one.told) for name in names} | {f"llm.{one.value}": "5"},
        )
        for row, one in zip(sent.rows, sent.planted, strict=True)
    )
    for policy in (METADATA, CONTENT):
        assert leaked(sent.planted, files_of(rows, (), policy)) == set()


def careless(name: str, kind: Kind = "properties") -> Policy:
    """Return the shipped policy, but that it keeps whatever stands in one attribute."""
    rules = dict(METADATA.rules)
    scope = (kind, "")
    loose = Rule(
        name, Keep(lambda value: value, searched=False), name.removesuffix("*") if "*" in name else ""
    )
    old = rules[scope]
    rules[scope] = Rules({**old.exact, name: loose}, (*old.prefixes, *([loose] if loose.prefix else [])))
    return replace(METADATA, rules=rules)


WEAKENED: dict[str, Policy] = {
    "keeps messages": careless("gen_ai.input.messages"),
    "keeps a name of any shape": careless("gen_ai.agent.name"),
    "keeps an attribute never seen": careless("customer.*"),
    "keeps names of spans": careless("Name", "columns"),
}


@pytest.mark.parametrize("policy", WEAKENED.values(), ids=WEAKENED.keys())
def test_a_weakened_policy_is_caught_by_what_was_planted(policy: Policy) -> None:
    sent = one_of_each(["name", "street_address", "canary"], 3)
    kinds = {kind for _, kind, _ in leaked(sent.planted, files_of(sent.rows, (), policy))}
    assert kinds == {"name", "street_address", "canary"}


@pytest.mark.parametrize("kind", CLAIMED)
def test_the_rescan_withholds_what_a_weakened_policy_lets_through(kind: str) -> None:
    sent = one_of_each([kind], 1)
    with pytest.raises(RedactionFailure):
        files_of(sent.rows, (), WEAKENED["keeps messages"])


def test_content_masked_by_too_few_detectors_is_withheld_by_the_rescan() -> None:
    sent = one_of_each(["email"], 1)
    blind = Detectors(PAYMENT_DETECTORS)
    parts = [part for row in sent.rows for part in ContentReader(CONTENT, PSEUDONYMS, blind).inline(row)]
    data = b"".join(map(encode_content, parts))
    assert leaked(sent.planted, {"content.jsonl": data}) != set()
    with pytest.raises(RedactionFailure):
        rescan(data, DETECTORS)
