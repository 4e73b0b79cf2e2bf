"""Decides whether a release or a prompt version changed between an alert's findings. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from functions.alerts.alert import RELEASES, Alert


@dataclass(frozen=True, slots=True)
class Change:
    """What an alert's latest finding says of a release or prompt version. Texts are hostile.

    Attributes:
        column: "Release" or "PromptVersion".
        now: The latest one.
        before: The one that it was found with before; None where no finding has another.
        compared: Whether there was anything before to compare with.
    """

    column: str
    now: str
    before: str | None
    compared: bool


def changes(alert: Alert) -> Iterator[Change]:
    """Yield each of RELEASES that the alert's latest finding shows.

    A check that compares releases by itself shows in "BeforeRelease" what came before.
    """
    first = alert.episode == 1 and any(one.window.start <= alert.opened_at for one in alert.findings[-1:])
    for column in RELEASES:
        now = alert.shows.get(column)
        if not now:
            continue
        stated = alert.shows.get(f"Before{column}")
        found = (finding.shows.get(column) for finding in reversed(alert.findings))
        before = stated or next((one for one in found if one and one != now), None)
        other = None if before in {None, now} else str(before)
        yield Change(column, str(now), other, compared=other is not None or not first)
