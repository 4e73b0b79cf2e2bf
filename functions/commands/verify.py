"""`tracekeeper verify`: checks a bundle without any network or account."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from functions.errors import InvalidRequest
from functions.evidence.verification.arithmetic import PayloadFacts
from functions.evidence.verification.chain import LedgerFacts
from functions.evidence.verification.inventory_files import InventoryFacts
from functions.evidence.verification.stated import SealFacts
from functions.evidence.verification.verification import Ground, Refused, Verified, verify_bundle
from functions.signing.signatures import PublicKey, read_public_key, thumbprint

_COMPLETE = "complete: the source counted the same rows, and nothing that should be there is missing"
_INCOMPLETE = "INCOMPLETE: data/completeness.json names what is missing"
_EXIT_CODES = {Ground.FILES: 1, Ground.SIGNATURE: 3, Ground.LEDGER: 4}
_WRONG_CALL = 2
_LONGEST_KEY = 1 << 16


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "verify",
        help="check that a bundle is whole, unchanged and signed",
        description=(
            "Checks a bundle without any network or account: every file is listed and every listed file is "
            "there, every SHA-256 is equal, nothing else is in it, and its files agree: traces, table, "
            "controls, and what is said of completeness and seals; so do those of an "
            "inventory. With --key also whose signature it is; with --ledger also that the ledger knows it. "
            "Exit code 0: verified; 1: its files are not as they were, or disagree; 2: wrong call, or the "
            "key or the ledger can't be read; 3: not signed with that key; 4: not in that ledger, or the "
            "ledger's chain is broken."
        ),
    )
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="the zip, or the unpacked folder")
    parser.add_argument(
        "--key",
        metavar="PEM",
        type=Path,
        help="the operator's public key, which you got by another way than the bundle",
    )
    parser.add_argument(
        "--ledger",
        metavar="JSONL",
        type=Path,
        help="the whole ledger, as `tracekeeper ledger export` gives it",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Verify and say so; return the exit code."""
    try:
        key = _key(options.key)
        result = verify_bundle(options.bundle, key=key, ledger=options.ledger)
    except InvalidRequest as error:
        say(f"tracekeeper: {error}")
        return _WRONG_CALL
    match result:
        case Verified():
            say(f"VERIFIED  {options.bundle}")
            for line in _told(result, key):
                say(f"  {line}")
            return 0
        case Refused(ground, reasons):
            say(f"REFUSED  {options.bundle}  because of {ground.value}")
            for reason in reasons:
                say(f"  - {reason}")
            return _EXIT_CODES[ground]


def _key(path: Path | None) -> PublicKey | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            pem = file.read(_LONGEST_KEY)
    except OSError:
        raise InvalidRequest("The file with the key can't be read.", next_step="Check its path.") from None
    return read_public_key(pem)


def _told(result: Verified, key: PublicKey | None) -> Iterator[str]:
    yield f"{result.files} files, all listed, every SHA-256 equal, nothing besides"
    match result.payload:
        case InventoryFacts():
            yield from _inventory(result.payload)
        case PayloadFacts():
            yield from _export(result.payload)
    yield from _signature(result, key)
    yield from _ledger(result.ledger)


def _inventory(payload: InventoryFacts) -> Iterator[str]:
    yield f"an inventory of {payload.resources} Azure resources, taken {payload.taken_at!a}; all files agree"
    yield (
        "complete: all of it could be listed"
        if payload.complete
        else f"INCOMPLETE: data/inventory.json names {payload.missing} things that could not be listed"
    )
    if payload.changes is not None:
        yield f"compared with an earlier one: {payload.changes} changes, see data/drift.json"


def _export(payload: PayloadFacts) -> Iterator[str]:
    yield from _rows(payload)
    yield _COMPLETE if payload.complete else _INCOMPLETE
    yield _seals(payload.seals)
    if payload.sample:
        yield (
            f"a sample of {payload.sample.drawn} of {payload.sample.population} runs: "
            "drawn again by its seed, it is the same"
        )


def _rows(payload: PayloadFacts) -> Iterator[str]:
    events = payload.rows - payload.spans
    yield (
        f"{payload.rows} rows in {payload.traces} traces: {payload.spans} spans, {events} events; "
        "all files agree"
    )
    verdicts = ", ".join(f"{count} {result}" for result, count in payload.verdicts.items())
    yield f"{payload.runs} runs, each held once to each control: {verdicts}"


def _seals(seals: SealFacts | None) -> str:
    if seals is None:
        return "not held against any seal: a trace that vanished before the export would not be missed"
    if not seals.days:
        without = f" (days without one: {seals.not_sealed})" if seals.not_sealed else ""
        return f"held against no seal{without}: a trace that vanished before the export would not be missed"
    told = f"held against {seals.days} daily seals: of {seals.compared} sealed traces"
    told += f" {seals.vanished} vanished, {seals.expired} older than the retention"
    return f"{told}; {seals.not_sealed} days without a seal" if seals.not_sealed else told


def _signature(result: Verified, key: PublicKey | None) -> Iterator[str]:
    if key is not None:
        yield f"signed with your key {thumbprint(key)}"
        return
    if result.stated_key_id is None:
        yield "NOT SIGNED: whoever changes files and manifests together is not found out."
        return
    yield (
        f"SIGNATURE NOT CHECKED: it names the key {result.stated_key_id!a}, but so can a forger. Whoever "
        "changes files and manifests together is found out only with --key and the operator's public key, "
        "which must not come from the bundle."
    )


def _ledger(ledger: LedgerFacts | None) -> Iterator[str]:
    if ledger is None:
        return
    which = "these very files" if ledger.by_file else "these queries, but no hash of these files"
    yield f"in the ledger: export {ledger.export_id}, finished {ledger.at}, with {which}"
    yield f"the ledger's chain holds over {ledger.lines} lines up to {ledger.head}"
    yield "  a chain can't show that its end was cut off: compare that hash with a signed head"
