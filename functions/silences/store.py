"""Keeps the silences in the document `silences`, which several people and hosts write at once."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from functions.access.scope import EVERYTHING, Scope
from functions.alerts.alert import Alert
from functions.errors import DocumentConflict, Forbidden, NotFound, NotReady, StorageError
from functions.silences.body import Author, read_silence_body
from functions.silences.reach import within_reach
from functions.silences.silence import Report, Silence, in_force, read_silence, silence_json, silenced_by
from functions.storage.documents import Documents
from functions.storage.versioned import understood

DOCUMENT = "silences"
FORMAT = 1
"""Rises when a body is written that earlier versions would misread."""
KEPT = timedelta(days=30)
"""How long a silence is kept after its end."""
MOST_SILENCES = 200
"""At a time, not counting those that have ended."""
ATTEMPTS = 10

_log = logging.getLogger(__name__)

Quieting = Callable[[Alert], tuple[str, ...]]


class SilenceStore:
    """The silences.

    Args:
        documents: Where their document is.
        clock: The present instant, UTC.
    """

    def __init__(self, documents: Documents, *, clock: Callable[[], datetime]) -> None:
        self._documents = documents
        self._clock = clock

    def read(self) -> tuple[Silence, ...]:
        """Return all silences, those that ended within KEPT among them, the oldest first.

        Raises:
            StorageError: They can't be read.
        """
        return self._read()[0]

    def now(self) -> datetime:
        """Return the instant by which silences stand as they do."""
        return self._clock()

    def quieting(self, agent_owners: Mapping[str, str]) -> Quieting:
        """Return what says which silences keep an alert quiet now.

        Where they can't be read none does: rather people hear too much than nothing.
        """
        try:
            silences = in_force(self.read(), self._clock())
        except StorageError as error:
            _log.error("No silence is in force: %s", error)
            silences = ()
        return lambda alert: silenced_by(alert, silences, agent_owners)

    def add(self, body: object, author: Author, scope: Scope = EVERYTHING) -> Silence:
        """Add the silence that `body` asks for, and return it.

        Raises:
            Forbidden: It could hide what is beyond the author's scope.
            InvalidRequest: It asks for none.
            NotReady: There are MOST_SILENCES already.
            StorageError: It is not known to be written.
        """
        now = self._clock()
        silence = read_silence_body(body, silence_id=uuid4().hex[:12], author=author, now=now)
        if not within_reach(silence.matchers, scope):
            raise Forbidden(
                "The silence could hide alerts of agents or tenants that your role does not reach.",
                next_step="Name the agents (and under Tenant the tenants) in its matchers, without * or ?.",
            )

        def added(silences: tuple[Silence, ...]) -> tuple[Silence, ...]:
            if sum(one.until > now for one in silences) >= MOST_SILENCES:
                raise NotReady(
                    f"There are {MOST_SILENCES} silences already.", next_step="End some that are not needed."
                )
            return (*silences, silence)

        self._change(added)
        return silence

    def end(self, silence_id: str, by: str, scope: Scope = EVERYTHING) -> Silence:
        """End a silence now and return it; one that has ended already stays as it is.

        Args:
            silence_id: Which.
            by: The directory's object id of who ends it.
            scope: What they may see.

        Raises:
            NotFound: There is no such silence, or it is beyond the scope.
            StorageError: It is not known to be written.
        """
        now = self._clock()

        def ended(silences: tuple[Silence, ...]) -> tuple[Silence, ...]:
            if not any(one.id == silence_id and within_reach(one.matchers, scope) for one in silences):
                raise NotFound("There is no such silence.", next_step="GET /api/v1/silences lists them.")
            return tuple(
                replace(one, ended_at=now, ended_by=by) if one.id == silence_id and one.until > now else one
                for one in silences
            )

        after = self._change(ended)
        return next(one for one in after if one.id == silence_id)

    def report(self, reports: Mapping[str, Collection[Report]]) -> None:
        """Mark occurrences of silences, by these' ids, as reported, over what is marked of them already.

        Raises:
            StorageError: It is not known to be written.
        """

        def reported(silences: tuple[Silence, ...]) -> tuple[Silence, ...]:
            return tuple(
                replace(one, reports=_over(one.reports, reports[one.id])) if one.id in reports else one
                for one in silences
            )

        self._change(reported)

    def _read(self) -> tuple[tuple[Silence, ...], str | None]:
        held = self._documents.read(DOCUMENT)
        if held is None:
            return (), None
        silences = understood(
            DOCUMENT,
            held.body,
            lambda body: tuple(map(read_silence, body["silences"])),
            newest=FORMAT,
            holds="silences",
            next_step=f"Restore an earlier version of {DOCUMENT}.json in the container state.",
        )
        return silences, held.version

    def _change(self, change: Callable[[tuple[Silence, ...]], tuple[Silence, ...]]) -> tuple[Silence, ...]:
        """Write what `change` makes of the silences, again where someone else has written in between."""
        for _ in range(ATTEMPTS):
            before, version = self._read()
            after = change(before)
            if after == before:
                return after
            forgotten = self._clock() - KEPT
            kept = [silence_json(one) for one in after if one.until > forgotten]
            try:
                self._documents.write(DOCUMENT, {"format": FORMAT, "silences": kept}, version=version)
            except DocumentConflict:
                continue
            return after
        raise DocumentConflict(
            f"The document {DOCUMENT} changed at every attempt to write it.", next_step="Try again."
        )


def _over(before: Collection[Report], reports: Collection[Report]) -> tuple[Report, ...]:
    """Return the reports with the newer of those about the same occurrence; what is reported stays so."""
    known = {one.start: one for one in before}
    for one in reports:
        first = known.get(one.start, one)
        known[one.start] = replace(first, forgotten=first.forgotten or one.forgotten)
    return tuple(sorted(known.values(), key=lambda one: one.start))
