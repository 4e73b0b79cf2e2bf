"""`tracekeeper doctor`: says in an incident, within a minute and in order, what works and what does not."""

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from functions.commands import examinations
from functions.commands.advice import advised
from functions.commands.examinations import Answer, Finding, worst
from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.errors import StorageError, TracekeeperError
from functions.settings import (
    read_config_directory,
    read_environment_name,
    read_logs_settings,
    read_record_settings,
)
from functions.storage.documents import Documents
from functions.text_plot import safe
from functions.traces.source import TraceSource

Say = Callable[[str], None]
Examine = Callable[[], Finding]

SECONDS = 45.0
"""After this, what has not been answered can't be told."""
_SIGN_IN = (
    "Sign in with `az login` as someone with Storage Blob Data Reader on the storage account, and check "
    "STORAGE_BLOB_ENDPOINT."
)
_EXIT_CODES = {Answer.OK: 0, Answer.PROBLEM: 1, Answer.CANT_TELL: 2}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "doctor",
        help="say in an incident what works and what does not",
        description=(
            "Asks storage (STORAGE_BLOB_ENDPOINT) and the telemetry (LOGS_WORKSPACE_ID or LOGS_RESOURCE_ID) "
            "as who is signed in; the app need not run. One line a question, in the order to "
            "work through, within a minute. What can't be asked stops nothing else. Exit code 0: all is "
            "well; "
            "1: there is a problem; 2: no problem, but something can't be told; or a wrong call."
        ),
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, say: Say) -> int:  # noqa: ARG001 - a command's shape
    """Examine Azure's storage and telemetry; return the exit code."""
    return doctor(_connected(), say)


def doctor(questions: Mapping[str, Examine], say: Say, *, seconds: float = SECONDS) -> int:
    """Ask all at once, say the answers in order; return the exit code.

    Args:
        questions: By what is asked, how to answer it.
        say: Takes a line.
        seconds: How long to wait for all of them together.
    """
    answers: SimpleQueue[tuple[str, Finding]] = SimpleQueue()
    for title, examine in questions.items():
        Thread(target=_examine, args=(title, examine, answers), daemon=True).start()
    findings: dict[str, Finding] = {}
    deadline = monotonic() + seconds
    while len(findings) < len(questions):
        try:
            title, finding = answers.get(timeout=max(deadline - monotonic(), 0))
        except Empty:
            break
        findings[title] = finding
    late = Finding(Answer.CANT_TELL, f"No answer within {seconds:g} seconds.", "Ask again; see the network.")
    for title in questions:
        finding = findings.get(title, late)
        say(f"{finding.answer.value:11}{title:20}{finding.evidence}")
        if finding.next_step:
            say(f"{'':31}-> {finding.next_step}")
    said = [findings.get(title, late).answer for title in questions]
    counts = ", ".join(f"{said.count(one)} {one.value}" for one in Answer)
    say("")
    say(f"{counts}.")
    return _EXIT_CODES[worst(said)]


def questions(
    documents: Callable[[], Documents],
    configuration: Callable[[], Configuration],
    source: Callable[[], TraceSource],
    storage_time: Callable[[], datetime],
    now: Callable[[], datetime],
) -> Mapping[str, Examine]:
    """Return what is asked, in the order in which a person works through an incident.

    Args:
        documents: Opens the watch's record.
        configuration: Reads the checks.
        source: Opens the telemetry.
        storage_time: Asks the storage service for its time, UTC.
        now: The present instant, UTC.
    """
    return {
        "traces arrive": lambda: examinations.traces_arrive(source(), now()),
        "the app sees them": lambda: examinations.markers_are_seen(documents(), now()),
        "the watch ticks": lambda: examinations.watch_ticks(documents(), now()),
        "checks run": lambda: examinations.checks_run(documents(), configuration(), now()),
        "notices are told": lambda: examinations.notices_are_told(documents(), now()),
        "cards are accepted": lambda: examinations.destinations_accept(documents(), now()),
        "exports move": lambda: examinations.exports_move(documents(), now()),
        "storage and clock": lambda: examinations.storage_and_clock(documents(), storage_time, now()),
        "in force": lambda: examinations.what_is_in_force(documents(), now()),
    }


def _connected() -> Mapping[str, Examine]:
    from functions.clients import log_source, record_documents, record_time  # noqa: PLC0415 - Azure's packages

    return questions(
        lambda: record_documents(read_record_settings()),
        _configuration,
        lambda: log_source(read_logs_settings()),
        lambda: record_time(read_record_settings()),
        lambda: datetime.now(UTC),
    )


def _configuration() -> Configuration:
    folder = read_config_directory()
    return load_configuration(SHIPPED, *([folder] if folder else []), environment=read_environment_name())


def _examine(title: str, examine: Examine, answers: SimpleQueue[tuple[str, Finding]]) -> None:
    answers.put((title, _examined(examine)))


def _examined(examine: Examine) -> Finding:
    try:
        with advised():
            return examine()
    except TracekeeperError as error:
        return Finding(Answer.CANT_TELL, error.message.replace("\n", " "), _next_step(error))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one source, the others are told
        return Finding(
            Answer.CANT_TELL, f"Something failed ({safe(type(error).__name__)}).", "See the other lines."
        )


def _next_step(error: TracekeeperError) -> str:
    """Return what the person at the terminal does: storage's errors speak to the app's operator."""
    return (
        _SIGN_IN if isinstance(error, StorageError) and "Blob storage" in error.message else error.next_step
    )
