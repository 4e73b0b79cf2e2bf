"""`tracekeeper inventory`: what is listed, is missing, has changed; and that its bundle verifies."""

import argparse
import csv
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.commands import inventory as command
from functions.commands import verify
from functions.configuration import SHIPPED, load_configuration
from functions.errors import AzureCliSignedOut, InvalidRequest
from functions.evidence.detectors import standard_detectors
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.verification.inventory_files import InventoryFacts
from functions.evidence.verification.verification import Ground, Refused, Verified, verify_bundle
from functions.release.gate_policy import Policy, RequiredDiagnostics
from functions.release.inventory import Inventory, Resource, inventory_body, inventory_from_body
from functions.release.inventory_collection import Collector
from functions.release.inventory_drift import drift
from functions.release.inventory_judging import judged
from functions.release.inventory_words import Words
from functions.signing.signatures import public_pem
from tests.fakes.azure_cli import Fails, FakeAzureCli
from tests.fakes.signer import MemorySigner
from tests.unit.release import azure

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DETECTORS = standard_detectors()
PSEUDONYMS = Pseudonyms(b"k" * 32, "keyA")
REFUSED = Fails(
    "ERROR: (AuthorizationFailed) The client 'ada.lovelace@contoso.com' does not have authorization to "
    "perform action 'Microsoft.Authorization/roleAssignments/read' over scope 'x'"
)


def collect(answers: Mapping[tuple[str, ...], Any] | None = None) -> Inventory:
    az = FakeAzureCli(azure.answers() if answers is None else answers)
    return Collector(az, Words(PSEUDONYMS, DETECTORS), clock=lambda: NOW).collect(())


def by_name(inventory: Inventory) -> dict[str, Resource]:
    return {resource.name: resource for resource in inventory.resources}


def take(
    folder: Path,
    answers: Mapping[tuple[str, ...], Any] | None = None,
    against: Path | None = None,
    policy: Path | None = None,
) -> tuple[int, Path, str]:
    """Return the exit code, the bundle, and what was printed."""
    folder.mkdir(exist_ok=True)
    said: list[str] = []
    az = FakeAzureCli(azure.answers() if answers is None else answers)
    options = argparse.Namespace(
        subscription=[], against=against, out=folder, policy=policy, environment="prod"
    )
    code = command.inventory(options, az, MemorySigner(), PSEUDONYMS, said.append)
    (bundle,) = folder.glob("*.zip")
    return code, bundle, "\n".join(said)


def member(bundle: Path, name: str) -> bytes:
    with zipfile.ZipFile(bundle) as archive:
        return archive.read(f"bundle/data/{name}")


def test_what_there_is_is_listed_with_where_its_traces_go() -> None:
    found = collect()
    assert found.complete
    assert found.subscriptions == (azure.SUBSCRIPTION,)
    one = by_name(found)
    assert set(one) == {
        "contoso-openai",
        "contoso-project",
        "contoso-search",
        "contoso-traces",
        "contoso-logs",
    }
    component, workspace = one["contoso-traces"], one["contoso-logs"]
    assert component.settings is not None
    assert component.settings["workspace_id"] == workspace.id == azure.WORKSPACE.lower()
    assert (component.settings["retention_days"], component.traces, component.owner) == (
        90,
        "received",
        "platform",
    )
    assert (one["contoso-openai"].traces, one["contoso-search"].traces) == ("called", "none")
    assert one["contoso-project"].traces == "unknown"
    (sends,) = one["contoso-openai"].diagnostic_settings or ()
    assert (sends.workspace_id, sends.categories) == (workspace.id, ("RequestResponse", "audit"))
    assert workspace.settings is not None
    assert workspace.settings["AppTraces.total_retention_days"] == 365
    assert "AppGenAIContent.plan" not in workspace.settings
    assert {(role.role, role.reads) for role in workspace.roles or ()} == {
        ("Reader", "traces"),
        ("Privileged Monitoring Data Reader", "traces and protected content"),
        ("Monitoring Metrics Publisher", "nothing"),
        ("Our own role", "unknown"),
    }


