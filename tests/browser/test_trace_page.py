"""The page of traces in a browser, on the whole service: found with a ticket, read as waterfall or table."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from functions.alerts.alert import alert_id
from functions.alerts.episode import opened
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.finding import Finding, Window
from local.stack import Stack
from tests.browser.pages import (
    Scheme,
    axe_faults,
    open_page,
    overflow,
    press,
    settled,
    tab_to,
    watched,
)
from tests.browser.traces import answer_with, problem, trace_answer
from tests.checks.telemetry import Trace
from tests.unit.alerts.building import CHECK
from tests.unit.evidence.reporting import TRACE, agent, chat, span, tool

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202e\u0007"
MEGABYTE = 1_000_000
CONVERSATION = "conv-7f3a"
TICKET = "OPS-12"
REASON = "a claim is disputed"
START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=40)
RUN, UNNAMED = Trace(1, start=START), Trace(2, start=START)
ALERT = alert_id(CHECK.id, {"Agent": "dispatch-assistant"})
SIZES: list[tuple[int, Scheme]] = [(360, "dark"), (1280, "light")]
LIMIT_SECONDS = 1.5
SPANS = 5_000

# The first moment at which the waterfall has rows, then two frames.
PAINTED = """
window.painted = new Promise((tell) => {
  new MutationObserver((_, observer) => {
    if (document.querySelector("[role=treegrid] [aria-level]")) {
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => tell(performance.now())));
    }
  }).observe(document, { childList: true, subtree: true });
});
"""
SECONDS = """async () => {
  const painted = await window.painted;
  const answers = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/v1/traces/"));
  return (painted - answers.at(-1).responseEnd) / 1000;
}"""

TWO_KEYS_IN_A_FRAME = """async (node) => {
  for (const key of ["Home", "Enter"]) {
    node.dispatchEvent(new KeyboardEvent("keydown", { key }));
  }
  await new Promise((tell) => { requestAnimationFrame(() => requestAnimationFrame(tell)); });
}"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    request = RUN.request(**{"gen_ai.conversation.id": CONVERSATION})
    run = RUN.agent("dispatch-assistant", request, **{"gen_ai.conversation.id": CONVERSATION})
    RUN.chat(run, (1_000, 100), model="gpt-4o")
    old = {"tool.data_as_of": (START - timedelta(hours=3)).isoformat()}
    RUN.tool("get_shipment_status", run, success=False, after=0.2)
    RUN.tool("get_shipment_status", run, after=0.4, **old)
    UNNAMED.agent("dispatch-assistant", UNNAMED.request())
    with Stack(tmp_path_factory.mktemp("traces")) as running:
        for trace in (RUN, UNNAMED):
            running.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
        running.start_host()
        found = Finding(
            CHECK.id,
            {"Agent": "dispatch-assistant"},
            Window(START, START + timedelta(minutes=5)),
            95.0,
            30.0,
            1,
            (RUN.trace_id,),
            {},
        )
        state = CheckState(alerts={ALERT: opened(ALERT, None, found, CHECK)})
        running.documents().write(PREFIX + CHECK.id, state_to_json(state), version=None)
        yield running


def read(browser: Browser, stack: Stack, **how: Any) -> Page:
    """Open the page of a trace with a ticket; the answer is the test's own where `body` is given."""
    body, status = how.pop("body", None), how.pop("status", 200)
    page = open_page(browser, stack, "auditor", "/portal?view=trace", **how)
    name = page.locator("footer b").inner_text()
    page.evaluate(
        "kept => sessionStorage.setItem('tracekeeper.ticket', kept)",
        json.dumps({"name": name, "ticket": TICKET}),
    )
    if body is not None:
        answer_with(page, body, status=status)
    page.add_init_script(PAINTED)
    page.goto(f"{stack.host_url}/portal?view=trace&trace={TRACE if body else RUN.trace_id}")
    drawn(page)
    return page


def accesses(stack: Stack, action: str) -> list[dict[str, Any]]:
    with stack.sign_in("officer") as officer:
        entries = officer.get(f"{stack.host_url}/api/v1/access-log?count=50", timeout=30).json()["entries"]
    return [entry for entry in entries if entry["action"] == action]


