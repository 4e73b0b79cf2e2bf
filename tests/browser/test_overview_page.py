"""The overview in a browser: what it says of checks, alerts, sight, costs and configuration."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from functions.alerts.alert import alert_id
from functions.alerts.lifecycle import opened
from functions.alerts.state import PREFIX, CheckState, LastEvaluation, state_to_json
from functions.canary.looking import DOCUMENT, sight_to_json
from functions.canary.sight import NeedSight, Sight
from functions.checks.coverage import Coverage, Interval
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Finding, Window
from functions.checks.interruptions import Interruption, Interruptions
from functions.configuration import SHIPPED, load_configuration
from functions.watch.heartbeat import Heart
from local.stack import Stack
from tests.browser.pages import Scheme, axe_faults, open_page, overflow, press, settled, tab_to, watched
from tests.checks.telemetry import Trace

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
LAST = NOW - timedelta(minutes=2)
WEEK = NOW - timedelta(days=8)
HOSTILE = "<img src=x onerror=\"document.title='owned'\">\u202e\u0007" + "x" * 5_000


def quarter(back: int) -> datetime:
    """Return the beginning of the quarter day, UTC, so many before the present one."""
    here = NOW.replace(hour=NOW.hour // 6 * 6, minute=0)
    return here - back * timedelta(hours=6)


def well(check: CheckDefinition) -> CheckState:
    """Return the state of a check that has evaluated all that was due."""
    until = NOW - check.settle - check.every
    return CheckState(
        watermark=until,
        last_evaluation=LastEvaluation(LAST, ok=True, windows=1, rows=3, unjudged=0, error=None),
        coverage=Coverage((Interval(WEEK, until, 9),)),
    )


def failed(state: CheckState, error: str) -> CheckState:
    last = LastEvaluation(LAST, ok=False, windows=1, rows=0, unjudged=0, error=error)
    return replace(state, last_evaluation=last, consecutive_failures=4)


def alerted(state: CheckState, check: CheckDefinition, *agents: str) -> CheckState:
    window = Window(LAST - check.every, LAST)
    alerts = {}
    for agent in agents:
        found = Finding(check.id, {"Agent": agent}, window, 9.0, 1.0, 1, ("a" * 32,), {})
        name = alert_id(check.id, {"Agent": agent})
        alerts[name] = opened(name, None, found, check)
    return replace(state, alerts=alerts)


def states(checks: Sequence[CheckDefinition]) -> Mapping[str, CheckState]:
    """Return a state for each check: one of each kind of trouble, and the others well."""
    by_id = {check.id: check for check in checks}
    found = {name: well(check) for name, check in by_id.items()}
    gap = Coverage((Interval(WEEK, quarter(9), 9), Interval(quarter(7), LAST, 9)))
    found["slow_step"] = replace(found["slow_step"], coverage=gap)
    late = Interruption(quarter(4), quarter(3), "not running")
    found["cost_spike"] = replace(found["cost_spike"], interruptions=Interruptions((), (late,)))
    found["model_errors"] = failed(found["model_errors"], "SourceThrottled")
    blind_since = quarter(2)
    found["skipped_lookup"] = replace(
        failed(found["skipped_lookup"], "SourceBlind"),
        watermark=blind_since,
        coverage=Coverage((Interval(WEEK, blind_since, 9),)),
        interruptions=Interruptions((), (Interruption(blind_since, LAST, "SourceBlind"),)),
    )
    behind = NOW - timedelta(hours=5)
    found["slow_run"] = replace(
        found["slow_run"], watermark=behind, coverage=Coverage((Interval(WEEK, behind, 9),))
    )
    stale = by_id["stale_tool_data"]
    found["stale_tool_data"] = alerted(found["stale_tool_data"], stale, "dispatcher", HOSTILE)
    del found["tool_retry_storm"]
    return found


def seed(stack: Stack) -> None:
    """Let the watch have run for eight days, and an agent have called a model an hour ago."""
    documents = stack.documents()
    for name, state in states(load_configuration(SHIPPED).checks).items():
        documents.write(PREFIX + name, state_to_json(state), version=None)
    needs = {
        "spans": NeedSight("pass", "", NOW - timedelta(days=3)),
        "content": NeedSight("not_allowed", "The pointer is there, and its content is not.", quarter(2)),
    }
    documents.write(DOCUMENT, sight_to_json(Sight(LAST, needs)), version=None)
    Heart(documents, None, clock=lambda: datetime.now(UTC)).beat(())
    trace = Trace(1, start=NOW - timedelta(hours=1))
    trace.chat(trace.agent("dispatcher", trace.request()), (100_000, 1_000), model="gpt-4o")
    trace.chat(trace.agent(HOSTILE, trace.request()), (100_000, 1_000), model="gpt-4o")
    stack.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))


@pytest.fixture(scope="module")
def seeded(stack: Stack) -> Stack:
    seed(stack)
    return stack


@pytest.fixture(scope="module")
def page(browser: Browser, seeded: Stack) -> Page:
    """Give the page as somebody sees it who may see all of it."""
    return open_page(browser, seeded, "engineer", "/portal")


def row(page: Page, check: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=check))


def cells(page: Page, check: str) -> Locator:
    return row(page, check).locator("td[aria-label]")


def tile(page: Page, heading: str) -> Locator:
    return page.get_by_role("region", name=heading, exact=True)


def answered(page: Page, path: str, body: object, status: int = 200) -> None:
    """Let the API answer this from now on."""
    page.route(f"**/api/v1/{path}", lambda route: route.fulfill(json=body, status=status))


def test_each_check_says_in_words_how_it_is_and_the_worst_comes_first(page: Page) -> None:
    rows = page.get_by_role("row")
    assert [rows.nth(n).locator(".badge").inner_text() for n in range(1, 23)] == [
        "Failed",
        "Blind",
        "Late",
        "Not run yet",
        *18 * ["OK"],
    ]
    failing = row(page, "Calls of a model fail")
    expect(failing).to_contain_text("the source was busy, 4 times")
    expect(failing.get_by_role("gridcell", name=re.compile(r"^\d+ min ago$"))).to_be_visible()
    expect(tile(page, "Checks")).to_contain_text("18 of 22 checks are well")
    expect(tile(page, "Checks")).to_contain_text("1 failed")
    expect(tile(page, "Checks")).to_contain_text("3 did not see all of the last 7 days.")
    expect(tile(page, "Open alerts").get_by_role("link")).to_have_accessible_name("2 alerts of severity high")
    expect(tile(page, "What can be seen")).to_contain_text("The pointer is there, and its content is not.")
    # 200,000 tokens in, 2,000 out, by the price list that is shipped: 2.50 and 10 dollars a million.
    expect(tile(page, "Cost of 7 days")).to_contain_text("US$0.52 of 2 calls")


def test_the_map_tells_gaps_late_and_blind_times_by_more_than_colour(page: Page) -> None:
    expect(cells(page, "A step of an agent")).to_have_count(28)
    assert "".join(cells(page, "A step of an agent").all_inner_texts()) == "GG"
    gap = cells(page, "A step of an agent").filter(has_text="G").first
    begins = quarter(9)
    expect(gap).to_have_accessible_name(
        f"A step of an agent is slower than its objective. {begins:%a} {begins.day} {begins:%b}, "
        f"{begins:%H:%M} to {quarter(8):%H:%M}: gap; 0 % evaluated."
    )
    expect(row(page, "A step of an agent")).to_contain_text("92.9 %")  # 26 of 28, but for the present one
    late = cells(page, "An agent's model cost").filter(has_text="L").last
    expect(late).to_have_accessible_name(re.compile("evaluated late; the watch was not running"))
    blind = cells(page, "An agent answered without").last
    expect(blind).to_have_accessible_name(re.compile("blind; 0 % evaluated; what it needs could not be seen"))


def test_by_keyboard_alone_a_cell_says_what_it_is_and_the_alerts_of_a_check_open(
    browser: Browser, seeded: Stack
) -> None:
    page = open_page(browser, seeded, "operator", "/portal")
    last = cells(page, "Calls of a model fail").last
    tab_to(page, last)
    press(page, "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "Home")
    here = cells(page, "A step of an agent").first
    expect(here).to_be_focused()
    expect(page.locator(".tip")).to_have_text(str(here.get_attribute("aria-label")))
    press(page, "Escape")
    expect(page.locator(".tip")).to_be_hidden()
    press(page, "ArrowLeft", *5 * ["ArrowUp"])  # the first row stays the first
    expect(cells(page, "Calls of a model fail").first).to_be_focused()
    tab_to(page, row(page, "A tool answered with stale data").get_by_role("link"))
    press(page, "Enter")
    page.wait_for_url("**/portal?view=alerts&state=open&check=stale_tool_data")


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_it_fits_is_accessible_and_hostile_text_is_text(
    browser: Browser, seeded: Stack, width: int, scheme: Scheme
) -> None:
    page = open_page(browser, seeded, "engineer", "/portal", width, scheme)
    shown = tile(page, "Cost of 7 days").get_by_text("<img src=x onerror=")
    assert len(shown.inner_text()) < 100
    expect(shown.locator("xpath=self::bdi")).to_be_visible()  # what stands beside it keeps its direction
    assert page.locator("main img, main script").count() == 0
    assert page.title() == "Overview · Tracekeeper"
    assert axe_faults(page) == []
    assert overflow(page) == 0
    assert page.get_by_role("navigation").is_visible()
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation").is_visible()
    assert watched(page).faults == []


def test_who_may_not_see_costs_is_not_told_of_them(browser: Browser, seeded: Stack) -> None:
    asked: list[str] = []
    page = open_page(browser, seeded, "operator", "/portal")
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    settled(page)
    assert [url for url in asked if "costs?" in url] == []
    expect(tile(page, "Open alerts")).to_be_visible()
    expect(tile(page, "Cost of 7 days")).to_have_count(0)


def test_a_watch_that_stands_still_is_told_of(browser: Browser, seeded: Stack) -> None:
    page = open_page(browser, seeded, "operator", "/portal")
    expect(tile(page, "Checks").get_by_text("Standing still")).to_have_count(0)
    long_ago = (datetime.now(UTC) - timedelta(minutes=6)).isoformat()
    answered(page, "alerts?*", {"alerts": [], "unreadable": ["checks/slow_run"], "last_tick": long_ago})
    page.reload()
    settled(page)
    expect(tile(page, "Checks").get_by_text("Standing still")).to_be_visible()
    expect(tile(page, "Open alerts")).to_contain_text("1 record can't be read")


def test_a_watch_that_has_not_begun_and_one_that_is_refused_its_configuration_say_so(
    browser: Browser, seeded: Stack
) -> None:
    page = open_page(browser, seeded, "operator", "/portal", 360, "dark")
    answered(page, "alerts?*", {"alerts": [], "unreadable": [], "last_tick": None})
    answered(page, "checks", {"checks": [], "sight": None})
    mistake = {"file": HOSTILE, "line": 3, "rule": HOSTILE, "fix": "Correct it."}
    answered(
        page,
        "configuration",
        {
            "in_force": {"configuration": "a" * 64, "overlay": None, "since": NOW.isoformat()},
            "refused": {"overlay": None, "at": NOW.isoformat(), "count": 1, "mistakes": [mistake]},
            "history": [],
        },
    )
    page.reload()
    settled(page)
    expect(page.get_by_text("There are no checks.")).to_be_visible()
    expect(tile(page, "Checks")).to_contain_text("The watch has not looked yet.")
    expect(tile(page, "What can be seen")).to_contain_text("Nobody has looked yet.")
    expect(tile(page, "Configuration")).to_contain_text("Refused 1 mistake")
    assert page.locator("main img").count() == 0
    assert axe_faults(page) == []
    assert overflow(page) == 0


def test_what_can_not_be_answered_says_why_and_the_rest_is_shown(browser: Browser, seeded: Stack) -> None:
    page = open_page(browser, seeded, "operator", "/portal")
    problem = {
        "title": "Storage is not available",
        "detail": "It did not answer.",
        "next_step": "Ask again in a minute.",
        "instance": "urn:uuid:11111111-2222-4333-8444-555555555555",
    }
    answered(page, "coverage?*", problem, 503)
    page.reload()
    settled(page)
    told = page.get_by_role("region", name="Checks over 7 days").get_by_role("alert")
    for words in (
        "Storage is not available",
        "Ask again in a minute.",
        "11111111-2222-4333-8444-555555555555",
    ):
        expect(told).to_contain_text(words)
    expect(tile(page, "Open alerts")).to_contain_text("2 open")
    assert axe_faults(page) == []
    assert watched(page).faults == []
