"""Decides what has to be told of an alert: how it differs from what was last announced of it. Pure.

Nothing here compares the alert with what it was a moment ago. So news that could not be told yet, since a
silence held it back or a tick was lost, is told by the next look.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.alerts.alert import Alert, Announced, Notice, NoticeKind, Told, snapshot
from functions.alerts.circumstances import Circumstances
from functions.alerts.routing import destinations_for, escalation_for
from functions.alerts.rules import AlertRules, Flapping
from functions.checks.definition import CheckDefinition

GRADED = frozenset({"above", "below", "spike", "change", "budget"})
"""Conditions whose value says how bad it is: what is absent or silent only grows older; `any` has none."""


@dataclass(frozen=True, slots=True)
class Said:
    """An alert after it was looked at for news.

    Attributes:
        alert: With what is announced of it now, and what keeps it quiet.
        notice: What has to be told; None for nothing.
        withheld: Whether there was something to tell that a silence or an inhibition keeps back.
    """

    alert: Alert
    notice: Notice | None = None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class _News:
    kind: NoticeKind
    earlier: int
    destinations: tuple[str, ...]


def tell(alert: Alert, check: CheckDefinition, circumstances: Circumstances) -> Said:
    """Return what has to be told of an alert of `check` now, if anything, and the alert with that noted.

    What keeps an alert quiet keeps back all but the end of what people were told of. Where an alert is over
    before anybody was told, that is not made up for: the report of what was hidden tells of it.
    """
    alert = _calmed(alert, circumstances)
    if alert.active:
        quieted = circumstances.quieted(alert)
        lifted = bool(alert.quieted_by) and not quieted
        news = _news_of_open(alert, check, circumstances, lifted=lifted)
    else:
        news = _news_of_over(alert, circumstances)
        quieted = circumstances.quieted(alert) if news else ()
    if quieted != alert.quieted_by:
        alert = replace(alert, quieted_by=quieted)
    if news is None:
        return Said(alert)
    if quieted and news.kind != "resolved":
        if news.kind == "passed":
            over = Announced(alert.episode, over=True, worst=alert.worst, since=circumstances.now)
            alert = replace(alert, announced=over)
        return Said(alert, withheld=True)
    return _noted(alert, news, circumstances)


def _news_of_open(
    alert: Alert, check: CheckDefinition, circumstances: Circumstances, *, lifted: bool
) -> _News | None:
    rules, announced = circumstances.rules, alert.announced
    if announced is None:
        return _News("opened", alert.episode - 1, destinations_for(alert, rules))
    untold = alert.episode - announced.episode
    if untold and not _folds(announced, rules):
        known = alert.noticed_at is not None  # else all that was announced of it was left to a report
        return _News("reopened" if known else "opened", untold - 1, destinations_for(alert, rules))
    if _worsened(alert, announced, check, rules):
        return _News("worsened", untold, destinations_for(alert, rules))
    if alert.state == "acknowledged":
        return None
    to_repeat = _unheard(alert, announced, circumstances, at_once=lifted)
    if not (lifted and to_repeat):
        further = _escalation(alert, announced, circumstances)
        if further:
            return _News("escalated", untold, further)
    return _News("repeated", untold, to_repeat) if to_repeat else None


def _news_of_over(alert: Alert, circumstances: Circumstances) -> _News | None:
    if alert.resolved_at is None:  # pending: it was never open
        return None
    rules, announced = circumstances.rules, alert.announced
    untold = alert.episode - (announced.episode if announced else 0)
    if announced is None or announced.over:
        return _News("passed", untold - 1, destinations_for(alert, rules)) if untold else None
    flapping = _folds(announced, rules)
    if flapping and circumstances.now - alert.resolved_at < flapping.within:
        return None
    return _News("resolved", untold, _all_who_know(alert, circumstances))


def _noted(alert: Alert, news: _News, circumstances: Circumstances) -> Said:
    rules, now, before = circumstances.rules, circumstances.now, alert.announced
    begins = news.kind in {"opened", "reopened", "passed"}
    openings = _recent(alert, rules.flapping)
    flaps = rules.flapping is not None and len(openings) >= rules.flapping.openings
    announced = Announced(
        episode=alert.episode,
        over=news.kind in {"resolved", "passed"},
        # Those who are told further hear of it apart: the others still have to hear how much worse it is.
        worst=before.worst if before and news.kind == "escalated" else alert.worst,
        since=now if begins or before is None else before.since,
        flapping=flaps if begins or before is None else before.flapping,
    )
    alert = replace(
        alert,
        notices=alert.notices + 1,
        noticed_at=now,
        announced=announced,
        escalated_at=now if news.kind == "escalated" else alert.escalated_at,
        made=(
            *(one for one in alert.made if one.destination not in news.destinations),
            *(Told(name, news.kind, alert.episode, now) for name in news.destinations),
        ),
    )
    shown = replace(snapshot(alert), openings=openings if announced.flapping else ())
    return Said(alert, Notice(shown, news.kind, alert.notices, news.earlier, now, news.destinations))


def _calmed(alert: Alert, circumstances: Circumstances) -> Alert:
    """Let an alert that stays open flap no longer; as it is known to be open, nothing has to be told."""
    announced = alert.announced
    flapping = _folds(announced, circumstances.rules)
    if not alert.active or announced is None or not flapping:
        return alert
    if circumstances.now - alert.opened_at < flapping.within:
        return alert
    return replace(alert, announced=replace(announced, episode=alert.episode, flapping=False))


def _folds(announced: Announced | None, rules: AlertRules) -> Flapping | None:
    """Return the rule by which what was announced stands for further episodes, until it is calm."""
    folds = announced is not None and announced.flapping and not announced.over
    return rules.flapping if folds else None


def _recent(alert: Alert, flapping: Flapping | None) -> tuple[datetime, ...]:
    """Return when those of its episodes began that count as flapping together with the latest."""
    if flapping is None:
        return ()
    return tuple(at for at in alert.openings if alert.openings[-1] - at < flapping.within)


def _worsened(alert: Alert, announced: Announced, check: CheckDefinition, rules: AlertRules) -> bool:
    if check.condition.kind not in GRADED or announced.worst <= 0:
        return False
    if check.condition.kind == "below":
        return alert.worst * rules.worsened_by <= announced.worst
    return alert.worst >= announced.worst * rules.worsened_by


def _escalation(alert: Alert, announced: Announced, circumstances: Circumstances) -> tuple[str, ...]:
    times = (route.escalate_after for route in circumstances.rules.routes)
    soonest = min((after for after in times if after is not None), default=None)
    # Which route takes it is asked only where one could want that: at each tick it would be dear.
    if soonest is None or alert.escalated_at or not _is_past(announced.since, soonest, circumstances.now):
        return ()
    after, destinations = escalation_for(alert, circumstances.rules) or (soonest, ())
    return destinations if _is_past(announced.since, after, circumstances.now) else ()


def _unheard(
    alert: Alert, announced: Announced, circumstances: Circumstances, *, at_once: bool
) -> tuple[str, ...]:
    """Return which destinations have to be told again.

    For each the interval must lie behind both what it last accepted and what was last made for it: what it
    refuses is made again no sooner than what it accepts. An alert noticed before this was kept has neither.
    """
    after, now = circumstances.rules.repeat_after, circumstances.now
    ever = (*alert.told, *alert.made)
    if not at_once and not any(_is_past(at, after, now) for at in (alert.noticed_at, *(o.at for o in ever))):
        return ()
    known: dict[str, list[datetime | None]] = {}
    for one in ever:
        if one.episode >= announced.episode:
            known.setdefault(one.destination, []).append(one.at)
    return tuple(
        name
        for name in destinations_for(alert, circumstances.rules)
        if (alert.id, name) not in circumstances.waiting
        and (at_once or all(_is_past(at, after, now) for at in known.get(name, [alert.noticed_at])))
    )


def _is_past(since: datetime | None, after: timedelta, now: datetime) -> bool:
    """Return whether so much time lies between; a clock that was set back must not make for silence."""
    return since is None or abs(now - since) >= after


def _all_who_know(alert: Alert, circumstances: Circumstances) -> tuple[str, ...]:
    """Return who has to hear that it is over: who is told of such an alert, and all who think it open."""
    rules = circumstances.rules
    think_it_open = {one.destination for one in alert.told if one.kind not in {"resolved", "passed"}}
    think_it_open |= {name for about, name in circumstances.waiting if about == alert.id}
    configured: Iterable[str] = (rule.name for rule in rules.destinations)
    further = (name for name in configured if name in think_it_open)
    return tuple(dict.fromkeys((*destinations_for(alert, rules), *further)))
