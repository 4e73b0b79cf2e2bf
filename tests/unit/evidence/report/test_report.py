"""A person can read the answer, what is missing, what failed and how to check it, of exports of any size."""

import re
from dataclasses import replace

import pytest

from functions.evidence.controls.verdicts import NO_RULE, Control, Result, Verdict
from functions.evidence.redaction.rescan import rescan
from functions.evidence.report.report import MOST_STEPS, MOST_TIMELINES, ReportBuilder
from tests.unit.evidence.material import protection
from tests.unit.evidence.reporting import (
    ATTRIBUTES,
    PRICES,
    SOUND_ACCOUNT,
    TRACE,
    Page,
    agent,
    changed,
    chat,
    judged,
    report,
    span,
    tool,
)

SMALL = (TRACE, (agent(0), chat(1, 0), tool(2, 0, Success=False), tool(3, 0)), (judged(data_fresh="fail"),))


def ids(count: int) -> list[str]:
    return [f"{number:031x}e" for number in range(count)]


def test_it_is_one_sound_page_with_the_answer_first() -> None:
    page = Page(report(SMALL))
    assert page.headings[0] == "Evidence for OPS-1"
    assert (
        'For OPS-1 ("weekly review") this bundle holds 1 trace with 4 rows of telemetry, from 2026-11-22 '
        "12:00:00 to 2026-11-22 12:00:00 UTC. It is complete: the workspace counted the same rows, slice by "
        "slice. 1 run was held to 7 controls: 1 failed at least one, 0 passed all that have a rule for them. "
        "No free text of people or models is in it."
    ) in page.words
    assert page.words.index("this bundle holds") < page.words.index("What was asked Reason")


def test_it_says_what_was_asked_by_whom_and_why() -> None:
    terms = Page(report(SMALL)).words
    for told in (
        "Reason weekly review",
        "Ticket OPS-1",
        "Profile metadata",
        "Requester someone",
        f"1: {TRACE}",
    ):
        assert told in terms


def test_a_sample_says_how_it_was_drawn_and_of_what() -> None:
    drawn = [{"trace_id": TRACE, "run_id": "b7ad6b7169203331", "ticket": "00"}]
    sample = {
        "seed": "5e" * 32,
        "ledger_head": "1e" * 32,
        "population": {"runs": 1200, "sha256": "9d" * 32},
        "strata": [
            {"number": 1, "name": "dispatcher", "runs": 1000, "drawn": drawn},
            {"number": 2, "name": "clerk", "runs": 200, "drawn": drawn * 2},
        ],
    }
    page = Page(report(SMALL, account=changed(SOUND_ACCOUNT, request={"resolved": {"sample": sample}})))
    assert "It is a sample: 3 of 1,200 runs, drawn by a seed that nobody could choose." in page.words
    assert page.table("Stratum", "Runs in the population") == [
        ["dispatcher", "1,000", "1"],
        ["clerk", "200", "2"],
    ]
    assert all(told * 32 in page.text for told in ("5e", "1e", "9d"))
    assert "data/population.txt the runs that the sample was drawn from" in page.words


def test_cases_without_a_trace_are_named_by_their_place() -> None:
    cases = {"asked": 3, "matched": [{"place": 1}, {"place": 3}], "missing": [{"place": 2, "case": "abcd"}]}
    page = Page(report(SMALL, account=changed(SOUND_ACCOUNT, request={"resolved": {"cases": cases}})))
    assert "2 of 3 cases have traces; ✕ 1 have none." in page.words
    assert "number 2: abcd" in page.text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"complete": False}, "does not say that the bundle is complete"),
        ({"complete": None}, "does not say that the bundle is complete"),
        ({"rows_at_source": 5}, "The workspace counted 5 rows, and 3 are here."),
        ({"missing_trace_ids": ["f" * 32]}, "1 trace that was asked for: no row: " + "f" * 32),
        (
            {"slices": [{"table": "AppTraces", "rows_at_source": 2, "rows_here": 1, "complete": False}]},
            "1 slice does not hold what the workspace counted: AppTraces.",
        ),
        (
            {"seals": {"complete": False, "vanished": {"traces": 1, "named": [{"trace_id": "e" * 32}]}}},
            "1 sealed trace is no longer at the source: " + "e" * 32,
        ),
        (
            {"content": {"complete": False, "rows_pointing_there": 4, "rows_here": 0, "slices": []}},
            "4 rows point to content in AppGenAIContent, and 0 of its rows are here.",
        ),
        (
            {"content": {"complete": False, "rows_pointing_there": 4, "rows_here": 4, "slices": []}},
            "The rows of AppGenAIContent that were read are not those that the workspace counted.",
        ),
        ({"seals": {"complete": False}}, "The seals do not say that nothing is missing."),
        ({"seals": {"complete": False, "damaged": ["of 2026-11-21"]}}, "A seal is damaged: of 2026-11-21"),
    ],
)
def test_an_incomplete_bundle_says_so_in_title_heading_alarm_and_answer(
    change: dict[str, object], said: str
) -> None:
    page = Page(report(SMALL, account=changed(SOUND_ACCOUNT, completeness=change)))
    assert page.headings[0].startswith("INCOMPLETE: ")
    assert "<title>INCOMPLETE: " in page.source
    assert "✕ This bundle is INCOMPLETE." in page.text
    assert "It is INCOMPLETE" in page.text
    assert page.words.count(said) >= 2
    assert "bundle-metadata-INCOMPLETE.zip" in page.text
    assert "It is complete" not in page.text


