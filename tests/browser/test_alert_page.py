"""The page of one alert, in a browser on the whole service."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from functions.alerts.alert import Alert
from functions.alerts.rules import EvidenceHold
from functions.evidence.holds.holds import DOCUMENT, Holds, decide, holds_json
from local.host.people import PEOPLE
from local.stack import Stack
from tests.browser.alerts_held import HOSTILE, NOW, an_alert, hold, kept, silence, told
from tests.browser.pages import Scheme, axe_faults, open_page, overflow, press, tab_to, watched

FOLD = 740
INDIA = ZoneInfo("Asia/Kolkata")


def address(alert: Alert, *, ack: bool = False) -> str:
    return f"/portal?alert={alert.id}{'&do=ack' if ack else ''}"


def section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def test_an_alert_is_taken_on_and_silenced_and_that_is_taken_back_by_keyboard(
    browser: Browser, stack: Stack
) -> None:
    alert = an_alert("by-keyboard")
    hold(stack, alert)
    page = open_page(browser, stack, "operator", address(alert, ack=True))
    expect(page.get_by_role("button", name="Acknowledge")).to_be_focused()
    press(page, "Enter")
    expect(page.get_by_text("You see to it, since")).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Acknowledged.")).to_have_count(1)
    assert kept(stack, alert).acknowledged_by == PEOPLE["operator"].object_id

    tab_to(page, page.get_by_role("link", name="Silence …"))
    press(page, "Enter")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("The cluster moves.")
    tab_to(page, page.get_by_label("1 hour"))
    press(page, "ArrowDown")
    expect(page.get_by_label("4 hours")).to_be_checked()
    press(page, "Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    made = the_silence(stack, "The cluster moves.")
    assert made["matchers"] == {"alert": [alert.id]}
    four_hours = datetime.now(UTC) + timedelta(hours=4)
    assert abs(datetime.fromisoformat(made["ends_at"]) - four_hours) < timedelta(minutes=2)
    press(page, "Enter")
    expect(page.locator("summary", has_text="Silence this alert")).to_be_focused()
    assert the_silence(stack, "The cluster moves.")["state"] == "ended"
    assert watched(page).faults == []


def the_silence(stack: Stack, reason: str) -> dict[str, Any]:
    answer = stack.sign_in("operator").get(f"{stack.host_url}/api/v1/silences").json()
    one: dict[str, Any]
    (one,) = (silence for silence in answer["silences"] if silence["reason"] == reason)
    return one


def test_on_a_phone_the_headline_the_number_and_the_button_come_first(browser: Browser, stack: Stack) -> None:
    alert = an_alert("underwriting-assistant-of-the-second-line", severity="critical")
    hold(stack, alert)
    page = open_page(browser, stack, "operator", address(alert), 360, has_touch=True, is_mobile=True)
    for one in (
        page.get_by_role("heading", level=1),
        page.locator("main header").get_by_text("40 minutes limit 30"),
        page.get_by_role("button", name="Acknowledge"),
    ):
        box = one.bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= FOLD
    assert overflow(page) == 0


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_all_that_is_known_of_an_alert_is_shown_to_everybody(
    browser: Browser, stack: Stack, width: int, scheme: Scheme
) -> None:
    alert = an_alert("well-known", windows=30, quieted_by=("silent-agent",))
    hold(stack, alert, outbox=told(alert))
    page = open_page(browser, stack, "operator", address(alert), width, scheme)
    expect(page.locator("svg[role=img] circle")).to_have_count(30)
    expect(page.locator("svg[role=img]")).to_contain_text("limit 30")
    page.get_by_text("As a table: 30 findings").click()
    page.get_by_role("button", name="Show all 30 findings").click()
    rows = page.get_by_role("region", name="Findings, the latest first").get_by_role("row")
    expect(rows).to_have_count(31)
    expect(rows.nth(1)).to_contain_text("69 minutes")
    expect(section(page, "Releases").get_by_role("rowheader")).to_have_text(["1.1.0", "1.0.0"])
    latest = page.get_by_role("link", name=f"{30:032x}")
    expect(latest).to_have_attribute("href", f"/portal?view=trace&alert={alert.id}&trace={30:032x}")
    notices = section(page, "Who was told").get_by_role("listitem")
    for words in ("accepted teams: opened", "refused pager: opened", "waiting desk: opened"):
        expect(notices.filter(has_text=words)).to_have_count(1)
    expect(notices.filter(has_text="given up after 3 attempts: HTTP 400")).to_have_count(1)
    expect(section(page, "Silences")).to_contain_text("by the inhibition silent-agent")
    page.get_by_text("Silence this alert").click()
    assert axe_faults(page) == []
    assert overflow(page) == 0
    assert watched(page).faults == []


def test_a_chart_shows_what_is_worse_higher_and_the_limit_below_it(browser: Browser, stack: Stack) -> None:
    alert = an_alert("charted", windows=12)
    hold(stack, replace(alert, findings=alert.findings[:5] + alert.findings[7:]))
    page = open_page(browser, stack, "operator", address(alert))
    heights = [float(one.get_attribute("cy") or "nan") for one in page.locator("circle").all()]
    assert heights == sorted(heights, reverse=True)  # y grows downwards
    path = page.locator("path.limit").get_attribute("d")
    assert path is not None
    assert float(path.split("H")[0].split(",")[1]) > max(heights)
    line = page.locator("path.line").get_attribute("d")
    assert line is not None
    # Nothing joins what lies on either side of windows of which nothing is known.
    assert [len(part.split("L")) for part in line.split("M")[1:]] == [5, 5]


def test_a_silence_is_for_whom_and_until_when_the_form_says(browser: Browser, stack: Stack) -> None:
    def limited(route: Route) -> None:
        roles = {"Alerts.Manage": True, "Alerts.Read": True}
        route.fulfill(json={"name": "lead", "roles": list(roles), "limited": roles})

    alert = an_alert("tricky[1]*")
    hold(stack, alert)
    page = open_page(browser, stack, "operator", "/portal?view=alerts", timezone_id="Asia/Kolkata")
    page.route("**/api/v1/me", limited)
    page.goto(stack.host_url + address(alert))
    page.get_by_role("link", name="Silence …").click()
    page.get_by_label("Reason").fill("Only this one.")
    # Whose role is limited may silence only what names the agent.
    expect(page.get_by_label("Agent", exact=True)).to_be_checked()
    page.get_by_label("This alert", exact=True).uncheck()
    page.get_by_label("Another time").check()
    morning = (datetime.now(INDIA) + timedelta(days=2)).replace(hour=8, minute=0, second=0, microsecond=0)
    page.get_by_label("Date and time").fill(f"{morning:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    made = the_silence(stack, "Only this one.")
    assert datetime.fromisoformat(made["ends_at"]) == morning
    ((name, (pattern,)),) = made["matchers"].items()
    assert name == "agent"
    assert fnmatchcase("tricky[1]*", pattern)
    assert not fnmatchcase("tricky1", pattern)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_a_silence_that_the_watch_has_not_seen_yet_is_told(browser: Browser, stack: Stack) -> None:
    alert = an_alert("silenced-just-now")
    hold(stack, alert)
    silence(stack, "It is known.", alert=alert.id)
    page = open_page(browser, stack, "operator", address(alert))
    told_of = section(page, "Silences").get_by_role("listitem")
    expect(told_of).to_contain_text("quiet from the next look on silenced by operator until")
    expect(told_of).to_contain_text("It is known.")


def test_a_critical_alert_is_silenced_only_where_it_is_named(browser: Browser, stack: Stack) -> None:
    alert = an_alert("named", severity="critical")
    hold(stack, alert)
    page = open_page(browser, stack, "operator", address(alert))
    page.get_by_role("link", name="Silence …").click()
    warning = page.get_by_text("A critical alert passes this silence")
    expect(warning).to_have_count(0)
    page.get_by_label("This alert", exact=True).uncheck()
    page.get_by_label("Agent", exact=True).check()
    expect(warning).to_be_visible()
    page.get_by_label("Severity", exact=True).check()
    expect(warning).to_have_count(0)


def test_what_is_refused_is_told_and_can_be_tried_again(browser: Browser, stack: Stack) -> None:
    alert = an_alert("over-meanwhile")
    hold(stack, alert)
    page = open_page(browser, stack, "operator", address(alert))
    hold(stack, replace(alert, state="resolved", resolved_at=NOW))
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("alert")).to_contain_text("The alert is resolved.")
    hold(stack, alert)
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("You see to it, since")).to_be_focused()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_hostile_text_is_inert_and_a_long_name_is_cut(browser: Browser, stack: Stack) -> None:
    alert = an_alert(HOSTILE, tool="x" * 1_000_000)
    hold(stack, alert)
    page = open_page(browser, stack, "operator", address(alert), 360)
    expect(page.get_by_role("heading", level=1)).to_contain_text(HOSTILE)
    assert page.title() == "Alert · Tracekeeper"
    assert page.locator("main img, main script").count() == 0
    assert len(page.locator("main").inner_text()) < 10_000
    page.get_by_role("link", name="Silence …").click()
    expect(page.get_by_label("This alert", exact=True)).to_be_checked()
    # What no pattern may hold is not offered.
    expect(page.get_by_label("Agent", exact=True)).to_have_count(0)
    assert overflow(page) == 0
    assert watched(page).faults == []


def test_who_only_reads_has_no_buttons_and_no_links_to_exports(browser: Browser, stack: Stack) -> None:
    def reader(route: Route) -> None:
        route.fulfill(json={"name": "reader", "roles": ["Alerts.Read"], "limited": {"Alerts.Read": False}})

    alert = an_alert("read-only")
    hold(stack, alert)
    page = open_page(browser, stack, "operator", "/portal?view=alerts")
    page.route("**/api/v1/me", reader)
    page.goto(stack.host_url + address(alert))
    expect(page.get_by_text("you need the role Alerts.Manage")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
    expect(page.get_by_text("Silence this alert")).to_have_count(0)
    expect(page.locator("a[href*='view=exports']")).to_have_count(0)


def test_evidence_that_is_held_is_linked_for_who_may_read_it(browser: Browser, stack: Stack) -> None:
    alert, other = an_alert("held", severity="critical"), an_alert("beyond-the-cap")
    hold(stack, alert, other)
    decided = decide(Holds(), (alert, other), EvidenceHold(("critical", "high"), most_per_day=1), NOW)
    stack.documents().write(DOCUMENT, holds_json(decided), version=None)
    page = open_page(browser, stack, "engineer", address(alert))
    link = section(page, "Evidence").get_by_role("link")
    export = decided.holds[alert.id, alert.episode].export_id
    expect(link).to_have_attribute("href", f"/portal?view=exports&export={export}")
    page.goto(stack.host_url + address(other))
    expect(section(page, "Evidence")).to_contain_text("The most that are held in a day had been reached: 1.")
    expect(link).to_have_attribute("href", f"/portal?view=exports&alert={other.id}")
    page = open_page(browser, stack, "operator", address(alert))
    expect(section(page, "Evidence")).to_contain_text("Reading it needs the role Evidence.Read.")
    expect(section(page, "Evidence").get_by_role("link")).to_have_count(0)


def test_without_the_role_an_alert_that_there_is_looks_like_one_that_there_is_not(
    browser: Browser, stack: Stack
) -> None:
    alert = an_alert("unseen-agent")
    hold(stack, alert)
    said = []
    for one in (alert, replace(alert, id="f" * 16)):
        page = open_page(browser, stack, "auditor", address(one))
        said.append(page.locator("body").inner_text())
        assert "unseen-agent" not in said[-1]
    assert said[0] == said[1]


def test_data_that_have_become_old_say_so_and_are_loaded_again(browser: Browser, stack: Stack) -> None:
    alert = an_alert("old-news")
    hold(stack, alert)
    page = open_page(browser, stack, "operator", "/portal?view=alerts")
    page.clock.install()
    page.goto(stack.host_url + address(alert))
    expect(page.get_by_role("heading", level=1)).to_contain_text("old-news")
    expect(page.get_by_text("What you see is")).to_be_hidden()
    page.clock.fast_forward("05:00")
    expect(page.get_by_text("What you see is 5 min old.")).to_be_visible()
    hold(stack, replace(alert, state="resolved", resolved_at=NOW))
    page.get_by_role("button", name="Load again").click()
    expect(page.get_by_text("resolved", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
