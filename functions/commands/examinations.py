"""The questions of `tracekeeper doctor`, each answered from what storage or telemetry says."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from functions.access.clock import MOST, read_clock
from functions.alerts.announcements import NAME, announcements_from_json
from functions.alerts.outbox import Outbox
from functions.alerts.reading import readable_states
from functions.alerts.state import PREFIX, CheckState
from functions.alerts.watchfulness import is_behind
from functions.canary.looking import STALE, read_sight
from functions.canary.sight import IN_TIME, WORDS
from functions.configuration import Configuration
from functions.delivery.health import OPEN_AFTER, is_left_alone
from functions.delivery.record import PREFIX as DELIVERIES
from functions.delivery.record import Record, record_from_json
from functions.errors import SourceBlind, StorageError, WatchStopped
from functions.evidence.exports.export import Export, State, stored_export
from functions.overlay.standing import standing_from_json
from functions.storage.documents import Documents
from functions.text_plot import safe
from functions.traces import kql
from functions.traces.source import TraceSource
from functions.watch.heartbeat import DOCUMENT as HEARTBEAT
from functions.watch.heartbeat import Heart

DAY = timedelta(days=1)
SILENT_AFTER = timedelta(minutes=30)
"""Marker runs are sent every five minutes: without a row for longer, nothing arrives."""
WAITS_TOO_LONG = timedelta(minutes=15)
"""A notice is tried within a minute."""
STANDS_STILL = timedelta(hours=1)
"""An export that is neither over nor waiting for a person is taken up each few minutes."""
_MOST_NAMED = 5

_TABLES = ("AppDependencies", "AppEvents", "AppExceptions", "AppRequests", "AppTraces")
_SUMMARY = """\
| extend Late = iff(Received > $recent, (Received - TimeGenerated) / 1s, real(null))
| summarize Rows = count(), Newest = max(Received), LateSeconds = percentile(Late, 95) by Table
| order by Table asc
"""


def _newest(now: datetime) -> str:
    """Ask what arrived: by table the newest row, and by how much rows of the last hour were late (p95)."""
    tables = ", ".join(
        f'({table} | project Table = "{table}", TimeGenerated, Received = ingestion_time())'
        for table in _TABLES
    )
    return f"union {tables}\n{_SUMMARY}".replace("$recent", kql.instant(now - timedelta(hours=1)))


class Answer(Enum):
    """What an examination came to."""

    OK = "OK"
    PROBLEM = "PROBLEM"
    CANT_TELL = "CAN'T TELL"


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question.

    Attributes:
        answer: Which.
        evidence: What it rests on, as sentences.
        next_step: What a person does now; "" where nothing.
    """

    answer: Answer
    evidence: str
    next_step: str = ""


def traces_arrive(source: TraceSource, now: datetime) -> Finding:
    """Say which tables rows arrive in, how old the newest is, and how late rows come. Raises SourceError."""
    records = source.query(_newest(now), since=now - DAY, until=now).records()
    rows = [(str(one["Table"]), one["Newest"], one["LateSeconds"]) for one in records]
    dated = [(table, at, late) for table, at, late in rows if isinstance(at, datetime)]
    if not dated:
        return Finding(
            Answer.PROBLEM,
            "No row arrived in any table in 24 hours.",
            "Check the agents' connection string, and the component's ingestion and daily cap.",
        )
    told = "; ".join(
        f"{table} {_ago(at, now)}"
        + (f", {_length(timedelta(seconds=float(late)))} late" if isinstance(late, int | float) else "")
        for table, at, late in dated
    )
    if now - max(at for _, at, _ in dated) > SILENT_AFTER:
        return Finding(
            Answer.PROBLEM,
            f"The newest row is too old: {told}.",
            "See whether agents run at all; then the component's ingestion and daily cap, and Azure's "
            "service health.",
        )
    late = [float(one) for _, _, one in dated if isinstance(one, int | float)]
    if late and timedelta(seconds=max(late)) > IN_TIME:
        return Finding(
            Answer.PROBLEM,
            f"Rows come late (95th percentile of the last hour): {told}.",
            "Wait: windows are swept again for late rows. If it stays so, look at Azure's service health.",
        )
    return Finding(Answer.OK, f"Newest row: {told}.")


def markers_are_seen(documents: Documents, now: datetime) -> Finding:
    """Say what the app itself can see. Raises StorageError."""
    sight = read_sight(documents)
    if sight is None or now - sight.asked_at > STALE:
        when = "never" if sight is None else _ago(sight.asked_at, now)
        return Finding(
            Answer.CANT_TELL,
            f"The app last looked for its marker runs: {when}.",
            "See whether the watch ticks, below; canaries may be off (CANARY_CONNECTION_STRING).",
        )
    told = "; ".join(f"{need}: {WORDS[one.answer]}" for need, one in sorted(sight.needs.items()))
    evidence = f"Asked {_ago(sight.asked_at, now)}: {told or 'nothing is needed'}."
    answers = {one.answer for one in sight.needs.values()}
    if "not_allowed" in answers:
        return Finding(
            Answer.PROBLEM,
            evidence,
            "Give the app's identity the role Privileged Monitoring Data Reader: it reads protected tables.",
        )
    if answers & {"late", "moved"}:
        return Finding(Answer.PROBLEM, evidence, "Checks that need it judge nothing until it is good again.")
    if "unknown" in answers:
        return Finding(Answer.CANT_TELL, evidence, "Ask again in ten minutes.")
    return Finding(Answer.OK, evidence)