def test_a_complete_bundle_raises_no_alarm() -> None:
    assert "INCOMPLETE" not in report(SMALL).decode()


def test_controls_are_counted_and_failed_runs_give_their_reasons() -> None:
    page = Page(
        report(
            SMALL,
            (ids(1)[0], (agent(0),), (judged(ids(1)[0], data_fresh="fail", latency="not evaluable"),)),
            (ids(2)[1], (agent(0),), (judged(ids(2)[1]),)),
        )
    )
    rows = {row[0].split("The")[0].strip(): row[1:] for row in page.table("Control", "Pass")}
    assert rows["data fresh"] == ["1", "✕ 2", "0"]
    assert rows["latency"] == ["2", "0", "1"]
    failed = page.table("What failed, why, and in which trace", "Agent, release")
    assert len(failed) == 2
    assert all("data fresh: reason of data_fresh" in row[0] for row in failed)
    assert page.table("Control", "Reason") == [["latency", "reason of latency", "1"]]


def test_what_could_not_be_judged_is_not_said_to_have_passed() -> None:
    page = Page(report((TRACE, (agent(0),), (judged(latency="not evaluable"),))))
    assert (
        "no run failed any of them, 0 passed all that have a rule for them, and 1 failed none but could not "
        "be judged on all, since facts were not recorded."
    ) in page.words
    assert "Failed no control; not evaluable: latency" in page.text


def test_a_control_without_a_rule_is_no_missing_fact_and_no_pass() -> None:
    run = judged()
    unruled = Verdict(Control.LATENCY, Result.NOT_EVALUABLE, f"{NO_RULE}no objective")
    others = tuple(one for one in run.verdicts if one.control is not Control.LATENCY)
    page = Page(report((TRACE, (agent(0),), (replace(run, verdicts=(*others, unruled)),))))
    assert "no run failed any of them, 1 passed all that have a rule for them." in page.words
    (line,) = (row for row in page.table("Control", "Pass") if row[0].startswith("latency"))
    assert line[1:] == ["0", "0", "11 no rule"]


def test_a_run_that_no_rule_is_for_has_passed_nothing() -> None:
    unruled = tuple(Verdict(one, Result.NOT_EVALUABLE, f"{NO_RULE}nothing agreed") for one in Control)
    page = Page(report((TRACE, (agent(0),), (replace(judged(), verdicts=unruled),))))
    assert "0 passed all that have a rule for them" in page.words
    assert "No control has a rule for it" in page.text


def test_without_verdicts_no_run_is_said_to_have_passed() -> None:
    page = Page(report((TRACE, (agent(0),), ())))
    assert "No run was judged." in page.text
    assert "passed" not in page.text


def test_a_picture_has_its_equal_in_a_table() -> None:
    page = Page(report(SMALL))
    steps = page.table("Step", "Began after")
    assert [row[0] for row in steps] == [
        "agent dispatcher",
        "model gpt-4o",
        "tool get_status",
        "tool get_status",
    ]
    assert [row[3] for row in steps] == [
        "ok",
        "ok",
        "✕ failed; call 1 of 2",
        "ok; ↻ retry; call 2 of 2",
    ]
    assert steps[1][4:6] == ["1,000 / 100", "USD 0.003500"]
    (picture,) = re.findall(r'<svg role="img".*?</svg>', page.source, re.DOTALL)
    for told in ("agent dispatcher", "tool get_status", "✕ failed", "↻ retry"):
        assert told in picture


def test_a_cost_is_told_only_where_tokens_and_a_price_are_known() -> None:
    unknown = {"gen_ai.response.model": "house-model", "gen_ai.request.model": "house-model"}
    rows = (
        chat(0),
        chat(1, properties={"gen_ai.usage.input_tokens": ""}),
        chat(2, properties=unknown),
    )
    page = Page(report((TRACE, rows, ())))
    assert (
        "3 model calls, USD 0.003500 by the price list, 1 without recorded tokens, so without a cost, 1 to a "
        "model that the price list does not name."
    ) in page.words
    assert [row[5] for row in page.table("Step", "Began after")] == ["USD 0.003500", "not known", "not known"]


def test_failed_traces_are_drawn_first_and_the_rest_is_counted() -> None:
    traces = [(one, (agent(0),), (judged(one),)) for one in ids(MOST_TIMELINES + 20)]
    last = ids(MOST_TIMELINES + 21)[-1]
    page = Page(report(*traces, (last, (agent(0),), (judged(last, latency="fail"),))))
    assert page.source.count("<article") == MOST_TIMELINES
    assert f"Trace 1: {last}" in page.headings
    assert f"{MOST_TIMELINES} of {MOST_TIMELINES + 21} traces are drawn here" in page.words
    assert "The other 21 are left out" in page.words
    assert f"#trace-{last}" in page.links