def drawn(page: Page) -> Locator:
    """Wait for the waterfall: the local engine takes seconds for a trace, more where it has much to do."""
    grid = page.get_by_role("treegrid")
    expect(grid).to_be_visible(timeout=30_000)
    return grid


def chosen(page: Page) -> str:
    return page.locator("[role=row][aria-selected=true] .label").inner_text()


def test_support_finds_a_conversation_and_reads_its_trace_by_keyboard_alone(
    browser: Browser, stack: Stack
) -> None:
    page = open_page(browser, stack, "auditor", "/portal?view=trace")
    addresses = [page.url]
    page.on("request", lambda request: addresses.append(request.url))
    tab_to(page, page.get_by_role("radio", name="Trace id"))
    press(page, "ArrowDown")
    expect(page.get_by_role("radio", name="Conversation")).to_be_checked()
    for label, text in (
        ("Conversation", CONVERSATION),
        ("Ticket", TICKET),
        ("Reason", REASON),
    ):
        tab_to(page, page.get_by_role("textbox", name=label))
        page.keyboard.type(text)
    press(page, "Enter")
    expect(page.get_by_role("heading", name="1 trace found")).to_be_focused(timeout=30_000)
    tab_to(page, page.get_by_role("link", name=RUN.trace_id))
    press(page, "Enter")
    grid = drawn(page)
    tab_to(page, grid)
    press(page, "ArrowRight", "ArrowRight", "End")
    assert chosen(page) == "tool get_shipment_status"
    row = page.locator("[role=row][aria-selected=true]")
    expect(row).to_contain_text("retry")
    expect(row).to_contain_text("3 h 0 min old")
    press(page, "Enter")
    details = page.get_by_role("complementary", name="Chosen step")
    expect(details.get_by_role("heading", name="tool get_shipment_status")).to_be_focused()
    expect(details).to_contain_text("2 of 2, a retry")
    expect(details).to_contain_text("data 3 h 0 min old")
    press(page, "Escape", "ArrowLeft")
    expect(grid).to_be_focused()
    assert chosen(page) == "agent dispatch-assistant"
    assert watched(page).faults == []
    for secret in (CONVERSATION, TICKET, "disputed"):
        assert not [address for address in addresses if secret in address]
    (search,) = accesses(stack, "traces.search")
    assert search["on"]["ticket"] == TICKET
    assert accesses(stack, "traces.read")[0]["on"] == {"trace_id": RUN.trace_id, "ticket": TICKET}
    page.go_back()  # what was found is still there, and was not asked for again
    expect(page.get_by_role("link", name=RUN.trace_id)).to_be_visible()
    assert len(accesses(stack, "traces.search")) == 1


def test_the_ticket_is_asked_for_before_the_trace_and_once(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "auditor", "/portal?view=trace")
    answer_with(page, trace_answer([agent(0)]))
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "/v1/traces/" in request.url else None)
    page.goto(f"{stack.host_url}/portal?view=trace&trace={TRACE}")
    ticket = page.get_by_role("textbox", name="Ticket")
    expect(ticket).to_be_focused()
    for wrong in ("", " ", "\u00dcber"):
        ticket.fill(wrong)
        press(page, "Enter")
        expect(ticket).to_be_focused()
    assert asked == []
    ticket.fill(TICKET)
    press(page, "Enter")
    drawn(page)
    page.reload()
    drawn(page)
    assert [request.headers["tracekeeper-ticket"] for request in asked] == [TICKET, TICKET]


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_axe_finds_no_fault_and_the_page_is_never_wider_than_the_screen(
    browser: Browser, stack: Stack, width: int, scheme: Scheme
) -> None:
    aged = {"tool.data_as_of": "2026-11-22T02:57:00Z"}
    rows = (
        agent(0),
        chat(1, 0),
        tool(2, 0, Success=False, properties={"error.type": "TimeoutError"}),
        tool(3, 0, properties=aged),
        span(4, 0, table="AppTraces", span_id=""),
    )
    body = trace_answer(rows, findings=["dispatcher: data 9 h old."], removed="drop:Name")
    page = read(browser, stack, body=body, width=width, scheme=scheme)
    expect(page.get_by_text("Complete: 4 spans and 1 event,")).to_be_visible()
    expect(page.get_by_text("Sanitized under policy")).to_be_visible()
    assert (axe_faults(page), overflow(page)) == ([], 0)
    page.get_by_role("button", name="Table").click()
    table = page.get_by_role("table", name="Steps 1 to 4 of 4")
    expect(table.get_by_role("row")).to_have_count(5)
    assert (axe_faults(page), overflow(page)) == ([], 0)
    answer_with(page, problem("trace-unknown", 404, evidence=["Rows are kept."]), status=404)
    page.reload()
    expect(page.get_by_role("heading", name="Nobody can say whether there was such a trace")).to_be_visible()
    assert (axe_faults(page), overflow(page)) == ([], 0)
    page.goto(f"{stack.host_url}/portal?view=trace")
    settled(page)
    assert (axe_faults(page), overflow(page)) == ([], 0)
    assert watched(page).faults == []