def test_people_are_pseudonyms_apps_are_ids_and_names_are_dropped(tmp_path: Path) -> None:
    _, bundle, printed = take(tmp_path)
    whole = b"".join(member(bundle, name) for name in ("inventory.json", "resources.csv")).decode() + printed
    assert azure.ADDRESS not in whole
    assert azure.PERSON not in whole
    assert azure.SECRET.partition("=")[2] not in whole
    assert azure.APP in whole
    assert f"person {PSEUDONYMS.of('user', azure.PERSON)}" in whole
    assert by_name(collect())["contoso-openai"].owner == f"<person {PSEUDONYMS.of('user', azure.ADDRESS)}>"


def test_hostile_tags_and_names_are_inert_everywhere(tmp_path: Path) -> None:
    answers = azure.answers()
    rows = azure.rows()
    rows[2] |= {"name": azure.HOSTILE, "location": "=1+1", "tags": {"owner": "=cmd|x", azure.HOSTILE: "@x"}}
    _, before, _ = take(tmp_path / "before")
    _, bundle, printed = take(
        tmp_path / "after", answers | {("graph", "query"): azure.graph(rows)}, against=before
    )
    assert "was contoso-search, is" in printed
    for text in (printed, *(member(bundle, one).decode() for one in ("inventory.json", "drift.json"))):
        assert "\x1b" not in text
        assert "\u202e" not in text
    table = list(csv.reader(io.StringIO(member(bundle, "resources.csv").decode())))
    assert not [cell for line in table for cell in line if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("role", "assignment", "list"), "roles of"),
        (("diagnostic-settings", "list", azure.SEARCH.lower()), "diagnostic settings of"),
        (("component", "show", azure.COMPONENT.lower()), "the component of"),
        (("workspace", "show", azure.WORKSPACE.lower()), "the workspace of"),
        (("app-insights", "query"), "its traces of"),
    ],
)
def test_what_can_not_be_listed_is_said_in_the_name_and_in_the_file(
    tmp_path: Path, words: tuple[str, ...], what: str
) -> None:
    code, bundle, printed = take(tmp_path, azure.answers() | {words: REFUSED})
    assert code == 1
    assert bundle.name.endswith("-INCOMPLETE.zip")
    held = json.loads(member(bundle, "inventory.json"))
    assert held["complete"] is False
    assert {one["what"].partition(" /")[0] for one in held["missing"]} == {what}
    assert f"{what} /subscriptions" in printed
    assert "Microsoft.Authorization/roleAssignments/read" in printed
    result = verify_bundle(bundle)
    assert isinstance(result, Verified)
    assert isinstance(result.payload, InventoryFacts)
    assert not result.payload.complete


def test_an_answer_of_another_shape_is_missing_not_empty() -> None:
    found = collect(azure.answers() | {("role", "assignment", "list"): {"oops": 1}})
    assert by_name(found)["contoso-logs"].roles is None
    assert not found.complete


def test_all_pages_are_read_and_fewer_than_there_are_is_incomplete() -> None:
    rows = azure.rows()
    answers = azure.answers()
    paged = {
        ("graph", "query"): azure.graph(rows[:2], 5, "next"),
        ("graph", "query", "--skip-token", "next"): azure.graph(rows[2:], 5),
    }
    assert collect(answers | paged) == collect(answers)
    short = collect(answers | {("graph", "query"): azure.graph(rows[:2], 5)})
    assert not short.all_listed
    assert [one.why for one in short.missing] == ["2 of 5 were listed."]
    assert not short.complete


def test_with_nobody_signed_in_there_is_no_inventory(tmp_path: Path) -> None:
    with pytest.raises(AzureCliSignedOut):
        take(tmp_path, {("account", "show"): Fails("ERROR: Please run 'az login' to setup account.")})


def test_without_traces_to_ask_nothing_is_concluded() -> None:
    found = by_name(collect(azure.answers() | {("app-insights", "query"): REFUSED}))
    assert (found["contoso-traces"].traces, found["contoso-openai"].traces) == ("unknown", "unknown")
    silent = {"tables": [{"name": "PrimaryResult", "columns": [], "rows": []}]}
    found = by_name(collect(azure.answers() | {("app-insights", "query"): silent}))
    assert (found["contoso-traces"].traces, found["contoso-openai"].traces) == ("none", "none")


def changed(**changes: Any) -> Inventory:
    """Return the inventory with the component changed."""
    found = collect()
    return replace(
        found,
        resources=tuple(
            replace(one, **changes) if one.name == "contoso-traces" else one for one in found.resources
        ),
    )


