"""Which traces a request may ask for: the selectors as values, as they are stored and as they are shown.

What a requester gives to find a person's traces by (a conversation, a tenant, a case) is personal. It is
stored only for as long as the job needs it; whatever anybody is shown holds the pseudonym of exports.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Given:
    """A value that a requester gave, and what stands for it wherever it is shown.

    Attributes:
        value: As the telemetry has it; "" once the job no longer needs it.
        shown: A pseudonym, or the value itself where the redaction policy keeps such values.
    """

    value: str = field(repr=False)
    shown: str

    @property
    def in_clear(self) -> bool:
        """Whether the value itself is shown."""
        return self.value == self.shown

    def stored(self) -> dict[str, str]:
        """Return it as a JSON object."""
        return {"value": self.value, "shown": self.shown}

    def forgotten(self) -> "Given":
        """Return it without what only the job needs."""
        return self if self.in_clear else replace(self, value="")


@dataclass(frozen=True, slots=True)
class TraceIds:
    """These traces; 32 lower-case hex digits each, sorted, at least one."""

    trace_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertTraces:
    """The traces that an alert names."""

    alert_id: str
    trace_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """All traces of one conversation within the retention."""

    conversation: Given


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """All traces with a row in [start, end), UTC, that fits every filter given.

    Attributes:
        start: UTC.
        end: UTC, exclusive.
        agent: The agent's own name, whatever name its spans were sent with.
        release: AppVersion.
        tenant: The customer an agent worked for.
        dimensions: Dimension of the business, as agents.yaml names it, to the value it must have.
    """

    start: datetime
    end: datetime
    agent: str | None = None
    release: str | None = None
    tenant: Given | None = None
    dimensions: Mapping[str, Given] = field(default_factory=dict)

    @property
    def filtered(self) -> bool:
        """Whether anything but the time decides."""
        return bool(self.agent or self.release or self.tenant or self.dimensions)


@dataclass(frozen=True, slots=True)
class Sample:
    """Some runs of a population, drawn by a seed that nobody chooses.

    Attributes:
        population: The runs that began in the window and fit its filters.
        size: How many runs are drawn in all.
        stratum: agent, release, day or a dimension, each of whose values gets its share; None: no strata.
    """

    population: TimeWindow
    size: int
    stratum: str | None = None


@dataclass(frozen=True, slots=True)
class Cases:
    """The traces of these cases, in the order in which they were asked for."""

    cases: tuple[Given, ...]


_Write = Callable[[Given], object]

Selector = TraceIds | AlertTraces | Conversation | TimeWindow | Sample | Cases


def forgotten(selector: Selector) -> Selector:
    """Return the selector without what only the job needs."""
    match selector:
        case Conversation(conversation):
            return Conversation(conversation.forgotten())
        case TimeWindow():
            return _forgotten_window(selector)
        case Sample(population):
            return replace(selector, population=_forgotten_window(population))
        case Cases(cases):
            return Cases(tuple(case.forgotten() for case in cases))
        case _:
            return selector


def shown_selector(selector: Selector) -> dict[str, Any]:
    """Return the selector as anybody may read it, in the shape of a request."""
    return _body(selector, lambda given: given.shown)


def stored_selector(selector: Selector) -> dict[str, Any]:
    """Return the selector as it is stored; `read_selector` reads it back."""
    return _body(selector, Given.stored)


def read_selector(body: Mapping[str, Any]) -> Selector:
    """Read what `stored_selector` gave, after its way through JSON.

    Raises:
        KeyError, TypeError, ValueError: It is something else.
    """
    match body:
        case {"alert_id": str(alert_id), "trace_ids": trace_ids}:
            return AlertTraces(alert_id, tuple(trace_ids))
        case {"trace_ids": trace_ids}:
            return TraceIds(tuple(trace_ids))
        case {"conversation_id": given}:
            return Conversation(Given(**given))
        case {"window": window}:
            return _read_window(window)
        case {"sample": sample}:
            return Sample(_read_window(sample), sample["size"], sample["stratum"])
        case {"cases": cases}:
            return Cases(tuple(Given(**case) for case in cases))
        case _:
            message = "no selector"
            raise ValueError(message)


def words_of(selector: Selector) -> Iterator[tuple[str, str]]:
    """Yield what a requester wrote that will be shown as it is, by the name of its field."""
    match selector:
        case TimeWindow() as window:
            yield from _words_of_window(window, "selector.window")
        case Sample(window):
            yield from _words_of_window(window, "selector.sample")
        case _:
            return


def _words_of_window(window: TimeWindow, field_: str) -> Iterator[tuple[str, str]]:
    yield f"{field_}.agent", window.agent or ""
    yield f"{field_}.release", window.release or ""
    for name, given in window.dimensions.items():
        if given.in_clear:
            yield f"{field_}.dimensions.{name}", given.value


def _forgotten_window(window: TimeWindow) -> TimeWindow:
    return replace(
        window,
        tenant=window.tenant and window.tenant.forgotten(),
        dimensions={name: given.forgotten() for name, given in window.dimensions.items()},
    )


def _body(selector: Selector, write: _Write) -> dict[str, Any]:
    match selector:
        case TraceIds(trace_ids):
            return {"trace_ids": list(trace_ids)}
        case AlertTraces(alert_id, trace_ids):
            return {"alert_id": alert_id, "trace_ids": list(trace_ids)}
        case Conversation(conversation):
            return {"conversation_id": write(conversation)}
        case TimeWindow():
            return {"window": _window_body(selector, write)}
        case Sample(population, size, stratum):
            return {"sample": _window_body(population, write) | {"size": size, "stratum": stratum}}
        case Cases(cases):
            return {"cases": [write(case) for case in cases]}


def _window_body(window: TimeWindow, write: _Write) -> dict[str, Any]:
    filters = {
        "agent": window.agent,
        "release": window.release,
        "tenant": window.tenant and write(window.tenant),
        "dimensions": {name: write(given) for name, given in window.dimensions.items()} or None,
    }
    bounds = {"start": _iso(window.start), "end": _iso(window.end)}
    return bounds | {name: value for name, value in filters.items() if value is not None}


def _read_window(body: Mapping[str, Any]) -> TimeWindow:
    tenant = body.get("tenant")
    return TimeWindow(
        start=datetime.fromisoformat(body["start"]).astimezone(UTC),
        end=datetime.fromisoformat(body["end"]).astimezone(UTC),
        agent=body.get("agent"),
        release=body.get("release"),
        tenant=Given(**tenant) if tenant else None,
        dimensions={name: Given(**given) for name, given in body.get("dimensions", {}).items()},
    )


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
