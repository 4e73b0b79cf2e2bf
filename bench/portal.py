"""What the page of a trace takes in the browser, from the service's answer to the painted waterfall.

    python -m bench.portal [--smoke]

The whole service runs on this machine, the traces are in its Azure Monitor, Chromium is signed in. For 50,
500 and 5,000 spans, the fastest of three times:

- painted: from the end of the answer (Resource Timing's responseEnd) until two frames after the waterfall has
  its rows, so that parsing, reading and drawing are in it;
- all: from the start of the navigation, so that the service's own work is in it, most of which is the local
  engine's that stands in for Kusto;
- scroll: the longest frame while the waterfall is scrolled from end to end in 120 steps, beside an empty box
  of the same size, whose frames are the machine's own.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser

from bench.figures import Figure, Growth, Part, Peer, Progress, Scale, at_most, not_measured
from bench.long_trace import long_trace
from bench.measuring import main
from local.render_card import browser as chromium
from local.stack import Stack

SIZES = (50, 500, 5_000)
SMOKE = (50,)
TIMES = 3
LIMIT_SECONDS = 1.5
LIMIT_FRAME_MS = 50.0
"""A frame beyond it is a "long task", which people notice: https://w3c.github.io/longtasks/."""

_WHO = "auditor"

# Runs before the page's own scripts: the first moment at which the waterfall has rows, then two frames.
_WATCH = """
window.painted = new Promise((tell) => {
  new MutationObserver((_, observer) => {
    if (document.querySelector("[role=treegrid] [aria-level]")) {
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => tell(performance.now())));
    }
  }).observe(document, { childList: true, subtree: true });
});
"""
_TIMES = """async () => {
  const painted = await window.painted;
  const asked = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/v1/traces/"));
  const { responseEnd, decodedBodySize } = asked.at(-1);
  return { painted, answered: responseEnd, bytes: decodedBodySize };
}"""
_SCROLL = """async (scrolled) => {
  const grid = document.querySelector(scrolled);
  const frame = () => new Promise(requestAnimationFrame);
  const far = grid.scrollHeight - grid.clientHeight;
  const times = [await frame()];
  for (let step = 1; step <= 120; step += 1) {
    grid.scrollTop = far * step / 120;
    times.push(await frame());
  }
  return Math.max(...times.slice(1).map((at, index) => at - times[index]));
}"""

_BARE = '<div style="height: 700px; overflow: auto"><p style="height: 160000px"></p></div>'


def measure(progress: Progress, scale: Scale = Scale.USUAL) -> Sequence[Figure]:
    """Measure all sizes in one browser; what is missing here is said in place of the figures."""
    sizes = SMOKE if scale is Scale.SMOKE else SIZES
    try:
        with TemporaryDirectory() as folder, Stack(Path(folder)) as stack, chromium() as browser:
            _fill(stack, sizes)
            stack.start_host()
            measured = {size: _measure(stack, browser, size, progress) for size in sizes}
    except FileNotFoundError as missing:
        return [not_measured(Part.PORTAL, _PAINTED, "s", str(missing), at_most(LIMIT_SECONDS))]
    return _figures(measured)


_PAINTED = "a trace of 5,000 spans, from its answer to painted"


def _figures(measured: Mapping[int, Mapping[str, float]]) -> list[Figure]:
    largest = max(measured)

    def growth(name: str) -> Growth:
        return Growth("spans", {size: times[name] for size, times in measured.items()})

    named = _PAINTED.replace("5,000", f"{largest:,}")
    one = measured[largest]
    size = f"the answer has {one['bytes'] / 1e6:.1f} MB"
    return [
        Figure(
            Part.PORTAL, named, one["painted"], "s", None, at_most(LIMIT_SECONDS), growth("painted"), size
        ),
        Figure(
            Part.PORTAL,
            f"a trace of {largest:,} spans, from navigation to painted",
            one["all"],
            "s",
            growth=growth("all"),
            note="most of it is the local engine's, which stands in for Kusto",
        ),
        Figure(
            Part.PORTAL,
            f"a trace of {largest:,} spans, longest frame of scrolling through it",
            one["frame"],
            "ms",
            Peer("an empty box", one["bare"]),
            at_most(LIMIT_FRAME_MS),
            growth("frame"),
        ),
    ]


def _id(spans: int) -> str:
    return f"be{spans:030x}"


def _fill(stack: Stack, sizes: Sequence[int]) -> None:
    for spans in sizes:
        start = datetime.now(UTC) - timedelta(hours=2)
        stack.telemetry.ingest(long_trace(_id(spans), spans, start), delay=timedelta(seconds=1))


def _measure(stack: Stack, browser: Browser, spans: int, progress: Progress) -> Mapping[str, float]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, ignore_https_errors=True)
    context.request.post(f"{stack.host_url}/.auth/login/aad", form={"user": _WHO})
    page = context.new_page()
    page.add_init_script(_WATCH)
    page.goto(f"{stack.host_url}/portal?view=trace&trace={_id(spans)}")
    page.get_by_label("Ticket").fill("BENCH-1")
    page.get_by_role("button", name="Read the trace").click()
    runs: list[Mapping[str, Any]] = []
    for number in range(TIMES + 1):  # the first fills the browser's caches, and is not counted
        times = page.evaluate(_TIMES)
        run = {
            "painted": (times["painted"] - times["answered"]) / 1e3,
            "all": times["painted"] / 1e3,
            "frame": page.evaluate(_SCROLL, "[role=treegrid]"),
            "bytes": times["bytes"],
        }
        progress(f"portal: {spans:,} spans painted {run['painted']:.3f} s after the answer")
        if number:
            runs.append(run)
        if number < TIMES:
            page.reload()
    page.goto("about:blank")
    page.set_content(_BARE)
    bare = min(page.evaluate(_SCROLL, "div") for _ in range(TIMES))
    context.close()
    return {name: min(run[name] for run in runs) for name in runs[0]} | {"bare": bare}


if __name__ == "__main__":
    sys.exit(main(measure))
