"""The page of what agents cost, in a browser on the whole service; its figures were worked out by hand."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from functions.configuration import SHIPPED
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
from tests.checks.telemetry import Trace

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202e\u0007"
LONG = "n" * 3000
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
DAY = f"start={NOON:%Y-%m-%d}&end={NOON + timedelta(days=1):%Y-%m-%d}"
MONTH = "This month" if NOON.month == datetime.now(UTC).month else "Last month"
PRICED = "gpt-4o"  # 2.50 USD a million tokens of input, 10 of output
RETRIED = 5
PAPER = {"width": 718, "height": 1046}  # A4 in CSS pixels, without the margins
SIZES: list[tuple[int, Scheme]] = [(360, "dark"), (1280, "light")]


def site(folder: Path) -> Path:
    """A site that reserves a deployment, and whose owners forgot to look at an agent."""
    folder.mkdir()
    shutil.copy(SHIPPED / "prices.yaml", folder)
    with (folder / "prices.yaml").open("a", encoding="utf-8") as prices:
        prices.write("provisioned:\n  - {deployment: reserved, hourly: 1, valid_from: 2026-01-01}\n")
    agents = (SHIPPED / "agents.yaml").read_text(encoding="utf-8")
    late = agents.replace("review_by: 2027-05-01", "review_by: 2026-01-31", 1)
    (folder / "agents.yaml").write_text(late, encoding="utf-8")
    return folder


def traces() -> Iterator[Trace]:
    """One run each: two that cost, one without tokens, one that sampling halved, one that retries."""
    cheap = Trace(1, start=NOON)
    cheap.chat(cheap.agent("dispatcher"), (400_000, 100_000), model=PRICED)  # 2 USD
    yield cheap
    dear = Trace(2, start=NOON)
    dear.chat(dear.agent("benefits-assistant"), (1_200_000, 300_000), model=PRICED)  # 6 USD, of 5 a day
    silent = Trace(3, start=NOON)
    silent.chat(silent.agent("benefits-assistant"), None, model=PRICED)
    for trace in (dear, silent):
        for envelope in trace.envelopes:
            envelope["tags"]["ai.application.ver"] = "2.0.0"
        yield trace
    halved = Trace(4, start=NOON, sample_rate=50.0)
    halved.chat(halved.agent(HOSTILE), (100, 10), model=LONG)
    yield halved
    retrying = Trace(RETRIED, start=NOON)
    run = retrying.agent("underwriting-assistant")
    tokens = {"gen_ai.usage.input_tokens": "100000", "gen_ai.usage.output_tokens": "25000"}  # 0.50 USD
    for second, success in ((1, False), (3, True)):
        retrying.span("chat", run, after=second, **{"gen_ai.response.model": PRICED, **tokens})
        retrying.tool(HOSTILE, run, success=success, after=second + 1)
    yield retrying


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("costs")
    with Stack(folder / "stack", config=site(folder / "site")) as running:
        for trace in traces():
            running.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
        running.start_host()
        yield running


def asked_for(page: Page) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(page.url).query).items()}


def cells(page: Page, table: str) -> list[list[str]]:
    """The table's rows as they are read, without its headings."""
    rows = page.get_by_role("table", name=table).get_by_role("row").all()[1:]
    return [row.get_by_role("rowheader").or_(row.get_by_role("cell")).all_inner_texts() for row in rows]


def test_a_reviewer_finds_the_dearest_release_and_takes_it_along_by_keyboard_alone(
    browser: Browser, stack: Stack
) -> None:
    page = open_page(browser, stack, "finops", "/portal?view=costs")
    tab_to(page, page.get_by_role("link", name=MONTH))
    press(page, "Enter")
    expect(page.get_by_role("link", name=MONTH)).to_have_attribute("aria-current", "page")
    settled(page)
    tab_to(page, page.get_by_role("combobox", name="By"))
    page.keyboard.type("Release")
    tab_to(page, page.get_by_role("button", name="Show"))
    press(page, "Enter")
    expect(page.get_by_role("heading", name="By release")).to_be_visible()
    assert asked_for(page)["by"] == "release"
    table = "Costs by release"
    assert [row[:2] for row in cells(page, table)] == [["2.0.0", "US$6.00"], ["1.0.0", "US$3.00"]]
    runs = page.get_by_role("button", name="Runs")
    tab_to(page, runs)
    press(page, "Enter")
    assert [row[0] for row in cells(page, table)] == ["1.0.0", "2.0.0"]
    expect(page.get_by_role("columnheader", name="Runs")).to_have_attribute("aria-sort", "descending")
    expect(runs).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("Sorted by Runs, descending.")
    tab_to(page, page.get_by_role("link", name="Download as CSV"))
    with page.expect_download() as taken:
        press(page, "Enter")
    assert taken.value.suggested_filename.endswith("-release.csv")
    assert taken.value.path().read_text(encoding="utf-8").startswith("release,calls,runs,")
    assert watched(page).faults == []


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_costs_say_what_they_leave_out_and_what_needs_a_look(
    browser: Browser, stack: Stack, width: int, scheme: Scheme
) -> None:
    page = open_page(browser, stack, "finops", f"/portal?view=costs&by=agent&{DAY}", width, scheme)
    sure = page.locator("section", has=page.get_by_role("heading", name="How sure this is"))
    expect(sure.locator("strong")).to_have_text("US$9.00")
    assert sure.get_by_role("listitem").all_inner_texts() == [
        "14.3% of the calls don't say their tokens: the true cost is higher.",
        "28.6% of the calls are to models without a price on their day: the true cost is higher.",
        "14.3% of the calls were left out by sampling: those that were kept stand for them.",
    ]
    uses = {(agent, of): (used, state) for agent, of, used, *_, state in cells(page, "What each budget")}
    costliest = f"its costliest day, {NOON:%Y-%m-%d}"
    assert uses["benefits-assistant", costliest] == ("120%", "over")
    assert uses["dispatcher", costliest] == ("40%", "within")
    assert cells(page, "Deployments paid by the hour")[0][:4] == ["reserved", "24", "US$24.00", "US$24.00"]
    assert [row[:3] for row in cells(page, "Agents whose entry")] == [
        ["dispatcher", "dispatch", "2026-01-31"]
    ]
    assert axe_faults(page) == []
    assert overflow(page) == 0
    page.set_viewport_size(PAPER)
    page.emulate_media(media="print")
    assert overflow(page) == 0
    assert watched(page).faults == []