COMPONENT = by_name(collect())["contoso-traces"]
SETTINGS = COMPONENT.settings or {}
DRIFTS: Mapping[str, tuple[dict[str, Any], list[tuple[str, str, Any, Any]]]] = {
    "nothing": ({}, []),
    "retention": (
        {"settings": {**SETTINGS, "retention_days": 30}},
        [("changed", "settings.retention_days", 90, 30)],
    ),
    "workspace": (
        {"settings": {**SETTINGS, "workspace_id": "/other"}},
        [("changed", "settings.workspace_id", azure.WORKSPACE.lower(), "/other")],
    ),
    "owner": (
        {"owner": "x", "tags": {"owner": "x"}},
        [("changed", "owner", "platform", "x"), ("changed", "tags.owner", "platform", "x")],
    ),
    "tag gone": ({"tags": {}}, [("removed", "tags.owner", "platform", None)]),
    "tag new": (
        {"tags": {"owner": "platform", "cost": "1"}},
        [("added", "tags.cost", None, "1")],
    ),
    "role gone": (
        {"roles": (COMPONENT.roles or ())[1:]},
        [
            (
                "removed",
                f"roles.Monitoring Metrics Publisher.{azure.APP}.{azure.WORKSPACE.lower()}",
                "nothing",
                None,
            )
        ],
    ),
    "silent": ({"traces": "none"}, [("changed", "traces", "received", "none")]),
    "not known": ({"traces": "unknown"}, []),
    "roles not known": ({"roles": None}, []),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_drift_names_each_field_that_differs_and_no_other(name: str) -> None:
    changes, expected = DRIFTS[name]
    found = drift(collect(), changed(**changes))
    assert [(one.kind, one.field, one.before, one.after) for one in found.changes] == expected
    assert {one.id for one in found.changes} <= {azure.COMPONENT.lower()}
    assert all(one.sentence.startswith("components contoso-traces: ") for one in found.changes)
    assert bool(found.not_compared) == (name in {"not known", "roles not known"})


def test_what_was_added_and_removed_is_told_only_where_all_was_listed() -> None:
    whole = collect()
    part = replace(whole, resources=whole.resources[1:])
    assert [one.sentence for one in drift(part, whole).changes] == ["accounts contoso-openai was added."]
    assert [one.sentence for one in drift(whole, part).changes] == ["accounts contoso-openai was removed."]
    blind = drift(whole, replace(part, all_listed=False))
    assert blind.changes == ()
    assert blind.not_compared == (
        "accounts contoso-openai may still be there: not all resources were listed now.",
    )
    blind = drift(replace(part, all_listed=False), whole)
    assert blind.changes == ()


def test_roles_are_not_compared_under_another_key() -> None:
    whole = collect()
    found = drift(replace(whole, pseudonym_key_id="keyB"), changed(roles=()))
    assert found.changes == ()
    assert "different keys" in found.not_compared[0]


def test_an_inventory_reads_back_as_it_was_written() -> None:
    found = collect(azure.answers() | {("role", "assignment", "list"): REFUSED})
    assert inventory_from_body(json.loads(json.dumps(inventory_body(found), default=str))) == found


def test_the_bundle_verifies_with_the_same_command_and_says_what_it_is(tmp_path: Path) -> None:
    code, bundle, _ = take(tmp_path / "one")
    assert code == 0
    pem = tmp_path / "pub.pem"
    pem.write_text(public_pem(MemorySigner().public_key()))
    said: list[str] = []
    options = argparse.Namespace(bundle=bundle, key=pem, ledger=None)
    assert verify.run(options, said.append) == 0
    assert "an inventory of 5 Azure resources" in "\n".join(said)
    assert "signed with your key" in "\n".join(said)
    code, second, printed = take(tmp_path / "two", against=bundle)
    assert code == 0
    assert "0 changes" in printed
    assert isinstance(verify_bundle(second, key=MemorySigner().public_key()), Verified)
    other = verify_bundle(second, key=MemorySigner(2).public_key())
    assert isinstance(other, Refused)
    assert other.ground is Ground.SIGNATURE


def test_an_inventory_is_in_no_ledger(tmp_path: Path) -> None:
    _, bundle, _ = take(tmp_path / "one")
    ledger = tmp_path / "ledger.jsonl"
    ledger.touch()
    result = verify_bundle(bundle, ledger=ledger)
    assert isinstance(result, Refused)
    assert result.ground is Ground.LEDGER


def forged(bundle: Path, folder: Path, file: str = "data/inventory.json", **changes: Any) -> Path:
    """Return an unsigned bundle whose manifests fit the changed files."""
    from functions.evidence.packing.bundle import BundleWriter

    with zipfile.ZipFile(bundle) as archive:
        names = [name for name in archive.namelist() if name.startswith("bundle/data/")]
        files = {name.removeprefix("bundle/"): archive.read(name) for name in names}
    files[file] = json.dumps(json.loads(files[file]) | changes).encode()
    target = folder / "forged.zip"
    with BundleWriter(frozenset(files), rescan=lambda _: None, signer=None) as writer:
        for name, data in files.items():
            writer.open(name).write(data)
        with writer.finish() as finished:
            target.write_bytes(finished.file.read())
    return target


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"resources": []}, "counts other resources"),
        ({"resources": [], "counts": {"resources": 0, "missing": 0}}, "hold different resources"),
        ({"complete": False}, "calls itself complete, or not"),
        ({"missing": [{"what": "x", "why": "y"}]}, "counts other resources"),
        ({"all_listed": False}, "calls itself complete, or not"),
        ({"against_sha256": "0" * 64}, "drift.json is missing"),
        ({"resources": None}, "shape of its kind"),
    ],
)
def test_an_inventory_whose_files_disagree_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    _, bundle, _ = take(tmp_path / "one")
    result = verify_bundle(forged(bundle, tmp_path, **changes))
    assert isinstance(result, Refused)
    assert words in result.reasons[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"against_sha256": "0" * 64}, "another earlier inventory"),
        ({"changes": [{"kind": "added"}]}, "counts other changes"),
    ],
)
def test_a_drift_that_does_not_fit_its_inventory_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    _, before, _ = take(tmp_path / "one")
    _, bundle, _ = take(tmp_path / "two", against=before)
    result = verify_bundle(forged(bundle, tmp_path, "data/drift.json", **changes))
    assert isinstance(result, Refused)
    assert words in result.reasons[0]


