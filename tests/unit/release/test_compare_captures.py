"""What compare says of releases 2.3.1 and 2.4.0 of a real framework is what the labels of the capture imply.

Which of it is a difference is reckoned anew (reckoning.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from statistics import fmean
from typing import Any

import pytest

from functions.configuration import SHIPPED, load_configuration
from functions.release.compare import AgentComparison, compare
from functions.release.compare_facts import Run, read_runs
from functions.release.compare_measures import Called
from functions.traces.agents import Agents
from tests.captures import (
    APPROVED,
    CAPTURES,
    WITHDRAWN,
    Label,
    all_labels,
    documents_found,
    envelopes,
    exposed,
    took_ms,
)
from tests.checks.bench import EngineSource
from tests.unit.evidence.judged import dispatcher, whole, workspace
from tests.unit.release.reckoning import fisher, held, slow, welch

pytestmark = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason="the captures lie outside the repository; test_compare_facts.py has its own"
)

OLD, NEW = "2.3.1", "2.4.0"
RULES: Mapping[str, Agents] = {
    "as shipped": load_configuration(SHIPPED).agents,
    "with rules for all": dispatcher(
        approved_documents=APPROVED,
        content_allowed=False,
    ),
}


@cache
def labels(release: str) -> list[Label]:
    return [label for label in all_labels() if label["service_version"] == release]


def answered(label: Label) -> bool:
    return label["request_failed_with"] is None


def retried(label: Label) -> bool:
    calls = label["tool_calls"]
    return any(
        not call["ok"] and call["name"] in {later["name"] for later in calls[place + 1 :]}
        for place, call in enumerate(calls)
    )


def cost(label: Label) -> float:
    price = {one.model: one for one in load_configuration(SHIPPED).prices.models}[label["model"]]
    return float(label["input_tokens"] * price.input + label["output_tokens"] * price.output) / 1e6


Truth = Callable[[Label], bool | float]

SHARES: Mapping[str, tuple[Truth, bool]] = {
    # The truth of a run, and whether it is about answers only.
    "lookups_kept": (lambda label: not label["skipped_lookup"], True),
    "documents_retrieved": (lambda label: any(label["retrievals"]), True),
    "documents_approved": (lambda label: not documents_found(label) & WITHDRAWN, False),
    "tools_approved": (lambda label: not label["unapproved_tool"], False),
    "data_fresh": (lambda label: not label["stale_tool_data"], False),
    "nothing_exposed": (lambda label: label["trace_id"] not in exposed(), False),
    "runs_failed": (lambda label: not answered(label), False),
    "tools_failed": (lambda label: not all(call["ok"] for call in label["tool_calls"]), False),
    "retried": (retried, False),
    "tool:get_shipment_status": (lambda label: "get_shipment_status" in label["tools"], False),
    "tool:search_knowledge_base": (lambda label: "search_knowledge_base" in label["tools"], False),
}
AMOUNTS: Mapping[str, tuple[Truth, bool]] = {
    "duration_mean": (lambda label: took_ms()[label["trace_id"]], True),
    "tokens": (lambda label: label["input_tokens"] + label["output_tokens"], False),
    "cost": (cost, False),
}
NEED_RULES = {"documents_approved", "nothing_exposed"}
"""Nothing is comparable here as the agents ship."""
MORE_IS_WORSE = {"runs_failed", "tools_failed", "retried", "duration_mean", "duration_p95", "tokens", "cost"}
NEITHER = {"documents_retrieved", "tool:get_shipment_status", "tool:search_knowledge_base"}


def truth(release: str, of: tuple[Truth, bool]) -> list[Any]:
    take, answers = of
    return [take(label) for label in labels(release) if answered(label) or not answers]


def expected(rules: str) -> dict[str, Called]:
    """Return what the labels imply: each measure that differs, and how."""
    about = {**SHARES, **AMOUNTS}
    if rules == "as shipped":
        about = {name: of for name, of in about.items() if name not in NEED_RULES}
    sides = {name: (truth(OLD, of), truth(NEW, of)) for name, of in about.items()}
    chances = {
        name: (fisher if name in SHARES else welch)(*both)
        for name, both in sides.items()
        if len({*both[0], *both[1]}) > 1
    }
    chances["duration_p95"] = slow(*sides["duration_mean"])
    found = {}
    for name in held(chances):
        old, new = sides.get(name, sides["duration_mean"])
        worse = (fmean(new) > fmean(old)) == (name in MORE_IS_WORSE)
        found[name] = Called.DIFFERENT if name in NEITHER else Called.WORSE if worse else Called.BETTER
    return found


@cache
def runs(rules: str) -> list[Run]:
    everything = whole(envelopes())
    return read_runs(
        EngineSource(workspace(envelopes())),
        RULES[rules],
        load_configuration(SHIPPED).prices,
        [OLD, NEW],
        since=everything.since,
        until=everything.until,
    )


@cache
def compared(rules: str) -> AgentComparison:
    (only,) = compare(runs(rules), RULES[rules], OLD, NEW)
    return only


@pytest.mark.parametrize("rules", RULES)
def test_the_differences_are_those_that_the_labels_imply_and_no_others(rules: str) -> None:
    its = compared(rules)
    assert {one.measure: one.called for one in its.differences} == expected(rules)
    # A tool that one release never called, or a look-up that is never made any more: the labels have none.
    tools = [{tool for label in labels(release) for tool in label["tools"]} for release in (OLD, NEW)]
    assert tools[1] <= tools[0]
    assert its.kinds == ()


def test_the_labels_imply_something() -> None:
    assert not any(label["token_spike"] for label in labels(OLD))
    assert sum(label["token_spike"] for label in labels(NEW)) > len(labels(NEW)) / 10
    assert expected("as shipped") == expected("with rules for all") != {}


@pytest.mark.parametrize("measure", SHARES)
def test_each_share_counts_the_runs_that_the_labels_count(measure: str) -> None:
    line = {one.measure: one for one in compared("with rules for all").lines}[measure]
    for release, side in ((OLD, line.old), (NEW, line.new)):
        wanted = truth(release, SHARES[measure])
        assert (side.hits, side.runs, side.unknown) == (sum(wanted), len(wanted), 0)


@pytest.mark.parametrize("measure", AMOUNTS)
def test_each_mean_is_that_of_the_labels(measure: str) -> None:
    line = {one.measure: one for one in compared("with rules for all").lines}[measure]
    for release, side in ((OLD, line.old), (NEW, line.new)):
        wanted = truth(release, AMOUNTS[measure])
        assert side.runs == len(wanted)
        assert side.value == pytest.approx(fmean(wanted), rel=1e-6)


def test_the_context_is_that_of_the_labels() -> None:
    its = compared("as shipped")
    for release, found in ((OLD, its.old), (NEW, its.new)):
        for kind, name in (("prompt_versions", "prompt_version"), ("models", "model")):
            wanted = [label[name] for label in labels(release)]
            assert getattr(found, kind) == {one: wanted.count(one) for one in set(wanted)}
        assert found.runs == len(labels(release))


def test_a_release_held_against_itself_differs_in_nothing() -> None:
    same = [run for run in runs("as shipped") if run.release == NEW]
    both = [*same, *(replace(run, release="again") for run in same)]
    (only,) = compare(both, RULES["as shipped"], NEW, "again")
    assert only.differences == ()
