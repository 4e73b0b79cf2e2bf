"""The report in a browser: nothing runs or loads, axe finds no fault, and it fits screens and paper."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from local.node import find_module_file
from tests.unit.evidence.reporting import (
    SOUND_ACCOUNT,
    TRACE,
    agent,
    changed,
    chat,
    judged,
    report,
    tool,
)

SCREENS = [(1280, "light"), (1280, "dark"), (360, "light")]
SEALS = {
    "complete": True,
    "basis": "Every sealed run must still have a span.",
    "days": [{"day": "2026-11-21", "compared": 7, "ledger_hash": "4c" * 32}],
    "not_sealed": [{"day": "2026-11-22", "why": "not over when this was asked for"}],
}
SAMPLE = {
    "seed": "5e" * 32,
    "ledger_head": "1e" * 32,
    "population": {"runs": 1200, "sha256": "9d" * 32},
    "strata": [{"name": "dispatcher", "runs": 1200, "drawn": [{}]}],
}
GAP = {"from": "2026-11-22T09:00", "to": "2026-11-22T09:15"}
CHECKS = [
    {"check": "stale_tool_data", "record": "kept", "share": 0.875, "gaps": [GAP]},
    {"check": "slow_step", "record": "kept", "share": 1},
]
MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = (agent(0), chat(1, 0), tool(2, 0, MARKUP, Success=False), tool(3, 0, MARKUP))
    account = changed(
        SOUND_ACCOUNT,
        completeness={"complete": False, "seals": SEALS},
        request={"ticket": MARKUP, "resolved": {"sample": SAMPLE}},
        coverage={"since": "2026-11-22T09:00", "until": "2026-11-22T11:00", "checks": CHECKS},
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(report((TRACE, rows, (judged(data_fresh="fail"),)), account=account))
    return path


def opened(browser: Browser, file: Path, width: int, scheme: str, *, bypass_csp: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=bypass_csp,
    )
    page = context.new_page()
    page.goto(file.as_uri())
    return page


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_axe_finds_no_fault(browser: Browser, file: Path, width: int, scheme: str) -> None:
    try:
        axe = find_module_file("axe-core/axe.min.js").read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    page = opened(browser, file, width, scheme, bypass_csp=True)
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert len(found["passes"]) > 20


def test_nothing_runs_and_nothing_is_asked_for(browser: Browser, file: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_load_state("networkidle")
    assert asked == [file.as_uri()]
    assert page.title() == f"INCOMPLETE: Evidence for {MARKUP}"


def test_markup_that_slipped_in_would_not_run(browser: Browser, file: Path, tmp_path: Path) -> None:
    slipped = tmp_path / "slipped.html"
    slipped.write_text(
        file.read_text(encoding="utf-8").replace("</main>", f"{MARKUP}</main>"), encoding="utf-8"
    )
    page = opened(browser, slipped, 1280, "light")
    page.wait_for_load_state("networkidle")
    assert page.locator("main > img").count() == 1
    assert page.title() != "owned"


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_the_page_is_never_wider_than_the_screen(
    browser: Browser, file: Path, width: int, scheme: str
) -> None:
    page = opened(browser, file, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints_on_a4_in_the_colours_of_paper(browser: Browser, file: Path) -> None:
    page = opened(browser, file, 1280, "dark")
    boxes = re.findall(rb"/MediaBox \[([^\]]+)\]", page.pdf(prefer_css_page_size=True))
    width, height = (float(number) for number in boxes[0].split()[2:])
    assert (round(width), round(height)) == (595, 842)
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
