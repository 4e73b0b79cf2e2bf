"""`tracekeeper inventory`: which AI resources, components and workspaces there are, as signed evidence."""

import argparse
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from functions.configuration import SHIPPED, load_configuration
from functions.errors import InvalidRequest
from functions.evidence.detectors import standard_detectors
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.release.azure_cli import AzCommand, AzureCli
from functions.release.gate_config import load_policy
from functions.release.gate_verdicts import Result, Verdict
from functions.release.inventory import Inventory, Resource
from functions.release.inventory_bundle import bundle_name, pack, read_earlier
from functions.release.inventory_collection import AI_TYPES, COMPONENT, Collector
from functions.release.inventory_drift import Drift, drift
from functions.release.inventory_judging import judged
from functions.release.inventory_words import Words
from functions.settings import read_pseudonym_key, read_signing_key
from functions.signing.signatures import Signer
from functions.text_plot import safe

Say = Callable[[str], None]
_MOST_LINES = 50


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "inventory",
        help="list AI resources and where their traces go, as a signed bundle",
        description=(
            "Lists AI resources, Application Insights components and Log Analytics workspaces, with "
            "diagnostic settings, roles and retention, through the Azure CLI (`az login`; role Reader), and "
            "writes them as a bundle signed with SIGNING_KEY. People are shown by pseudonyms under "
            "PSEUDONYM_KEY. Exit code 0: all was listed, and nothing has changed; 1: something could not be "
            "listed, has changed or breaks release.yaml; 2: wrong call."
        ),
    )
    parser.add_argument(
        "--subscription",
        metavar="ID",
        action="append",
        default=[],
        help="a subscription; may be given several times; without it the one that is signed in to",
    )
    parser.add_argument(
        "--against", metavar="FILE", type=Path, help="an earlier inventory: its bundle or inventory.json"
    )
    parser.add_argument("--policy", metavar="FILE", type=Path, help="the release.yaml to hold it to")
    parser.add_argument("--environment", metavar="NAME", default="production", help="production by default")
    parser.add_argument(
        "--out", metavar="FOLDER", type=Path, default=Path(), help="where to; here by default"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, say: Say) -> int:
    """Take an inventory through `az`; return the exit code.

    Raises:
        TracekeeperError: Nothing could be listed, a setting is wrong, or the bundle could not be made.
    """
    from functions.clients import signer_of_person  # noqa: PLC0415 - other commands need none of Azure's packages

    pseudonyms = Pseudonyms(*read_pseudonym_key())
    return inventory(options, AzCommand(), signer_of_person(read_signing_key()), pseudonyms, say)


def inventory(
    options: argparse.Namespace, az: AzureCli, signer: Signer, pseudonyms: Pseudonyms, say: Say
) -> int:
    """Take an inventory as `options` say. Returns and raises as `run` does."""
    detectors = standard_detectors()
    policy = load_policy(options.policy, options.environment) if options.policy else None
    earlier = read_earlier(options.against) if options.against else None
    words = Words(pseudonyms, detectors)
    taken = Collector(az, words, clock=lambda: datetime.now(UTC)).collect(options.subscription)
    found = drift(earlier.inventory, taken) if earlier else None
    target = options.out / bundle_name(taken)
    compared = (found, earlier) if found and earlier else None
    with pack(taken, compared, signer=signer, detectors=detectors) as bundle:
        try:
            with target.open("xb") as file:
                shutil.copyfileobj(bundle.file, file)
        except OSError:
            raise InvalidRequest(
                f"{target} can't be written, or exists already.", next_step="Check the folder."
            ) from None
        say(f"WRITTEN  {target}")
        say(f"  signed with {bundle.key_id}; SHA-256 {bundle.sha256}")
    verdicts = list(judged(taken, policy, load_configuration(SHIPPED).agents.attributes)) if policy else []
    for line in (*_told(taken), *_held_to(verdicts), *(_drifted(found) if found else ())):
        say(line)
    good = all(verdict.result is Result.PASS for _, verdict in verdicts)
    return 0 if taken.complete and good and not (found and found.changes) else 1


def _told(taken: Inventory) -> Iterator[str]:
    yield f"{len(taken.resources)} resources in {len(taken.subscriptions)} subscriptions"
    links = {
        str((one.settings or {}).get("workspace_id", "")) for one in taken.resources if one.type == COMPONENT
    }
    for one in taken.resources:
        yield f"  {safe(one.type.rpartition('/')[2]):16}{safe(one.name):30}{_state(one, links)}"
    if taken.complete:
        yield "Complete: all of it could be listed."
        return
    yield f"INCOMPLETE: {len(taken.missing)} things could not be listed."
    for missing in taken.missing[:_MOST_LINES]:
        yield f"  - {missing.what}: {missing.why}"


def _state(one: Resource, links: set[str]) -> str:
    sends = one.diagnostic_settings
    logs = "logs unknown" if sends is None else f"{len(sends)} diagnostic settings"
    if one.type == COMPONENT:
        return f"traces: {one.traces}, {_kept(one)}, {_readers(one)}, {logs}"
    if one.type in AI_TYPES:
        called = {"called": "seen in traces", "none": "NOT SEEN IN TRACES"}.get(one.traces, "calls unknown")
        return f"{called}, {logs}"
    linked = "linked" if one.id in links else "no component here sends to it"
    return f"{linked}, {_kept(one)}, {_readers(one)}, {logs}"


def _kept(one: Resource) -> str:
    days = (one.settings or {}).get("retention_days")
    return "retention unknown" if days is None else f"{days} days"


def _readers(one: Resource) -> str:
    if one.roles is None:
        return "readers unknown"
    return f"{len({role.principal for role in one.roles if role.reads != 'nothing'})} may read"


def _held_to(verdicts: Sequence[tuple[Resource | None, Verdict]]) -> Iterator[str]:
    for resource, verdict in verdicts:
        about = safe(resource.name) if resource else safe(verdict.subject)
        yield f"  {verdict.result.value:15}{verdict.rule} of {about}: {verdict.reason}"


def _drifted(found: Drift) -> Iterator[str]:
    yield f"{len(found.changes)} changes against the earlier inventory" + (":" if found.changes else ".")
    yield from (f"  - {change.sentence}" for change in found.changes[:_MOST_LINES])
    if len(found.changes) > _MOST_LINES:
        yield f"  and {len(found.changes) - _MOST_LINES} more, in data/drift.json"
    yield from (f"  not compared: {one}" for one in found.not_compared[:_MOST_LINES])
