"""Traces, verdicts and accounts for reports, and a reader that holds a page to what every report must be."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

from functions.costs.prices import ModelPrice, Prices
from functions.evidence.controls.verdicts import Basis, Control, Result, RunVerdicts, Verdict
from functions.evidence.report.report import Account, ReportBuilder
from functions.traces.agents import Attributes
from functions.traces.model import TraceRow

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ATTRIBUTES = Attributes(
    tenant=("tenant.id",),
    intent=("app.intent",),
    prompt_version=("prompt.version",),
    environment=("deployment.environment",),
    data_as_of=("tool.data_as_of",),
    document_count=("retrieval.document_count",),
    document_ids=("retrieval.document_ids",),
    dimensions={"warehouse": ("app.warehouse",)},
)
PRICES = Prices("USD", NOON.date(), "a list", (ModelPrice("gpt-4o", 2.5, 1.25, 10.0),))
SOUND_ACCOUNT = Account(
    request={
        "selector": {"trace_ids": [TRACE]},
        "profile": "metadata",
        "reason": "weekly review",
        "ticket": "OPS-1",
        "requester": "someone",
        "queries": [{"kql": "AppRequests"}],
    },
    completeness={
        "complete": True,
        "rows_at_source": 3,
        "rows_here": 3,
        "missing_trace_ids": [],
        "unusable_trace_ids": 0,
        "sampling": {"rows_standing_for_more": 0, "rows_before_sampling": 3},
        "slices": [{"table": "AppDependencies", "rows_at_source": 3, "rows_here": 3, "complete": True}],
    },
    redactions={
        "policy_sha256": "ab" * 32,
        "removed": {"drop:Url": 2, "unknown": 1},
        "unknown_attributes": {"names": ["bbbb"], "complete": True},
        "rescan": {"found": 0, "files": ["data/spans.csv"]},
    },
    coverage={},
)


def span(number: int, above: int | None = None, /, **told: Any) -> TraceRow:
    """Return a dependency that begins `number` times 10 ms after noon; names in capitals are columns."""
    columns = {name: value for name, value in told.items() if name[0].isupper()}
    properties = dict(told.get("properties", {}))
    return TraceRow(
        table=told.get("table", "AppDependencies"),
        trace_id=told.get("trace_id", TRACE),
        span_id=told.get("span_id", f"{number:016x}"),
        parent_id="" if above is None else f"{above:016x}",
        time=NOON + timedelta(milliseconds=10 * number),
        received=NOON,
        columns={"Success": True, "DurationMs": 5.0} | columns,
        properties=properties,
    )


def agent(number: int, above: int | None = None, **told: Any) -> TraceRow:
    return span(
        number,
        above,
        properties={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "dispatcher"},
        **told,
    )


def tool(number: int, above: int | None = None, name: str = "get_status", **told: Any) -> TraceRow:
    more = told.pop("properties", {})
    return span(
        number,
        above,
        properties={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name} | more,
        **told,
    )


def chat(number: int, above: int | None = None, **told: Any) -> TraceRow:
    more = told.pop("properties", {})
    return span(
        number,
        above,
        properties={
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.usage.input_tokens": "1000",
            "gen_ai.usage.output_tokens": "100",
        }
        | more,
        **told,
    )


def judged(trace_id: str = TRACE, /, **results: str) -> RunVerdicts:
    """Return verdicts that pass but where `results` name another: data_fresh="fail"."""
    verdicts = (
        Verdict(control, Result(results.get(control, "pass")), f"reason of {control}") for control in Control
    )
    return RunVerdicts(
        trace_id, "b7ad6b7169203331", NOON, "dispatcher", "2.0", "cd" * 32, Basis.OBSERVED, tuple(verdicts)
    )


def report(
    *traces: tuple[str, Sequence[TraceRow], Sequence[RunVerdicts]], account: Account = SOUND_ACCOUNT
) -> bytes:
    builder = ReportBuilder(ATTRIBUTES, PRICES)
    for trace_id, rows, verdicts in traces:
        builder.add(trace_id, rows, verdicts)
    return builder.render(account)


_VOID = frozenset({"meta", "br"})
_KNOWN_ELEMENTS = """
html head meta title style body header main nav section article h1 h2 h3 p ul li a strong span code pre bdi br
table caption thead tbody tr th td div dl dt dd svg desc line text tspan rect defs pattern path
"""
_KNOWN_ATTRIBUTES = """
lang dir charset name content http-equiv class id href role aria-label aria-labelledby aria-hidden tabindex
scope width height x y x1 x2 y1 y2 text-anchor d focusable stroke-width patternunits patterntransform
"""
_ELEMENTS, _ATTRIBUTES = frozenset(_KNOWN_ELEMENTS.split()), frozenset(_KNOWN_ATTRIBUTES.split())
_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


class Page(HTMLParser):
    """A report that has been read, or an AssertionError where it is not what every report must be."""

    def __init__(self, data: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.source = data.decode("utf-8")
        self.ids: list[str] = []
        self.links: list[str] = []
        self.referred: list[str] = []
        self.text = ""
        self.headings: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._open: list[str] = []
        self._style = ""
        self.feed(self.source)
        self.close()
        assert not self._open, f"left open: {self._open}"
        self._hold()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _ELEMENTS, tag
        given = dict(attrs)
        assert given.keys() <= _ATTRIBUTES, given
        assert len(given) == len(attrs), attrs
        assert not any("://" in str(value) for name, value in given.items() if name != "aria-label")
        if "id" in given:
            self.ids.append(str(given["id"]))
        if "href" in given:
            self.links.append(str(given["href"]))
        self.referred += str(given.get("aria-labelledby") or "").split()
        if tag == "th":
            assert given.get("scope") in {"row", "col"}
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in {"td", "th", "dt", "dd", "li"}:
            self.text += " "
        if tag in {"td", "th"}:
            self.tables[-1][-1].append("")
        if tag in {"h1", "h2", "h3"}:
            self.headings.append("")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self._open, "only SVG knows empty elements"
        self.handle_starttag(tag, attrs)
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            self._style += data
            return
        self.text += data
        if {"td", "th"} & set(self._open):
            self.tables[-1][-1][-1] += data
        if {"h1", "h2", "h3"} & set(self._open):
            self.headings[-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    def _hold(self) -> None:
        """One file, nothing that runs or loads, ids that fit, tables and pictures that have names."""
        assert len(self.ids) == len(set(self.ids))
        assert set(self.referred) <= set(self.ids)
        assert all(link.startswith("#") and link[1:] in self.ids for link in self.links)
        assert "://" not in self._style
        assert re.findall(r"url\((?!#)|@import", self._style) == []
        assert self.source.count("<caption>") == self.source.count("<table>")
        pictures = _SVG.findall(self.source)
        for picture in pictures:
            root = ET.fromstring(picture)
            if root.get("role") == "img":
                assert [child.tag for child in root][:2] == ["title", "desc"]
        odd = {c for c in self.text if unicodedata.category(c) in {"Cc", "Cf", "Cs"}} - {"\n"}
        assert not odd, odd

    @property
    def words(self) -> str:
        """The text with its spaces put together."""
        return " ".join(self.text.split())

    def table(self, first_heading: str, second_heading: str) -> list[list[str]]:
        """Return the rows under the heading of the table that begins with these headings."""
        (found,) = (one for one in self.tables if one[0][:2] == [first_heading, second_heading])
        return found[1:]


def changed(account: Account, **bodies: Mapping[str, Any]) -> Account:
    """Return the account with values of its bodies replaced: changed(a, completeness={"complete": False})."""
    whole = {name: getattr(account, name) for name in account.__slots__}
    return Account(**whole | {name: {**whole[name], **change} for name, change in bodies.items()})