def watch_ticks(documents: Documents, now: datetime) -> Finding:
    """Say when the last tick of the watch was complete. Raises StorageError."""
    try:
        Heart(documents, None, clock=lambda: now).check()
    except WatchStopped as error:
        held = documents.read(HEARTBEAT)
        last = f" The last was {_ago(_instant(held.body['completed_at']), now)}." if held else ""
        return Finding(
            Answer.PROBLEM,
            error.message + last,
            "Look for the function watch_tick in the app's log, and whether the app runs at all.",
        )
    held = documents.read(HEARTBEAT)
    body = held.body if held else {}
    counts = ", ".join(f"{count} {result}" for result, count in sorted(dict(body.get("checks", {})).items()))
    return Finding(
        Answer.OK, f"The last complete tick was {_ago(_instant(body['completed_at']), now)}: {counts}."
    )


def checks_run(documents: Documents, configuration: Configuration, now: datetime) -> Finding:
    """Say which checks fail, are blind, behind, or never ran. Raises StorageError."""
    states, unreadable = readable_states(documents)
    failing_after = configuration.alerts.report_failure_after
    faults = [f"{name.removeprefix(PREFIX)}'s record can't be read" for name in unreadable]
    for check in configuration.checks:
        if PREFIX + check.id in unreadable:
            continue
        state = states.get(PREFIX + check.id, CheckState())
        last = state.last_evaluation
        if last is None:
            faults.append(f"{check.id} was never evaluated")
        elif last.error == SourceBlind.__name__:
            faults.append(f"{check.id} is blind")
        elif state.consecutive_failures >= failing_after:
            faults.append(
                f"{check.id} failed {state.consecutive_failures} times in a row ({safe(str(last.error))})"
            )
        elif state.watermark and is_behind(check, state.watermark, now):
            faults.append(f"{check.id} is behind: judged until {_ago(state.watermark, now)}")
    if faults:
        return Finding(
            Answer.PROBLEM,
            f"{len(faults)} of {len(configuration.checks)} checks can't be relied on: {_some(faults)}.",
            "`tracekeeper coverage CHECK` says since when and why. Telemetry first: the lines above.",
        )
    marks = [state.watermark for state in states.values() if state.watermark]
    until = f"; the furthest behind is judged until {_ago(min(marks), now)}" if marks else ""
    return Finding(Answer.OK, f"All {len(configuration.checks)} checks run{until}.")


def notices_are_told(documents: Documents, now: datetime) -> Finding:
    """Say what waits in the outboxes, and what was given up. Raises StorageError."""
    states, unreadable = readable_states(documents)
    announced = documents.read(NAME)
    outboxes: list[Outbox] = [state.outbox for state in states.values()]
    outboxes += [announcements_from_json(announced.body)] if announced else []
    waiting = [entry for outbox in outboxes for entry in outbox.waiting]
    dead = [entry for outbox in outboxes for entry in outbox.refused if now - entry.notice.at < 7 * DAY]
    receipts = [receipt.accepted_at for outbox in outboxes for receipt in outbox.receipts]
    accepted = f"The last card was accepted {_ago(max(receipts), now)}" if receipts else "No card was due yet"
    told = f"{accepted}; {len(waiting)} wait, {len(dead)} were given up in 7 days"
    if dead:
        return Finding(
            Answer.PROBLEM,
            f"{told}: dead letters for {_some(sorted({entry.destination for entry in dead}))}.",
            "`tracekeeper alerts list` and tell people yourself; then mend the destination, below.",
        )
    if waiting and now - min(entry.notice.at for entry in waiting) > WAITS_TOO_LONG:
        oldest = min(entry.notice.at for entry in waiting)
        return Finding(
            Answer.PROBLEM,
            f"{told}; the oldest was made {_ago(oldest, now)}.",
            "`tracekeeper alerts list` and tell people yourself; see the destinations below.",
        )
    if unreadable:
        return Finding(
            Answer.CANT_TELL, f"{told}; {len(unreadable)} records can't be read.", "See the checks above."
        )
    return Finding(Answer.OK, f"{told}.")


