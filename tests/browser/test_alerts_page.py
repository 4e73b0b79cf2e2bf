"""The list of alerts and of silences, in a browser on the whole service."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from functions.alerts.state import PREFIX
from functions.watch.heartbeat import Heart
from local.stack import Stack
from tests.browser.alerts_held import HOSTILE, NOW, an_alert, hold, silence
from tests.browser.pages import Scheme, axe_faults, open_page, overflow, press, settled, tab_to, watched
from tests.unit.alerts.building import CHECK

LIST = "/portal?view=alerts"


@pytest.fixture(autouse=True)
def quiet(stack: Stack) -> None:
    """Begin each test with no alert, and a watch that looked three minutes ago."""
    hold(stack)
    look(stack, minutes_ago=3)


def look(stack: Stack, *, minutes_ago: int) -> None:
    """Let the watch have looked last so long ago."""
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    Heart(stack.documents(), None, clock=lambda: at).beat(())


def rows(page: Page) -> list[str]:
    """Return what the rows of alerts are headed by, from above."""
    return (
        page.get_by_role("region", name="Alerts, the worst first").get_by_role("rowheader").all_inner_texts()
    )


def test_alerts_are_filtered_and_one_is_opened_by_keyboard(browser: Browser, stack: Stack) -> None:
    hold(
        stack,
        an_alert("calm", severity="low"),
        an_alert("alarmed", severity="critical"),
        an_alert("over", state="resolved", resolved_at=NOW),
        an_alert("taken", state="acknowledged"),
    )
    page = open_page(browser, stack, "operator", LIST)
    words = "get_shipment_status: stale tool data"
    assert rows(page) == [f"{agent}, {words}" for agent in ("alarmed", "taken", "calm")]
    expect(page.get_by_text("3 alerts, 2 not acknowledged.")).to_be_visible()
    tab_to(page, page.get_by_label("State"))
    page.keyboard.type("Resolved")
    expect(page.get_by_text("1 alert.")).to_be_visible()
    assert rows(page) == [f"over, {words}"]
    assert page.url == f"{stack.host_url}{LIST}&state=resolved"
    press(page, "End")
    expect(page.get_by_text("4 alerts, 2 not acknowledged.")).to_be_visible()
    tab_to(page, page.get_by_text("Agent, check, owner"))
    press(page, "Enter", "Tab")
    page.keyboard.type("calm")
    press(page, "Enter")
    expect(page.get_by_text("1 alert.")).to_be_visible()
    page.reload()  # as whoever is given the address would see it
    settled(page)
    expect(page.get_by_label("Agent")).to_have_value("calm")
    assert rows(page) == [f"calm, {words}"]
    tab_to(page, page.get_by_role("link", name="calm"))
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"low: calm, {words}")
    assert watched(page).faults == []


def test_of_two_filters_the_one_chosen_last_is_shown(browser: Browser, stack: Stack) -> None:
    hold(stack, an_alert("over", state="resolved", resolved_at=NOW), an_alert("new", state="pending"))
    page = open_page(browser, stack, "operator", LIST)
    waiting: list[Route] = []

    def wait(route: Route) -> None:
        waiting.append(route)

    page.route("**/api/v1/alerts?state=resolved", wait)
    page.get_by_label("State").select_option("resolved")
    page.get_by_label("State").select_option("pending")
    expect(page.get_by_role("link", name="new")).to_be_visible()
    (slow,) = waiting
    with page.expect_response("**/api/v1/alerts?state=resolved"):
        slow.continue_()
    page.wait_for_timeout(200)
    expect(page.get_by_role("link", name="new")).to_be_visible()


def test_a_silence_is_ended_by_keyboard(browser: Browser, stack: Stack) -> None:
    made = silence(stack, "The cluster moves.", agent="calm")
    name = f"{made['id']}@{made['starts_at']}"
    hold(stack, an_alert("calm", quieted_by=(name,)))
    page = open_page(browser, stack, "operator", LIST)
    region = page.get_by_role("region", name="Silences")
    expect(page.get_by_text("silenced", exact=True)).to_be_visible()
    expect(region).to_contain_text("The cluster moves.")
    expect(region).to_contain_text("Agent is calm")
    expect(region).to_contain_text("By operator, until")
    expect(region).to_contain_text("Hides 1 alert, 1 of them open")
    tab_to(page, page.get_by_role("button", name="End now: The cluster moves."))
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Silences")).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="The silence has ended.")).to_have_count(1)
    expect(region).to_contain_text("No silence is in force or scheduled.")
    (after,) = stack.sign_in("operator").get(f"{stack.host_url}/api/v1/silences").json()["silences"]
    assert after["state"] == "ended"


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_filled_and_empty_the_page_is_sound(
    browser: Browser, stack: Stack, width: int, scheme: Scheme
) -> None:
    page = open_page(browser, stack, "operator", LIST, width, scheme)
    expect(page.get_by_text("All quiet: no alert is open.")).to_be_visible()
    expect(page.get_by_text("The watch last looked")).to_contain_text("3 min ago")
    assert axe_faults(page) == []
    made = silence(stack, "<b>The cluster moves.</b>", agent="a*")
    agents = (HOSTILE, "x" * 1_000_000, "underwriting-assistant")
    hold(stack, *(an_alert(agent, quieted_by=(f"{made['id']}@{made['starts_at']}",)) for agent in agents))
    page.reload()
    expect(page.get_by_text("3 alerts.")).to_be_visible()
    expect(page.get_by_text("<b>The cluster moves.</b>").first).to_be_visible()
    page.get_by_text("Hides 3 alerts").click()
    page.get_by_text("Agent, check, owner").click()
    assert "<img src=x onerror=" in "".join(rows(page))
    assert page.title() == "Alerts · Tracekeeper"
    assert page.locator("main img, main script, main b").count() == 0
    assert len(page.locator("main").inner_text()) < 10_000
    assert axe_faults(page) == []
    assert overflow(page) == 0
    assert watched(page).faults == []
    page.get_by_role("button", name="End now").click()
    expect(page.get_by_text("No silence is in force or scheduled.")).to_be_visible()


def test_what_cannot_be_read_is_said_and_is_not_called_quiet(browser: Browser, stack: Stack) -> None:
    name = f"{PREFIX}{CHECK.id}"
    held = stack.documents().read(name)
    assert held is not None
    stack.documents().write(name, {"format": 2}, version=held.version)
    page = open_page(browser, stack, "operator", LIST)
    expect(page.get_by_role("note")).to_contain_text(name)
    expect(page.get_by_text("No open alert is known.")).to_be_visible()
    expect(page.get_by_text("All quiet")).to_have_count(0)


def test_a_watch_that_has_stopped_is_said_and_is_not_called_quiet(browser: Browser, stack: Stack) -> None:
    look(stack, minutes_ago=6)
    page = open_page(browser, stack, "operator", LIST)
    expect(page.get_by_role("note")).to_contain_text("it does not do so now")
    expect(page.get_by_text("No open alert is known.")).to_be_visible()


def test_a_filter_that_is_wrong_is_told_in_the_services_words(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "operator", f"{LIST}&severity=worst")
    expect(page.get_by_role("alert")).to_contain_text("The parameter severity must be one of")
    page.get_by_label("Severity").select_option("high")
    expect(page.get_by_text("No alert is like that.")).to_be_visible()


def test_without_the_role_the_page_is_not_there(browser: Browser, stack: Stack) -> None:
    hold(stack, an_alert("unseen-agent"))
    said = []
    for address in (LIST, "/portal?view=nothing"):
        page = open_page(browser, stack, "auditor", address)
        said.append(page.locator("body").inner_text())
        assert "unseen-agent" not in said[-1]
        assert "Alerts" not in said[-1]
    assert said[0] == said[1]
