"""The form of a weekly summary: the body of what is announced.

Instants are ISO 8601 texts in UTC with "Z", days are "2026-11-23". Every name in them is hostile: agents,
tools and owners are as the telemetry and the config files give them. Lists are bounded by what makes them.
"""

from typing import TypedDict

from functions.checks.definition import Severity


class AgentRuns(TypedDict):
    """One agent's runs of the week, weighted by sampling; `failed` of them did not succeed."""

    agent: str
    runs: int
    failed: int


class Runs(TypedDict):
    """How often agents ran. `agents`: the five busiest; `runs_before`: in the week before."""

    runs: int
    failed: int
    runs_before: int
    agents: list[AgentRuns]


class AlertCount(TypedDict):
    """What became of the alerts of one severity or check: `open` are those still active at the end."""

    name: str
    opened: int
    resolved: int
    open: int


class Alerts(TypedDict):
    """What was found.

    `opened` and `resolved`: how many alerts did so within the week, each opening counted; `open`: how many
    are active now, `unacknowledged` of them. `severities` has the four, the gravest first; `checks` those
    with any, at most ten, the gravest and most first. `findings`: findings in windows of the week.
    """

    findings: int
    opened: int
    resolved: int
    open: int
    unacknowledged: int
    severities: list[AlertCount]
    checks: list[AlertCount]


class AgentCost(TypedDict):
    """What one agent's model calls cost; `agent` null: calls that don't say. `before`: in the week before."""

    agent: str | None
    cost: float
    before: float | None


class Cost(TypedDict):
    """What model calls cost, in `currency`, hours of provisioned deployments included.

    `before`: in the week before, null where that is not known. `without_cost`: at least that share of the
    calls lacks usage or price, so that the cost is too low; null where there are no calls. `agents`: the five
    costliest.
    """

    currency: str
    cost: float
    before: float | None
    calls: int
    without_cost: float | None
    agents: list[AgentCost]


class Loss(TypedDict):
    """What was paid in vain: `kind` is retries, duplicate_retrievals or context_bloat."""

    kind: str
    agent: str | None
    tool: str | None
    times: int
    lost: float


class Waste(TypedDict):
    """What was paid in vain, in `currency`; a call may be in several kinds. `top`: the five dearest."""

    currency: str
    retries: float
    duplicate_retrievals: float
    context_bloat: float
    top: list[Loss]


class CheckCoverage(TypedDict):
    """What one check has seen of the week.

    `share`: the judged part of the time, 0 to 1; null: it was never evaluated, or its record can't be read.
    `gaps`: stretches not judged, `gap_minutes` in all. `blind_windows` of `windows` with result rows had none
    that could be judged. `late_rows` came too late for their window.
    """

    check: str
    share: float | None
    gaps: int
    gap_minutes: int
    windows: int
    blind_windows: int
    late_rows: int


class Coverage(TypedDict):
    """How much was seen.

    `complete` of all `total` checks judged the whole week. `checks`: the others and those with blind windows
    or late rows, at most ten, the worst first.
    """

    total: int
    complete: int
    checks: list[CheckCoverage]


class Review(TypedDict):
    """An agent's entry that its owner has not looked at in time."""

    agent: str
    owner: str
    review_by: str
    days: int


class Reviews(TypedDict):
    """How many reviews are overdue, and the five that are it for longest."""

    overdue: int
    top: list[Review]


class Holds(TypedDict):
    """How many alerts' traces were kept as they opened, and how many were not since a day had too many."""

    held: int
    over_cap: int


class Undelivered(TypedDict):
    """News that one destination refused or did not take within a day."""

    destination: str
    count: int


class Unknown(TypedDict):
    """A part that is null above or lacks something, and why, as a sentence in our own words."""

    part: str
    why: str


class Week(TypedDict):
    """The body of a weekly summary.

    Attributes:
        start: The first instant, a midnight in `zone`.
        end: The instant after the last, likewise, a week later.
        zone: IANA time zone.
        missed_weeks: Weeks before this one for which no summary was made, since nothing ran.
        runs: How often agents ran.
        alerts: What was found.
        cost: What model calls cost.
        waste: What of it was in vain.
        coverage: How much was seen.
        reviews: Which entries of agents.yaml nobody looked at.
        holds: Whose evidence was kept.
        undelivered: News that never came through, a destination each, at most ten.
        unknown: The parts that are null or lack something.
    """

    start: str
    end: str
    zone: str
    missed_weeks: int
    runs: Runs | None
    alerts: Alerts | None
    cost: Cost | None
    waste: Waste | None
    coverage: Coverage | None
    reviews: Reviews | None
    holds: Holds | None
    undelivered: list[Undelivered] | None
    unknown: list[Unknown]


SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
"""In the order of `Alerts.severities`."""