def destinations_accept(documents: Documents, now: datetime) -> Finding:
    """Say which destinations fail, rest, or lost something. Raises StorageError."""
    records: dict[str, Record] = {}
    for name in documents.names(DELIVERIES):
        held = documents.read(name)
        if held is not None:
            records[name.removeprefix(DELIVERIES)] = record_from_json(name, held.body)
    if not records:
        return Finding(
            Answer.CANT_TELL, "Nothing was sent anywhere yet.", "Try it: `tracekeeper alerts test ROUTE`."
        )
    faults, good = [], []
    for name, record in sorted(records.items()):
        lost = sum(loss.count for loss in record.losses if now - loss.at < DAY)
        last = (
            f"accepted {_ago(record.accepted_at, now)}" if record.accepted_at else "never accepted anything"
        )
        if record.failures >= OPEN_AFTER:
            since = f" since {_ago(record.failing_since, now)}" if record.failing_since else ""
            faults.append(f"{safe(name)} failed {record.failures} times{since} ({last})")
        elif lost:
            faults.append(f"{safe(name)} lost {lost} messages in 24 hours ({last})")
        else:
            rests = ", rests" if is_left_alone(record, now) else ""
            good.append(f"{safe(name)} {last}{rests}")
    if faults:
        return Finding(
            Answer.PROBLEM,
            f"{_some(faults)}.",
            "Check its _WEBHOOK_URL setting and the Teams workflow behind it; then `tracekeeper alerts test "
            "DESTINATION`.",
        )
    return Finding(Answer.OK, f"{_some(good)}.")


def exports_move(documents: Documents, now: datetime) -> Finding:
    """Say which exports stand still or failed. Raises StorageError."""
    exports: list[Export] = []
    for name in documents.names("exports/"):
        held = documents.read(name)
        if held is not None:
            exports.append(stored_export(held.body))
    at_work = [one for one in exports if one.state in {State.QUEUED, State.RUNNING}]
    still = [one for one in at_work if now - one.waits_since > STANDS_STILL]
    failed = [
        one
        for one in exports
        if one.state is State.FAILED and one.finished_at and now - one.finished_at < DAY
    ]
    asked = sum(one.state is State.AWAITING_APPROVAL for one in exports)
    told = f"{len(at_work)} at work, {asked} wait for approval, {len(failed)} failed in 24 hours"
    if still:
        oldest = min(one.waits_since for one in still)
        return Finding(
            Answer.PROBLEM,
            f"{told}; {len(still)} stand still, the oldest since {_ago(oldest, now)}.",
            "Look for the functions of exports in the app's log, and at the queues' poison messages.",
        )
    if failed:
        return Finding(
            Answer.PROBLEM, f"{told}.", "`GET api/v1/exports/{id}` says why; ask for the export again."
        )
    return Finding(Answer.OK, f"{told}.")


def storage_and_clock(documents: Documents, theirs: Callable[[], datetime], now: datetime) -> Finding:
    """Say whether the app writes, and whether its clock and this machine's are right. Raises StorageError."""
    told = read_clock(documents)
    here = now - theirs()
    held = documents.read(HEARTBEAT)
    if told.off:
        return Finding(
            Answer.PROBLEM,
            f"The app's clock is {abs(told.seconds)} s off the storage service's; nothing is sealed.",
            "Restart the app; if it stays so, open a case with Azure's support.",
        )
    if abs(here) > MOST:
        return Finding(
            Answer.CANT_TELL,
            f"This machine's clock is {_length(abs(here))} off the storage service's: no age above is right.",
            "Set this machine's clock and ask again.",
        )
    if held is None:
        return Finding(
            Answer.PROBLEM,
            "The app has never written its heartbeat.",
            "Give its identity the role Storage Blob Data Contributor on the container state.",
        )
    return Finding(
        Answer.OK,
        f"The app last wrote {_ago(_instant(held.body['completed_at']), now)}; the clocks agree within "
        f"{max(1, round(abs(here).total_seconds()))} s.",
    )


def what_is_in_force(documents: Documents, now: datetime) -> Finding:
    """Say which configuration is in force, and what is refused. Raises StorageError."""
    held = documents.read("configuration")
    standing = standing_from_json(held.body) if held else None
    if standing is None or not standing.history:
        return Finding(Answer.CANT_TELL, "Nothing is noted of it yet.", "See whether the watch ticks, above.")
    last = standing.history[-1]
    pushed = f"the site's files {last.overlay[:12]}" if last.overlay else "no files of the site"
    evidence = f"{last.configuration[:12]} with {pushed}, since {_ago(last.since, now)}"
    if standing.refused:
        return Finding(
            Answer.PROBLEM,
            f"{evidence}; newer files are refused for {standing.refused.count} mistakes since "
            f"{_ago(standing.refused.at, now)}.",
            "`tracekeeper config check FOLDER` names each; correct and push again.",
        )
    return Finding(Answer.OK, f"{evidence}.")


def _some(words: Sequence[str]) -> str:
    rest = len(words) - _MOST_NAMED
    return ", ".join(words[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _instant(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        raise StorageError("A document holds no date.", next_step="Delete it: it is written again.") from None


def _ago(at: datetime, now: datetime) -> str:
    return f"{_length(max(now - at.astimezone(UTC), timedelta()))} ago"


def _length(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"


def worst(answers: Iterable[Answer]) -> Answer:
    """Return a problem before what nobody can tell before what is well."""
    found = set(answers)
    return next((one for one in (Answer.PROBLEM, Answer.CANT_TELL) if one in found), Answer.OK)
