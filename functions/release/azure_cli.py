"""Asks Azure through its command line, `az`, as whoever is signed in there. The only module that runs it.

It reads and never writes. `az` prints its answer as JSON and its errors as text; of that text nothing is
passed on but the error's code and the action that was refused, since the rest may quote what was asked for.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Protocol

import orjson

from functions.errors import (
    AzureCliElsewhere,
    AzureCliError,
    AzureCliMissing,
    AzureCliNotFound,
    AzureCliRefused,
    AzureCliSignedOut,
)
from functions.settings import process_environment_with

type Json = Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None
"""What a command printed: any JSON value."""

_SECONDS = 90.0
_VERBS = frozenset({"show", "list", "query"})
_SECRETS = frozenset({"keys", "key", "connection-string", "secret", "list-keys", "api-key"})
_QUIET = {
    "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
    "AZURE_CORE_NO_COLOR": "true",
    "AZURE_CORE_COLLECT_TELEMETRY": "false",
    "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",  # a question would wait for a person
}

_CODE = re.compile(r"\(([A-Z][A-Za-z]{2,60})\)|\bCode: ([A-Z][A-Za-z]{2,60})\b")
_ACTION = re.compile(r"perform action '([A-Za-z0-9./*_-]{3,150})'")
_EXTENSION = re.compile(r"requires the extension ([a-z0-9-]{2,40})")
_SIGNED_OUT = re.compile(
    r"\baz login\b|AADSTS\d{5,7}|Interactive authentication is needed|No subscription found"
)
_ELSEWHERE = re.compile(
    r"subscription of '[^']*' doesn't exist|\((?:SubscriptionNotFound|InvalidSubscriptionId"
    r"|InvalidAuthenticationTokenTenant)\)"
)
_REFUSED = re.compile(
    r"\((?:AuthorizationFailed|Forbidden|LinkedAuthorizationFailed|AccessDenied|Authorization_RequestDenied)\)"
    r"|\bCode: (?:AuthorizationFailed|AccessDenied|Forbidden)\b"
    r"|InsufficientAccessError|insufficient access|Insufficient privileges"
)
_NOT_FOUND = re.compile(r"\((?:[A-Za-z]*NotFound)\)|\bCode: [A-Za-z]*NotFound\b")
_UNKNOWN_COMMAND = re.compile(
    r"is misspelled or not recognized by the system|is not in the '[^']*' command group"
)
_EXTENSIONS = {
    "graph": "resource-graph",
    "app-insights": "application-insights",
    "ml": "ml",
    "containerapp": "containerapp",
}


class AzureCli(Protocol):
    """Reads from Azure."""

    def ask(self, *arguments: str) -> Json:
        """Run one command and return what it printed.

        Args:
            arguments: The command's words and options, for example "monitor", "diagnostic-settings", "list",
                "--resource", ID. It must only read: end in `show`, `list` or `query`, or be
                `rest --method get`.

        Raises:
            AzureCliError: It failed; the error says what to do.
            ValueError: The command does more than read, or hands out secrets.
        """
        ...


class AzCommand:
    """The AzureCli that runs the program `az`.

    Args:
        program: Its name on PATH, or its path.
        seconds: How long one command may take.
    """

    def __init__(self, program: str = "az", *, seconds: float = _SECONDS) -> None:
        self._program = program
        self._seconds = seconds

    def ask(self, *arguments: str) -> Json:
        """Run one command and return what it printed. Raises as AzureCli says."""
        command = reading_command(arguments)
        path = shutil.which(self._program)
        if path is None:
            raise AzureCliMissing(
                "The Azure CLI (`az`) is not installed, or not on PATH.",
                next_step="Install it: https://learn.microsoft.com/cli/azure/install-azure-cli",
            )
        try:
            done = subprocess.run(  # noqa: S603 - a list, no shell
                [path, *arguments, "--output", "json"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._seconds,
                check=False,
                env=process_environment_with(_QUIET),
            )
        except subprocess.TimeoutExpired:
            raise AzureCliError(
                f"`{command}` did not end within {self._seconds:g} seconds.", next_step="Try again later."
            ) from None
        except OSError:
            raise AzureCliMissing(
                "The Azure CLI (`az`) can't be run.", next_step="Check that `az version` works."
            ) from None
        if done.returncode:
            raise failure(command, done.stderr.decode("utf-8", "replace"))
        return _read(command, done.stdout)


def reading_command(arguments: Sequence[str]) -> str:
    """Return the words of a command that only reads, as a person would type them, without options.

    Raises:
        ValueError: It does more than read, or hands out secrets.
    """
    words = tuple(takewhile(lambda word: not word.startswith("-"), arguments))
    methods = [value.lower() for option, value in pairwise(arguments) if option in {"--method", "-m"}]
    rest = words == ("rest",) and methods == ["get"]
    if not words or not (rest or (words[-1] in _VERBS and not _SECRETS & set(words))):
        message = f"only commands that read are run, not {' '.join(words)!a}"
        raise ValueError(message)
    return " ".join(("az", *words))


def failure(command: str, text: str) -> AzureCliError:
    """Return the error for what a command printed as it failed.

    Args:
        command: Its words.
        text: What it printed to stderr; of it only the code and the action get into the error.
    """
    code = next((one or other for one, other in _CODE.findall(text)), "")
    named = f" ({code})" if code else ""
    if _UNKNOWN_COMMAND.search(text) or _EXTENSION.search(text):
        return _not_installed(command, text)
    if _ELSEWHERE.search(text):
        return AzureCliElsewhere(
            f"`{command}` asked about a subscription that who is signed in can't see{named}.",
            next_step="Check its id in `az account list`, and sign in to its tenant: `az login --tenant ID`.",
        )
    if _REFUSED.search(text):
        action = _ACTION.search(text)
        may = f" the action {action[1]}" if action else " that"
        return AzureCliRefused(
            f"`{command}` was refused: who is signed in may not do{may}{named}.",
            next_step="Ask its owner for the role Reader (for telemetry: Monitoring Reader) on it.",
        )
    if _SIGNED_OUT.search(text):
        return AzureCliSignedOut(
            "Nobody is signed in to the Azure CLI, or the sign-in is over.", next_step="Run `az login`."
        )
    if _NOT_FOUND.search(text):
        return AzureCliNotFound(
            f"`{command}` found no such resource{named}.",
            next_step="Check the resource's id and its subscription: `az account show`.",
        )
    return AzureCliError(
        f"`{command}` failed{named}.", next_step="Run it by hand with `--debug` to read what Azure says."
    )


def _not_installed(command: str, text: str) -> AzureCliMissing:
    stated = _EXTENSION.search(text)
    known = (_EXTENSIONS[word] for word in command.split() if word in _EXTENSIONS)
    name = stated[1] if stated else next(known, None)
    if name is None:
        return AzureCliMissing(
            f"`{command}` is not known to this Azure CLI.", next_step="Update it: `az upgrade`."
        )
    return AzureCliMissing(
        f"`{command}` needs an extension of the Azure CLI that is not installed.",
        next_step=f"Run `az extension add --name {name}`.",
    )


def _read(command: str, output: bytes) -> Json:
    if not output.strip():
        return None
    try:
        answer: Json = orjson.loads(output)
    except orjson.JSONDecodeError:
        raise AzureCliError(
            f"`{command}` printed no JSON.", next_step="Update the Azure CLI: `az upgrade`."
        ) from None
    return answer