def test_failed_traces_that_are_left_out_are_counted() -> None:
    traces = [(one, (agent(0),), (judged(one, latency="fail"),)) for one in ids(MOST_TIMELINES + 7)]
    assert "7 of those left out have a failed control." in Page(report(*traces)).words


def test_a_long_trace_is_cut_and_says_so() -> None:
    rows = [span(number) for number in range(MOST_STEPS + 5)] + [tool(MOST_STEPS + 9, None, "late_tool")]
    page = Page(report((TRACE, rows, ())))
    assert len(page.table("Step", "Began after")) == MOST_STEPS
    assert "tool late_tool" in page.text
    assert "6 further steps left out here" in page.words


def test_of_a_very_long_trace_it_says_that_the_first_rows_were_read() -> None:
    builder = ReportBuilder(ATTRIBUTES, PRICES)
    builder.add(TRACE, (agent(0), chat(1)), (judged(),), rows_in_all=7_000)
    words = Page(builder.render(SOUND_ACCOUNT)).words
    assert "1 trace with 7,000 rows of telemetry" in words
    assert "Only its first 2 rows were read for this drawing and its cost." in words
    assert "Only its first" not in Page(report(SMALL)).words


def test_the_same_traces_give_the_same_bytes() -> None:
    assert report(SMALL) == report(SMALL)


def test_ten_thousand_failed_traces_make_a_report_that_opens() -> None:
    rows = (agent(0), *(tool(number, 0, f"tool_{number}", Success=False) for number in range(1, 60)))
    builder = ReportBuilder(ATTRIBUTES, PRICES)
    for one in ids(10_000):
        builder.add(
            one, rows, (judged(one, **dict.fromkeys(("data_fresh", "latency", "correlation"), "fail")),)
        )
    data = builder.render(SOUND_ACCOUNT)
    assert len(data) < 2_000_000
    assert "10,000 runs were held to 7 controls: 10,000 failed at least one" in Page(data).words


def test_the_rescan_finds_nothing_in_the_words_of_the_report() -> None:
    signed = replace(
        SOUND_ACCOUNT, key_id="q3Nf0Zb4yB3m2c1x0Wv9u8t7s6r5q4p3o2n1m0lkjih", published="example.org/keys"
    )
    rescan(report(SMALL, account=signed), protection().detectors)
    rescan(report(SMALL, account=changed(signed, completeness={"complete": False})), protection().detectors)


def test_how_to_verify_names_key_and_commands_but_no_key() -> None:
    page = Page(
        report(SMALL, account=replace(SOUND_ACCOUNT, key_id="thumb-print", published="the intranet's page"))
    )
    assert "sha256sum --check manifest-sha256.txt" in page.text
    assert "openssl dgst -sha256 -verify ../pub.pem" in page.text
    assert "The public key is published here: the intranet's page." in page.words
    assert "thumb-print" in page.text
    assert "BEGIN PUBLIC KEY" not in page.text


def test_an_unsigned_bundle_says_that_it_is_not_signed() -> None:
    page = Page(report(SMALL))
    assert "This bundle is not signed." in page.text
    assert "openssl" not in page.text


def test_what_was_removed_is_told_by_rule() -> None:
    page = Page(report(SMALL))
    assert page.table("What was done", "Values") == [
        ["Dropped, since a rule says so", "2", "Url 2"],
        ["Dropped, since no rule names it", "1", "—"],
    ]
    assert "ab" * 32 in page.text


def test_content_says_that_names_stay() -> None:
    content = {
        "parts": 4,
        "withheld": 1,
        "masked": {"email": 2},
        "notice": "Names are still in this content.",
    }
    account = changed(changed(SOUND_ACCOUNT, redactions={"content": content}), request={"profile": "content"})
    page = Page(report(SMALL, account=account))
    assert (
        "4 parts of messages in data/content.jsonl, 1 of them without their text; 2 stretches masked."
        in page.words
    )
    assert "Names are still in this content." in page.text
    assert "What people and models said is in it, masked: names and addresses have no pattern" in page.words
    assert "keeps them out" not in page.text
    assert "No free text of people or models is in it." not in page.text


def test_content_without_text_is_told_as_structure() -> None:
    content = {"parts": 4, "structure_only": 3, "withheld": 1, "masked": {}, "notice": "Names stay."}
    account = changed(SOUND_ACCOUNT, redactions={"content": content})
    page = Page(report(SMALL, account=changed(account, request={"profile": "content"})))
    assert "Of what people and models said only the structure is in it, and no text." in page.words
    assert "Names stay." not in page.text


def test_an_export_without_traces_has_a_report_too() -> None:
    page = Page(report())
    assert "this bundle holds 0 traces with 0 rows of telemetry." in page.words
    assert "The bundle holds no trace." in page.text
