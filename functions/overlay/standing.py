"""What is known of the configuration in force: which, since when, and what was refused. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from functions.errors import ConfigurationError, TracekeeperError
from functions.storage.versioned import understood

FORMAT = 1
MOST_MISTAKES = 100
"""Told of one refusal."""
_HISTORY_SHOWN = 100


@dataclass(frozen=True, slots=True)
class InForce:
    """A configuration that came into force.

    Attributes:
        configuration: Its hash, over what all files say.
        overlay: The hash of the site's overlay; None where nothing was pushed.
        since: When it came into force, UTC.
    """

    configuration: str
    overlay: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Mistake:
    """One reason for a refusal: the file ("" where none is to blame), its line (or 0), the rule, the fix."""

    file: str
    line: int
    rule: str
    fix: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An overlay that is not in force though it should be.

    Attributes:
        overlay: Its hash; None where not even that could be read.
        at: When it was refused first, UTC.
        mistakes: Why, the first hundred.
        count: How many mistakes there are.
    """

    overlay: str | None
    at: datetime
    mistakes: tuple[Mistake, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known.

    Attributes:
        history: What has come into force, oldest first; the last is in force.
        refused: What is refused now.
    """

    history: tuple[InForce, ...] = ()
    refused: Refused | None = None

    def in_force(self, configuration: str, overlay: str | None, now: datetime) -> "Standing":
        """Return the standing once a configuration was accepted; the same where nothing changes."""
        last = self.history[-1] if self.history else None
        history = self.history
        if last is None or (last.configuration, last.overlay) != (configuration, overlay):
            history = (*history, InForce(configuration, overlay, now))
        return Standing(history)

    def refusing(self, overlay: str | None, error: TracekeeperError, now: datetime) -> "Standing":
        """Return the standing once an overlay was refused; the same where it was refused for this before."""
        found = tuple(map(_mistake, error.each if isinstance(error, ConfigurationError) else (error,)))
        before = self.refused
        at = before.at if before and before.overlay == overlay else now
        return replace(self, refused=Refused(overlay, at, found[:MOST_MISTAKES], len(found)))


def _mistake(error: TracekeeperError) -> Mistake:
    file, line = error.place if isinstance(error, ConfigurationError) else ("", 0)
    return Mistake(file, line, error.message.removeprefix(f"{file}, line {line}: "), error.next_step)


def standing_report(standing: Standing) -> Mapping[str, Any]:
    """Return what GET configuration answers: what is in force, what is refused, and the latest history."""
    body = asdict(standing)
    history = body["history"][::-1][:_HISTORY_SHOWN]
    return {"in_force": history[0], "refused": body["refused"], "history": history}


def standing_to_json(standing: Standing) -> Mapping[str, Any]:
    """Return the document's body."""
    return {"format": FORMAT, **asdict(standing)}


def standing_from_json(body: Mapping[str, Any]) -> Standing:
    """Read the document's body.

    Raises:
        StorageError: A newer version wrote it, or it isn't such a body.
    """
    return understood(
        "configuration",
        body,
        _read,
        newest=FORMAT,
        holds="what is in force",
        next_step="Restore an earlier version of configuration.json in the container state.",
    )


def _read(body: Mapping[str, Any]) -> Standing:
    refused = body["refused"]
    return Standing(
        tuple(InForce(**one | {"since": _instant(one["since"])}) for one in body["history"]),
        refused and _refused(refused),
    )


def _refused(body: Mapping[str, Any]) -> Refused:
    mistakes = tuple(Mistake(**one) for one in body["mistakes"])
    return Refused(body["overlay"], _instant(body["at"]), mistakes, int(body["count"]))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
