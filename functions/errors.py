"""The one error tree. Adapters map every library error into it; each error says what a person does next.

TracekeeperError
├── SettingsError               an app setting is missing or unusable
├── ConfigurationError          a config file is wrong: file, line and rule
│   └── ConfigurationErrors     several mistakes in config files at once
├── SourceError                 the telemetry could not be read
│   ├── SourceThrottled         429 after all retries
│   ├── SourceUnavailable       5xx, time-out or broken connection
│   ├── SourceRefused           401 or 403: a role is missing
│   ├── QueryRejected           400: the KQL is wrong
│   ├── PartialResult           200 with an error inside; its rows are not used
│   ├── ResultTooLarge          a row or size limit was met; the rest is unknown
│   │   ├── TooMuchContent      content asked about apart has more rows than a query can take along
│   │   └── AskedTooMuch        a limit of ours was met by what was asked for; its words may be shown
│   └── SourceBlind             what a check needs can't be seen, though nothing says so
├── CanaryError                 the marker run could not be sent
│   ├── CanaryRefused           401 or 403: a role is missing, or the component takes no such identity
│   └── CanaryUnavailable       any other answer, or none
├── AzureCliError               the Azure CLI gave no answer that can be used
│   ├── AzureCliMissing         `az`, or an extension of it, is not installed
│   ├── AzureCliSignedOut       nobody is signed in, or the sign-in is over
│   ├── AzureCliRefused         who is signed in may not read that
│   ├── AzureCliElsewhere       the subscription is not one of those that are signed in to
│   └── AzureCliNotFound        there is no such resource
├── StorageError                blob storage failed
│   ├── ChainBroken             the ledger is not what was written
│   └── DocumentConflict        someone else wrote first; read again
├── EvidenceError               an export can't be made or a bundle is not what it claims
│   ├── RedactionFailure        something that must not leave was found in the output
│   ├── SigningError            a bundle could not be signed
│   │   └── SigningRefused      401, 403 or 404, or the wrong kind of key: a person must act
│   ├── SealDamaged             a day's seal is not what was written
│   └── BundleInvalid           verification failed
└── RequestError                the caller's request can't be served (has an HTTP status)
    ├── InvalidRequest          400
    ├── NotAuthenticated        401
    ├── Forbidden               403
    ├── NotFound                404
    │   └── TraceAbsent             a trace has no rows; `evidence` says what the answer rests on
    │       ├── TraceNotFound           nothing of it was kept, and nothing was left out
    │       ├── TraceExpired            410: it is older than what is kept
    │       ├── TraceTooRecent          it may still be arriving
    │       ├── TraceSampledOut         sampling may have left it out
    │       ├── TraceVanished           it was there, within the retention, and is not any more
    │       └── TraceUnknown            nothing can be said
    ├── NotReady                409
    ├── TooManyRequests         429
    └── WatchStopped            503
"""

from collections.abc import Sequence
from typing import ClassVar


class TracekeeperError(Exception):
    """Base of all errors of this project.

    Args:
        message: What went wrong, free of secrets and of telemetry content.
        next_step: What a person can do about it, as a sentence.
    """

    def __init__(self, message: str, *, next_step: str) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}"


class SettingsError(TracekeeperError):
    """An app setting is missing or unusable."""


class ConfigurationError(TracekeeperError):
    """A config file is wrong; the message names file, line and rule.

    Args:
        message: As for all errors.
        next_step: As for all errors.
        place: The file and the line, from 1, for those who put errors in order; 0 where no line is to blame.
    """

    def __init__(self, message: str, *, next_step: str, place: tuple[str, int] = ("", 0)) -> None:
        super().__init__(message, next_step=next_step)
        self.place = place

    @property
    def each(self) -> "tuple[ConfigurationError, ...]":
        """Every mistake by itself."""
        return (self,)


class ConfigurationErrors(ConfigurationError):
    """Several mistakes in config files; prints one a line."""

    def __init__(self, errors: Sequence[ConfigurationError]) -> None:
        super().__init__("\n".join(map(str, errors)), next_step="Correct them all.")
        self._errors = tuple(errors)

    def __str__(self) -> str:
        return self.message

    @property
    def each(self) -> tuple[ConfigurationError, ...]:
        """Every mistake by itself."""
        return self._errors


def together(errors: Sequence[ConfigurationError]) -> ConfigurationError:
    """Return one error for all of `errors`, at least one, in the order of files and lines."""
    ordered = sorted(errors, key=lambda error: error.place)
    return ordered[0] if len(ordered) == 1 else ConfigurationErrors(ordered)


class SourceError(TracekeeperError):
    """The telemetry could not be read; nothing may be concluded from its absence."""


class SourceThrottled(SourceError):
    """The service answered 429 until the retries were used up."""


class SourceUnavailable(SourceError):
    """The service answered 5xx, timed out or could not be reached."""


class SourceRefused(SourceError):
    """The service answered 401 or 403: the identity lacks a role."""