ABSENCES = {
    "trace-not-found": "There was no such trace",
    "trace-expired": "The trace has expired",
    "trace-too-recent": "It is too recent",
    "trace-sampled-out": "The trace was perhaps sampled out",
    "trace-vanished": "The trace has vanished",
    "trace-unknown": "Nobody can say",
    "not-found": "A title",
}


def test_why_a_trace_is_not_there_is_told_apart_and_can_be_asked_again(
    browser: Browser, stack: Stack
) -> None:
    page = read(browser, stack, body=trace_answer([agent(0)]))
    for kind, words in ABSENCES.items():
        told = {"evidence": [f"Rows are kept since 2026-11-20T10:00:00Z, {HOSTILE}."]}
        answer_with(page, problem(kind, 404, **(told if kind != "not-found" else {})), status=404)
        page.reload()
        heading = page.get_by_role("heading", level=2).first
        expect(heading).to_contain_text(words)
        if kind != "not-found":
            expect(page.get_by_text("Rows are kept since 20 Nov 2026, 10:00")).to_be_visible()
    answer_with(page, problem("trace-unknown", 404), status=404)
    page.reload()
    page.get_by_label("When it should have been").fill("2026-11-20T10:00")
    page.get_by_label("Its agent").fill("dispatch-assistant")
    with page.expect_request("**/api/v1/traces/*") as asked:
        page.get_by_role("button", name="Ask again").click()
    assert "around=2026-11-20T10%3A00%3A00.000Z&agent=dispatch-assistant" in asked.value.url
    assert page.title() != "owned"
    assert watched(page).faults == []


def test_hostile_text_is_inert_however_long_it_is(browser: Browser, stack: Stack) -> None:
    name = HOSTILE + "n" * MEGABYTE
    told = {HOSTILE: HOSTILE, "long": name, "error.type": HOSTILE, "tool.data_as_of": HOSTILE}
    rows = (agent(0), tool(1, 0, name, properties=told, Success=False), span(2, 99, table="AppTraces"))
    page = read(browser, stack, body=trace_answer(rows, findings=[name], removed=HOSTILE))
    page.get_by_role("treegrid").focus()
    press(page, "End", "Enter")
    expect(page.get_by_role("complementary")).to_contain_text("characters are not shown")
    page.get_by_role("button", name="Table").click()
    expect(page.get_by_role("table", name="Steps 1 to 2 of 2")).to_contain_text("<img src=x")
    assert overflow(page) == 0
    assert page.title() != "owned"
    assert page.locator("main img, main script").count() == 0
    text = page.locator("main").inner_text()
    assert not {"\u202e", "\u0007"} & set(text)
    assert "[U+202E]␇" in text
    assert len(text) < 20_000
    assert watched(page).faults == []


def test_who_sees_alerts_reads_the_traces_that_an_alert_names_and_no_other(
    browser: Browser, stack: Stack
) -> None:
    before = len(accesses(stack, "traces.read"))
    page = open_page(browser, stack, "operator", f"/portal?view=trace&trace={RUN.trace_id}&alert={ALERT}")
    drawn(page)
    page.goto(f"{stack.host_url}/portal?view=trace&alert={ALERT}")
    expect(page.get_by_role("link", name=RUN.trace_id)).to_be_visible()
    page.goto(f"{stack.host_url}/portal?view=trace&trace={UNNAMED.trace_id}&alert={ALERT}")
    expect(page.get_by_role("alert")).to_contain_text("There is no such trace of such an alert.")
    expect(page.get_by_role("link", name="The alert's traces")).to_be_visible()
    expect(page.get_by_role("link", name="Look it up by its id")).to_have_count(0)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for address in ("view=trace", f"view=trace&trace={RUN.trace_id}", "view=nothing"):
        page.goto(f"{stack.host_url}/portal?{address}")
        settled(page)
        assert page.locator("main").inner_text().startswith("No such page\n")
        expect(page.get_by_role("navigation")).not_to_contain_text("Traces")
    assert not [url for url in asked if "/api/v1/traces" in url]
    assert len(accesses(stack, "traces.read")) == before
    assert watched(page).faults == []