@pytest.mark.parametrize(
    ("width", "scheme", "report"),
    [(360, "dark", "waste"), (1280, "light", "waste"), (360, "light", "telemetry")],
)
def test_what_comes_out_of_a_trace_is_shown_as_text(
    browser: Browser, stack: Stack, width: int, scheme: Scheme, report: str
) -> None:
    page = open_page(browser, stack, "engineer", f"/portal?view=costs&report={report}&{DAY}", width, scheme)
    expect(page.get_by_role("rowheader", name="underwriting-assistant")).to_be_visible()
    if report == "waste":
        (retries,) = cells(page, "Retries: the dearest")
        assert retries[1].startswith("<img src=x onerror=")
        assert retries[2:5] == ["US$0.50", "1", "1"]
        trace = page.get_by_role("link", name=f"{RETRIED:032x}"[:8])
        assert trace.get_attribute("href") == f"/portal?view=trace&trace={RETRIED:032x}"
    else:
        expect(page.get_by_role("rowheader", name="<img src=x")).to_be_visible()
    expect(page.locator("bdi").filter(has_text="<img src=x").first).to_be_visible()  # turns only itself
    assert page.title() == "Costs · Tracekeeper"
    assert page.locator("img, main script").count() == 0
    assert axe_faults(page) == []
    assert overflow(page) == 0
    assert watched(page).faults == []


def test_the_overview_says_how_sure_the_cost_is(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "engineer", "/portal?view=overview")
    expect(page.get_by_text("28.6% of the calls are to models without a price")).to_be_visible()


def test_a_long_name_widens_no_page(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "finops", f"/portal?view=costs&by=model&{DAY}", 360)
    expect(page.get_by_role("rowheader", name=LONG[:200])).to_be_visible()
    assert overflow(page) == 0


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("by=agent&start=2025-01-01&end=2025-01-02", "No model was called in this period."),
        (f"by=nobodys&{DAY}", "The parameter by must be one of"),
    ],
)
def test_nothing_and_a_refusal_are_told_in_words(
    browser: Browser, stack: Stack, question: str, told: str
) -> None:
    page = open_page(browser, stack, "finops", f"/portal?view=costs&{question}", 360, "dark")
    expect(page.get_by_text(told)).to_be_visible()
    assert axe_faults(page) == []
    assert overflow(page) == 0
    assert watched(page).faults == []


def test_a_period_that_is_too_long_is_told_before_anything_is_asked(browser: Browser, stack: Stack) -> None:
    page = open_page(browser, stack, "finops", f"/portal?view=costs&by=agent&{DAY}")
    page.get_by_label("First day").fill(f"{NOON - timedelta(days=31):%Y-%m-%d}")
    before = page.url
    page.get_by_role("button", name="Show").click()
    last = page.get_by_label("Last day")
    expect(last).to_be_focused()
    assert last.evaluate("node => node.validationMessage") == "At most 31 days."
    assert page.url == before


def test_who_has_not_the_role_sees_neither_costs_nor_that_there_is_such_a_page(
    browser: Browser, stack: Stack
) -> None:
    page = open_page(browser, stack, "officer", "/portal")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{stack.host_url}/portal?view=costs&by=agent&{DAY}")
    settled(page)
    told = page.locator("main").inner_text()
    page.goto(f"{stack.host_url}/portal?view=nothing")
    settled(page)
    assert page.locator("main").inner_text() == told
    assert page.get_by_role("link", name="Costs").count() == 0
    assert not [url for url in asked if "/api/v1/costs" in url]