class QueryRejected(SourceError):
    """The service answered 400: the KQL is wrong."""


class PartialResult(SourceError):
    """The service answered 200 with an error inside; a check on it has failed, never passed."""


class ResultTooLarge(SourceError):
    """A row or size limit was met, so that rows are missing from the answer."""


class TooMuchContent(ResultTooLarge):
    """What lies in a table that must be asked alone is more than another query can take along."""


class AskedTooMuch(ResultTooLarge):
    """What was asked for is beyond a limit of ours; message and next step may be shown to who asked."""


class SourceBlind(SourceError):
    """What a check needs is hidden from this reader or not there yet: to find nothing means nothing."""


class CanaryError(TracekeeperError):
    """The marker run could not be sent."""


class CanaryRefused(CanaryError):
    """The ingestion endpoint answered 401 or 403, or there was no token for it."""


class CanaryUnavailable(CanaryError):
    """The ingestion endpoint did not answer, or did not accept all of the marker run."""


class AzureCliError(TracekeeperError):
    """The Azure CLI failed, took too long, or answered with something that is no JSON."""


class AzureCliMissing(AzureCliError):
    """`az` is not installed, or lacks an extension that the command comes with."""


class AzureCliSignedOut(AzureCliError):
    """Nobody is signed in to the Azure CLI, or the sign-in is over."""


class AzureCliRefused(AzureCliError):
    """Who is signed in may not read what was asked for."""


class AzureCliElsewhere(AzureCliError):
    """The subscription does not exist, or belongs to another tenant or cloud than who is signed in."""


class AzureCliNotFound(AzureCliError):
    """There is no such resource, or who is signed in may not know of it."""


class StorageError(TracekeeperError):
    """Blob storage failed."""


class ChainBroken(StorageError):
    """A line of the ledger does not follow from the one before, or it lacks what a head notes of it."""


class DocumentConflict(StorageError):
    """The document changed since it was read."""


class EvidenceError(TracekeeperError):
    """An export can't be made or a bundle is not what it claims."""


class RedactionFailure(EvidenceError):
    """The rescan found something in the finished bytes that must not leave; the export is withheld."""


class SigningError(EvidenceError):
    """A bundle could not be signed; there is no bundle without a signature."""


class SigningRefused(SigningError):
    """Key Vault answered 401, 403 or 404, or the key is of the wrong kind: trying again does not help."""


class SealDamaged(EvidenceError):
    """A day's seal, or the list behind it, is not what was written: nothing can be reconciled with it."""


class BundleInvalid(EvidenceError):
    """A bundle does not verify."""


class RequestError(TracekeeperError):
    """A request that can't be served; `status` is the HTTP status, `title` its RFC 9457 title."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = "Bad request"


class InvalidRequest(RequestError):
    """The request itself is malformed."""


class NotAuthenticated(RequestError):
    """Nobody is signed in, or the platform's sign-in is off."""

    status = 401
    title = "Not signed in"


class Forbidden(RequestError):
    """The caller lacks the role."""

    status = 403
    title = "Not permitted"


class NotFound(RequestError):
    """There is no such thing, or the caller may not know of it."""

    status = 404
    title = "Not found"


class TraceAbsent(NotFound):
    """A trace has no rows at the source.

    Args:
        message: As for all errors.
        next_step: As for all errors.
        evidence: What the answer rests on, as sentences.
    """

    def __init__(self, message: str, *, next_step: str, evidence: Sequence[str] = ()) -> None:
        super().__init__(message, next_step=next_step)
        self.evidence = tuple(evidence)


class TraceNotFound(TraceAbsent):
    """Nothing of it was kept, though all that came around then was."""


class TraceExpired(TraceAbsent):
    """It is older than the workspace keeps rows."""

    status = 410
    title = "Older than what is kept"


class TraceTooRecent(TraceAbsent):
    """It may still be arriving."""

    title = "Too recent"


class TraceSampledOut(TraceAbsent):
    """Sampling was at work around then, and may have left it out."""

    title = "Perhaps sampled out"


class TraceVanished(TraceAbsent):
    """It was at the source, should still be there, and is not."""

    title = "Vanished"


class TraceUnknown(TraceAbsent):
    """Nobody can say why it is not there."""

    title = "Not there, and nobody can say why"


class NotReady(RequestError):
    """The thing exists but is not in the state that the request needs."""

    status = 409
    title = "Not ready"


class TooManyRequests(RequestError):
    """The caller asks more often than is let through.

    Args:
        message: As for all errors.
        next_step: As for all errors.
        retry_after: Seconds after which to ask again.
        first: Whether it is the first in its window; the ledger holds no others.
    """

    status = 429
    title = "Too many requests"

    def __init__(self, message: str, *, next_step: str, retry_after: int, first: bool) -> None:
        super().__init__(message, next_step=next_step)
        self.retry_after = retry_after
        self.first = first


class WatchStopped(RequestError):
    """The watch has not completed a tick for too long: nobody would hear of what agents do."""

    status = 503
    title = "The watch has stopped"
