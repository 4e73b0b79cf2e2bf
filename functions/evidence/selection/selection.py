"""Decides what an export request may ask for: one selector, one profile, a reason and a ticket."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from functions.access.scope import EVERYTHING, Scope, stored_scope
from functions.errors import InvalidRequest
from functions.evidence.selection.request_fields import (
    fields_of,
    instant_of,
    invalid,
    line_of,
    name_of,
    parse_reason,
    parse_trace_id,
    well_formed,
)
from functions.evidence.selection.selectors import (
    AlertTraces,
    Cases,
    Conversation,
    Given,
    Sample,
    Selector,
    TimeWindow,
    TraceIds,
    forgotten,
    read_selector,
    shown_selector,
    stored_selector,
    words_of,
)

__all__ = [
    "AlertTraces",
    "Cases",
    "Conversation",
    "Sample",
    "Selection",
    "Selector",
    "TimeWindow",
    "TraceIds",
    "parse_reason",
    "parse_selection",
    "parse_trace_id",
    "stored_selection",
    "well_formed",
]

MAX_TRACE_IDS = 1_000
MAX_CASES = 1_000
MAX_SAMPLE = 1_000
MAX_WINDOW = timedelta(days=31)
PROFILES = ("metadata", "content")
STRATA = ("agent", "release", "day")
"""What a sample can be divided by, beside the dimensions of agents.yaml."""

CONVERSATION, TENANT = "conversation", "tenant"
"""The domains of their pseudonyms; config/redaction.yaml puts them into exports under the same."""

REQUEST_FIELDS = frozenset({"selector", "profile", "reason", "ticket"})
_SELECTORS = frozenset({"trace_ids", "window", "alert_id", "conversation_id", "sample", "cases"})
_BOUNDS = frozenset({"start", "end"})
_FILTERS = frozenset({"agent", "release", "tenant", "dimensions"})
_ALERT_ID = re.compile(r"[0-9a-f]{16}")
_TICKET = re.compile(r"[\w ./:#-]{1,100}")
_LONGEST_ID = 256

ResolveAlert = Callable[[str], Sequence[str]]
"""Alert id to its trace ids; raises NotFound where there is no such alert."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What people can ask by here, beside what they can ask by everywhere.

    Attributes:
        pseudonym: Domain and identifier to what stands for it in exports; None: nothing personal is taken.
        dimensions: Dimension of agents.yaml to the domain of its values' pseudonyms; None: they are shown.
        case_domain: The domain of the pseudonyms of case numbers; None: no attribute holds case numbers.
        profiles: The profiles that can be asked for.
    """

    pseudonym: Callable[[str, str], str] | None = None
    dimensions: Mapping[str, str | None] = field(default_factory=dict)
    case_domain: str | None = None
    profiles: tuple[str, ...] = PROFILES[:1]


@dataclass(frozen=True, slots=True)
class Selection:
    """A valid request for an export.

    Attributes:
        selector: Which traces.
        profile: How much the bundle shows; one of `PROFILES`.
        reason: Why the requester needs it, in their words.
        ticket: Where the need is recorded, in the requester's system.
        scope: How far the requester's role reached when they asked: no trace beyond it is exported.
    """

    selector: Selector
    profile: str
    reason: str
    ticket: str
    scope: Scope = EVERYTHING

    def body(self) -> dict[str, Any]:
        """Return it as anybody may read it, in the shape of a request.

        An alert's trace ids stand beside its id, and pseudonyms in place of what is personal. Of a limit of
        the requester's role the agents are named, and the tenants counted.
        """
        agents, tenants = self.scope.agents, self.scope.tenants
        limit = {
            "agents": None if agents is None else sorted(agents),
            "tenants": None if tenants is None else len(tenants),
        }
        limited = {} if self.scope.unlimited else {"limited_to": limit}
        return {"selector": shown_selector(self.selector), **self._rest(), **limited}

    def stored(self) -> dict[str, Any]:
        """Return it as it is stored: `stored_selection` reads it back. Not to be shown."""
        scope = {"scope": self.scope.body()}
        return {"selector": stored_selector(self.selector), **self._rest(), **scope}

    def forgotten(self) -> "Selection":
        """Return it without what only the job needs, for when the job is over."""
        return replace(self, selector=forgotten(self.selector))

    def words(self) -> Iterator[tuple[str, str]]:
        """Yield what the requester wrote that will be shown as it is, by the name of its field."""
        yield "reason", self.reason
        yield "ticket", self.ticket
        yield from words_of(self.selector)

    def _rest(self) -> dict[str, Any]:
        return {"profile": self.profile, "reason": self.reason, "ticket": self.ticket}


def parse_selection(
    body: object, *, resolve_alert: ResolveAlert, asking: Asking | None = None, scope: Scope = EVERYTHING
) -> Selection:
    """Read the JSON body of a request.

    Args:
        body: `{"selector": SELECTOR, "profile": str, "reason": str, "ticket": str}`, where SELECTOR is one of
            `{"trace_ids": [str]}`, `{"alert_id": str}`, `{"conversation_id": str}`, `{"window": WINDOW}`,
            `{"sample": WINDOW + {"size": int[, "stratum": str]}}`, `{"cases": [str]}`, and WINDOW is
            `{"start", "end"[, "agent", "release", "tenant", "dimensions": {str: str}]}`.
        resolve_alert: Finds the traces of an alert.
        asking: What people can ask by here.
        scope: How far the requester's role reaches.

    Raises:
        InvalidRequest: Names the field and the rule it breaks, never the value.
        NotFound: There is no such alert.
    """
    asking = asking or Asking()
    fields = fields_of(body, "body", REQUEST_FIELDS)
    if fields["profile"] not in asking.profiles:
        raise invalid("profile", f"must be one of: {', '.join(asking.profiles)}")
    return Selection(
        selector=_selector(fields["selector"], resolve_alert, asking),
        profile=fields["profile"],
        reason=parse_reason(fields["reason"]),
        ticket=line_of(fields["ticket"], "ticket", _TICKET),
        scope=scope,
    )


def stored_selection(body: Mapping[str, Any]) -> Selection:
    """Read back what `Selection.stored` gave; an alert's traces stay those of the day it was asked for."""
    return Selection(
        selector=read_selector(body["selector"]),
        profile=body["profile"],
        reason=body["reason"],
        ticket=body["ticket"],
        scope=stored_scope(body.get("scope")),
    )


