"""What every test in a browser stands on: Chromium, and the whole service."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from local.render_card import find_browser
from local.stack import Stack

expect.set_options(timeout=30_000)  # ms; a shared machine may be slow


@pytest.fixture(scope="module")  # while Playwright runs, no other test of the process could start it
def browser() -> Iterator[Browser]:
    try:
        path = find_browser()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        running.start_host()
        yield running
