"""`tracekeeper config`: checks a site's own config files, compares them with what was pushed, pushes them."""

import argparse
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from functions.configuration import SHIPPED, Configuration, Layer, configuration_of, read_folder
from functions.errors import ConfigurationError, DocumentConflict
from functions.overlay.difference import differences
from functions.overlay.store import OverlayStore, overlay_hash
from functions.settings import RecordSettings, read_record_settings
from functions.text_plot import safe
from functions.traces.agents import overdue

Say = Callable[[str], None]

_REASON_CHARACTERS = 200


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser("config", help="check, compare and push a site's own config files")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for name, run, told in (
        (
            "check",
            run_check,
            "name every mistake in a folder of config files; exit code 0: there is none, 1: there are",
        ),
        ("diff", run_diff, "say what pushing a folder would change"),
        ("push", run_push, "check a folder and put it in force: the app takes it within a minute"),
    ):
        action = actions.add_parser(name, help=told, description=f"{told[0].upper()}{told[1:]}. {_WHERE}")
        action.add_argument("folder", metavar="FOLDER", type=Path, help="files named as those in config/ are")
        if name == "push":
            action.add_argument(
                "--reason", metavar="TEXT", default="", help="why, for those who read it later"
            )
        action.set_defaults(run=run)


_WHERE = (
    "diff and push need the setting STORAGE_BLOB_ENDPOINT and a person signed in (`az login`) with the role "
    "Storage Blob Data Contributor on the container 'config'."
)


def run_check(options: argparse.Namespace, say: Say) -> int:
    """Check a folder; return 0, or 1 with a line for each mistake."""
    return check(options.folder, datetime.now(UTC).date(), say)


def check(folder: Path, today: date, say: Say) -> int:
    """Check a folder and warn of what nobody looked at in time; return as `run_check` does."""
    try:
        layer, configuration = _read(folder, environment=None)
    except ConfigurationError as error:
        for mistake in error.each:
            say(str(mistake))
        return 1
    for name in layer:
        say(f"{name}: {'replaces the shipped file' if (SHIPPED / name).exists() else 'is new'}")
    for review in overdue(configuration.agents, today):
        say(
            f"Warning: the review of agent {safe(review.name)} in agents.yaml is overdue since "
            f"{review.review_by} ({review.days} days). {review.owner} looks at its entry and moves review_by."
        )
    say(f"No mistakes. Overlay {overlay_hash(layer)}")
    return 0


def run_diff(options: argparse.Namespace, say: Say) -> int:
    """Compare a folder with what was pushed; return 0. Raises TracekeeperError."""
    settings = read_record_settings()
    store, _ = _open(settings)
    diff(store, checked(options.folder, settings.environment_name), say)
    return 0


def run_push(options: argparse.Namespace, say: Say) -> int:
    """Check and push a folder; return 0. Raises TracekeeperError."""
    settings = read_record_settings()
    layer = checked(options.folder, settings.environment_name)
    store, by = _open(settings)
    push(store, layer, by=by, reason=options.reason[:_REASON_CHARACTERS], at=datetime.now(UTC), say=say)
    return 0


def checked(folder: Path, environment: str | None) -> Layer:
    """Return a folder's files, which hold over the shipped ones.

    Raises:
        ConfigurationError: There are mistakes, all of them in it; or there is no file.
    """
    return _read(folder, environment)[0]


def _read(folder: Path, environment: str | None) -> tuple[Layer, Configuration]:
    """Return what `checked` does, and what holds with it. Raises ConfigurationError."""
    layer = read_folder(folder)
    if not layer:
        raise ConfigurationError(
            f"{folder} holds no config file.",
            next_step="To go back to the defaults, push a copy of one shipped file.",
        )
    return layer, configuration_of(read_folder(SHIPPED), layer, environment=environment)


def diff(store: OverlayStore, layer: Layer, say: Say) -> None:
    """Say what would change. Raises ConfigurationError, StorageError."""
    current, shipped = store.current(), read_folder(SHIPPED)
    pushed = store.read(current) if current else {}
    lines = list(differences({**shipped, **pushed}, {**shipped, **layer}))
    for line in lines:
        say(line)
    if not lines:
        say("Nothing changes.")
    say(f"Overlay {current.overlay if current else 'none'} -> {overlay_hash(layer)}")


def push(store: OverlayStore, layer: Layer, *, by: str, reason: str, at: datetime, say: Say) -> None:
    """Push checked files.

    Raises:
        DocumentConflict: Someone else has pushed in between.
        ConfigurationError: What was pushed before is damaged.
        StorageError: Storage failed.
    """
    current = store.current()
    if current and current.overlay == overlay_hash(layer):
        say(f"Overlay {current.overlay} is the current one already.")
        return
    try:
        overlay = store.push(layer, replacing=current, by=by, at=at, reason=reason)
    except DocumentConflict as error:
        raise DocumentConflict(
            "Someone else has pushed in between; nothing was changed.",
            next_step="Look at what changed with tracekeeper config diff FOLDER, then push again.",
        ) from error
    say(f"Pushed overlay {overlay} as {by}; the app takes it within a minute.")


def _open(settings: RecordSettings) -> tuple[OverlayStore, str]:
    from functions.clients import overlay_store  # noqa: PLC0415 - other commands need none of Azure's packages

    return overlay_store(settings)