def test_a_trace_of_5000_spans_is_painted_at_once_and_only_what_is_in_sight_is_there(
    browser: Browser, stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    rows = [agent(0), *(tool(n, 0) if n % 2 else chat(n, 0) for n in range(1, SPANS))]
    page = read(browser, stack, body=trace_answer(rows))
    seconds = page.evaluate(SECONDS)
    record_property("seconds_to_paint", f"{seconds:.3f}")
    assert seconds < LIMIT_SECONDS
    grid = page.get_by_role("treegrid")
    assert grid.get_attribute("aria-rowcount") == str(SPANS + 1)
    expect(page.get_by_role("row").filter(has_text="model").first).to_be_visible()
    assert page.get_by_role("row").count() < 80
    grid.focus()
    press(page, "End")
    last = page.locator(f"#{grid.get_attribute('aria-activedescendant')}")
    expect(last).to_be_in_viewport()
    assert last.get_attribute("aria-rowindex") == str(SPANS + 1)
    assert last.get_attribute("aria-setsize") == str(SPANS - 1)
    for key, row in (("End", SPANS), ("Home", 1)):
        press(page, key)
        grid.evaluate("node => { node.scrollTop = node.scrollHeight / 2; }")
        expect(page.locator("[aria-rowindex='2510']")).to_be_in_viewport()
        assert page.get_by_role("row").count() < 80
        focused = page.locator(f"#{grid.get_attribute('aria-activedescendant')}")
        assert focused.get_attribute("aria-rowindex") == str(row + 1)  # it stays in the document
    page.get_by_role("button", name="Table").click()
    page.get_by_role("button", name="Last").click()
    expect(page.get_by_role("table", name="Steps 4,801 to 5,000 of 5,000")).to_be_visible()
    expect(page.get_by_role("region", name="Steps 4,801 to 5,000 of 5,000")).to_be_focused()
    assert watched(page).faults == []


def test_odd_traces_are_drawn_too(browser: Browser, stack: Stack) -> None:
    deep = [span(number, number - 1 if number else None, DurationMs=0.0) for number in range(300)]
    early = tool(0, 299, "early", span_id="e" * 16)  # before what called it
    lost = tool(301, 9_999, "lost")
    page = read(browser, stack, body=trace_answer([early, *deep, lost], complete=False))
    expect(page.get_by_text("Incomplete")).to_be_visible()
    grid = page.get_by_role("treegrid")
    grid.focus()
    press(page, "End")
    details = page.get_by_role("complementary")
    expect(details).to_contain_text("the step above it is not in this trace")
    grid.evaluate(TWO_KEYS_IN_A_FRAME)
    expect(details.get_by_role("heading", name="span")).to_be_focused()
    press(page, "Escape", "End")
    press(page, "ArrowUp")
    assert chosen(page) == "tool early"
    assert page.locator("[aria-selected=true]").get_attribute("aria-level") == "301"
    expect(details).to_contain_text("before the step above it: clocks differ")
    page.get_by_role("button", name="Fold", exact=True).click()
    assert grid.get_attribute("aria-rowcount") == "3"
    page.get_by_role("searchbox").fill("early")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("[aria-selected=true]")).to_be_in_viewport()
    assert chosen(page) == "tool early"
    assert watched(page).faults == []


def test_on_paper_it_is_the_whole_table(browser: Browser, stack: Stack) -> None:
    page = read(browser, stack, body=trace_answer([tool(number) for number in range(250)]))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    expect(page.get_by_role("treegrid")).to_be_hidden()
    assert page.get_by_role("table", name="Steps").get_by_role("row").count() == 251
