"""Makes the pictures of the service at work: the portal's pages, and the report of a bundle."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import unpack_archive
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from local.images.camera import View, picture
from local.images.planted import AGENT
from local.images.scene import Scene, scene

NAMES = (
    "portal/access.png",  # before others write into the ledger that they looked
    "portal/overview.png",
    "portal/overview-dark.png",
    "portal/alerts.png",
    "portal/alert.png",
    "portal/alert-phone.png",
    "portal/trace.png",
    "portal/exports.png",
    "portal/costs.png",
    "report.png",
    "report-trace.png",
)

_CONTROLS = "[aria-label='Runs by control and result']"
_RETRIED = f"article:has-text('agent: {AGENT};'):has-text('retry')"


def pictures(browser: Browser) -> Iterator[tuple[str, bytes]]:
    """Yield each picture with its name."""
    with TemporaryDirectory() as made, scene(Path(made)) as its:
        views = _views(its, _report(its, Path(made)))
        for name in NAMES:
            yield name, picture(browser, views[name])


def _views(its: Scene, report: str) -> Mapping[str, View]:
    def portal(query: str, user: str, **more: int | str) -> View:
        return View(f"{its.url}/portal?{query}", user=user, **more)  # type: ignore[arg-type]  # as View has them

    alert = f"alert={its.alerts['tool_failures']}"
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    costs = f"view=costs&by=agent&start={tomorrow - timedelta(days=7)}&end={tomorrow}"
    trace = View(f"{its.url}/portal?view=trace&trace={its.trace}", user="auditor", prepare=_name_ticket)
    return {
        "portal/overview.png": portal("view=overview", "engineer"),
        "portal/overview-dark.png": portal("view=overview", "engineer", scheme="dark"),
        "portal/alerts.png": portal("view=alerts", "operator"),
        "portal/alert.png": portal(alert, "operator"),
        "portal/alert-phone.png": portal(alert, "operator", width=360, height=780),
        "portal/trace.png": trace,
        "portal/exports.png": portal("view=exports", "auditor"),
        "portal/costs.png": portal(costs, "finops"),
        "portal/access.png": portal("view=access", "officer"),
        "report.png": View(report, width=1000, until=_CONTROLS),
        "report-trace.png": View(report, width=1000, part=_RETRIED),
    }


def _name_ticket(page: Page) -> None:
    page.get_by_label("Ticket").fill("CASE-17")
    page.get_by_role("button", name="Read the trace").click()


def _report(its: Scene, folder: Path) -> str:
    unpack_archive(its.bundle, folder / "bundle")
    return next((folder / "bundle").rglob("report.html")).as_uri()
