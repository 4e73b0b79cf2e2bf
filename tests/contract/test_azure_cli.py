"""What the Azure CLI is relied on for: by the program that is run, and by the fake that stands for it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from functions.errors import (
    AzureCliElsewhere,
    AzureCliError,
    AzureCliMissing,
    AzureCliNotFound,
    AzureCliRefused,
    AzureCliSignedOut,
)
from functions.release.azure_cli import AzCommand, AzureCli
from tests.fakes.azure_cli import Answers, Fails, FakeAzureCli, write_program

SECRET = "InstrumentationKey=00000000-1111-2222-3333-444444444444"
# As the Azure CLI's own source and its users' reports have them.
FAILURES = {
    "Please run 'az login' to setup account.": (AzureCliSignedOut, "az login"),
    "AADSTS700082: The refresh token has expired due to inactivity.": (AzureCliSignedOut, "az login"),
    "The subscription of '0000' doesn't exist in cloud 'AzureCloud'.": (AzureCliElsewhere, "az account list"),
    "(InvalidAuthenticationTokenTenant) The access token is from the wrong issuer": (
        AzureCliElsewhere,
        "--tenant",
    ),
    "(AuthorizationFailed) The client 'ada@example.org' with object id '1' does not have authorization to "
    "perform action 'Microsoft.Insights/components/read' over scope '/subscriptions/0'": (
        AzureCliRefused,
        "Microsoft.Insights/components/read",
    ),
    "(ResourceNotFound) The Resource 'x' under resource group 'y' was not found.": (
        AzureCliNotFound,
        "az account show",
    ),
    "'graph' is misspelled or not recognized by the system.": (AzureCliError, "az upgrade"),
    "The command requires the extension resource-graph. Unable to prompt": (
        AzureCliMissing,
        "az extension add --name resource-graph",
    ),
    "something else": (AzureCliError, "--debug"),
}

Make = Callable[[Answers], AzureCli]


@pytest.fixture(params=["program", "fake"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "fake":
        return FakeAzureCli
    return lambda answers: AzCommand(str(write_program(tmp_path, answers)))


def test_the_answer_that_fits_best_is_read(make: Make) -> None:
    az = make({("account", "show"): {"id": "0"}, ("account", "show", "--subscription", "1"): {"id": "1"}})
    assert az.ask("account", "show") == {"id": "0"}
    assert az.ask("account", "show", "--subscription", "1") == {"id": "1"}


@pytest.mark.parametrize("text", FAILURES)
def test_a_failure_says_what_to_do_and_nothing_it_was_told(make: Make, text: str) -> None:
    kind, hint = FAILURES[text]
    az = make({("account", "show"): Fails(f"ERROR: {text} {SECRET}")})
    with pytest.raises(kind) as raised:
        az.ask("account", "show", "--subscription", "hidden")
    assert hint in str(raised.value)
    for hidden in ("hidden", SECRET, "ada@example.org"):
        assert hidden not in str(raised.value)


@pytest.mark.parametrize(
    "words",
    [
        ("group", "delete", "--name", "show"),
        ("cognitiveservices", "account", "keys", "list"),
        ("rest", "--method", "post", "--url", "https://management.azure.com/get"),
        ("rest", "--url", "https://management.azure.com/"),
        ("--help",),
        (),
    ],
)
def test_nothing_is_run_but_what_reads(make: Make, words: tuple[str, ...]) -> None:
    az = make({(): "must not be reached"})
    with pytest.raises(ValueError, match="only commands that read"):
        az.ask(*words)


def test_a_rest_call_that_gets_is_let_through(make: Make) -> None:
    az = make({("rest",): {"value": []}})
    assert az.ask("rest", "--method", "get", "--url", "https://management.azure.com/") == {"value": []}


def test_without_the_program_it_says_how_to_get_it() -> None:
    with pytest.raises(AzureCliMissing, match="install-azure-cli"):
        AzCommand("no-such-program").ask("account", "show")


def test_options_reach_the_program_as_they_are_and_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(tmp_path, {(): []})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert AzCommand().ask("graph", "query", "-q", "where name == 'a b; $(rm)'") == []
    asked = (tmp_path / "asked.jsonl").read_text()
    assert asked == '["graph", "query", "-q", "where name == \'a b; $(rm)\'", "--output", "json"]\n'


def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    program = tmp_path / "az"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o700)
    with pytest.raises(AzureCliError, match=r"did not end within 0\.2 seconds"):
        AzCommand(str(program), seconds=0.2).ask("account", "show")


def test_what_is_no_json_is_an_error(tmp_path: Path) -> None:
    program = tmp_path / "az"
    program.write_text("#!/bin/sh\necho Upgrade now!\n")
    program.chmod(0o700)
    with pytest.raises(AzureCliError, match="printed no JSON"):
        AzCommand(str(program)).ask("account", "show")