def test_unchanged_the_forger_s_bundle_would_verify(tmp_path: Path) -> None:
    _, bundle, _ = take(tmp_path / "one")
    assert isinstance(verify_bundle(forged(bundle, tmp_path)), Verified)


def test_an_earlier_bundle_that_was_changed_is_not_compared_with(tmp_path: Path) -> None:
    _, bundle, _ = take(tmp_path / "one")
    with pytest.raises(InvalidRequest, match="does not verify"):
        take(tmp_path / "two", against=forged(bundle, tmp_path, complete=False))


@pytest.mark.parametrize(
    ("workspace", "days", "category", "results"),
    [
        (azure.WORKSPACE, 90, "Audit", ["pass", "pass", "pass"]),
        (azure.WORKSPACE + "2", 90, "Audit", ["fail", "pass", "fail"]),
        (azure.WORKSPACE, 91, "Audit", ["pass", "fail", "pass"]),
        (azure.WORKSPACE, 90, "Trace", ["pass", "pass", "fail"]),
    ],
)
def test_it_is_held_to_release_yaml_by_the_gate_s_rules(
    workspace: str, days: int, category: str, results: list[str]
) -> None:
    policy = Policy(
        "prod", frozenset({workspace.lower()}), (), False, (), (), (), 1.0, days,
        (RequiredDiagnostics(azure.OPENAI.lower(), (category,)),), 1,
    )  # fmt: skip
    verdicts = list(judged(collect(), policy, load_configuration(SHIPPED).agents.attributes))
    assert [verdict.rule for _, verdict in verdicts] == ["workspace", "retention", "diagnostic_settings"]
    assert [verdict.result.value for _, verdict in verdicts] == results


def test_what_could_not_be_listed_passes_no_rule() -> None:
    policy = Policy(
        "prod", frozenset({azure.WORKSPACE.lower()}), (), False, (), (), (), 1.0, 1,
        (RequiredDiagnostics("/not/listed", ("Audit",)),), 1,
    )  # fmt: skip
    found = collect(azure.answers() | {("component", "show", azure.COMPONENT.lower()): REFUSED})
    verdicts = judged(found, policy, load_configuration(SHIPPED).agents.attributes)
    assert {verdict.result.value for _, verdict in verdicts} == {"not evaluable"}