def _selector(value: object, resolve_alert: ResolveAlert, asking: Asking) -> Selector:
    fields = fields_of(value, "selector", optional=_SELECTORS)
    if len(fields) != 1:
        raise invalid("selector", f"must hold exactly one of: {', '.join(sorted(_SELECTORS))}")
    kind, given = next(iter(fields.items()))
    match kind:
        case "trace_ids":
            return TraceIds(_trace_ids(given))
        case "window":
            return _window(fields_of(given, "selector.window", _BOUNDS, _FILTERS), "selector.window", asking)
        case "sample":
            return _sample(given, asking)
        case "conversation_id":
            return Conversation(_given(given, "selector.conversation_id", CONVERSATION, asking))
        case "cases":
            return _cases(given, asking)
        case _:
            return _alert(given, resolve_alert)


def _alert(alert_id: object, resolve_alert: ResolveAlert) -> AlertTraces:
    if not isinstance(alert_id, str) or not _ALERT_ID.fullmatch(alert_id):
        raise invalid("selector.alert_id", "must be 16 lower-case hex digits")
    trace_ids = sorted(set(well_formed(resolve_alert(alert_id))))
    if not trace_ids:
        raise invalid("selector.alert_id", "names an alert without traces")
    return AlertTraces(alert_id, tuple(trace_ids))


def _trace_ids(value: object) -> tuple[str, ...]:
    field = "selector.trace_ids"
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_TRACE_IDS:
        raise invalid(field, f"must be a list of 1 to {MAX_TRACE_IDS} trace ids")
    return tuple(sorted({parse_trace_id(item, field) for item in value}))


def _sample(value: object, asking: Asking) -> Sample:
    field = "selector.sample"
    if isinstance(value, dict) and "seed" in value:
        raise InvalidRequest(
            f"The field {field}.seed must not be given: nobody chooses which runs are drawn.",
            next_step="Leave it out: the seed is made of the export's id and the ledger; the bundle has it.",
        )
    fields = fields_of(value, field, _BOUNDS | {"size"}, _FILTERS | {"stratum"})
    size, stratum = fields["size"], fields.get("stratum")
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_SAMPLE:
        raise invalid(f"{field}.size", f"must be a whole number from 1 to {MAX_SAMPLE}")
    strata = (*STRATA, *asking.dimensions)
    if stratum is not None and stratum not in strata:
        raise invalid(f"{field}.stratum", f"must be one of: {', '.join(strata)}")
    return Sample(_window(fields, field, asking), size, stratum)


def _cases(value: object, asking: Asking) -> Cases:
    field = "selector.cases"
    if asking.case_domain is None:
        raise InvalidRequest(
            f"The field {field} can't be answered: no attribute is configured that holds case numbers.",
            next_step="Name it under case_attribute in config/exports.yaml, or ask another way.",
        )
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_CASES:
        raise invalid(field, f"must be a list of 1 to {MAX_CASES} case numbers")
    cases = tuple(_given(case, field, asking.case_domain, asking) for case in value)
    if len({case.value for case in cases}) < len(cases):
        raise invalid(field, "must not hold a case number twice: the answer names each by its place")
    return Cases(cases)


def _window(fields: Mapping[str, Any], field: str, asking: Asking) -> TimeWindow:
    start, end = (instant_of(fields[name], f"{field}.{name}") for name in ("start", "end"))
    if start >= end:
        raise invalid(field, "must start before it ends")
    if end - start > MAX_WINDOW:
        raise invalid(field, f"must be at most {MAX_WINDOW.days} days long")
    agent, release = (name_of(fields.get(name), f"{field}.{name}") for name in ("agent", "release"))
    tenant = fields.get("tenant")
    return TimeWindow(
        start,
        end,
        agent,
        release,
        tenant=None if tenant is None else _given(tenant, f"{field}.tenant", TENANT, asking),
        dimensions=_dimensions(fields.get("dimensions", {}), f"{field}.dimensions", asking),
    )


def _dimensions(value: object, field: str, asking: Asking) -> dict[str, Given]:
    dimensions = fields_of(value, field, optional=frozenset(asking.dimensions))
    return {
        name: _given(one, f"{field}.{name}", asking.dimensions[name], asking)
        for name, one in sorted(dimensions.items())
    }


def _given(value: object, field: str, domain: str | None, asking: Asking) -> Given:
    """Return an identifier with what stands for it in the domain; None: it is shown as it is."""
    if domain is None:
        name = name_of(value, field) or ""
        return Given(name, name)
    if asking.pseudonym is None:
        raise invalid(field, "can't be asked for here")
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_ID or not value.isprintable():
        raise invalid(field, f"must be 1 to {_LONGEST_ID} printable characters")
    return Given(value, asking.pseudonym(domain, value))
