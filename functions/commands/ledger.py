"""`tracekeeper ledger`: checks the ledger wholly, or writes it to a file that others can check."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from functions.access.ledger_audit import Audit, Ground, audit_ledger
from functions.commands.ledger_files import InFiles, InStorage, Place
from functions.errors import InvalidRequest, SettingsError, StorageError
from functions.settings import read_record_settings
from functions.signing.signatures import PublicKey, read_public_key, thumbprint

_EXIT_CODES = {Ground.RECORD: 1, Ground.SIGNATURE: 3, Ground.CHAIN: 4}
_WRONG_CALL = 2
_LONGEST_KEY = 1 << 16


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser("ledger", help="check the ledger, or write it to a file")
    ledger = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = ledger.add_parser(
        "verify",
        help="check the ledger's chain, heads, dates and seals",
        description=(
            "Checks that each line of the ledger follows from the one before, that the chain still reaches "
            "each head that was noted of it, that no date runs backwards, and that every seal it names lies "
            "in the store of evidence as it was; with --key also who signed the heads. "
            "Exit code 0: all of it holds; 1: dates run backwards, or a seal is not as it was; 2: wrong "
            "call, or something can't be read; 3: a head is not signed with that key; 4: the chain is "
            "broken, or does not reach a head. Where several don't hold, the highest."
        ),
    )
    verify.add_argument(
        "--key", metavar="PEM", type=Path, help="the operator's public key, which you got by another way"
    )
    verify.add_argument(
        "--from",
        dest="place",
        metavar="PATH",
        type=Path,
        help="an exported ledger, or a folder with downloaded blobs; without it, storage is asked",
    )
    verify.set_defaults(run=run_verify)
    export = ledger.add_parser(
        "export",
        help="write the whole ledger to a file",
        description=(
            "Writes all lines of the ledger as they lie in storage, for others to check with "
            "`tracekeeper ledger verify --from FILE` and `tracekeeper verify BUNDLE --ledger FILE`. "
            "It names people: give it to nobody who may not read the ledger. Exit code 0: written, and the "
            "chain holds; 2: it can't be read or written; 4: written, but the chain is broken."
        ),
    )
    export.add_argument("file", metavar="FILE", type=Path, help="where to; it must not exist")
    export.set_defaults(run=run_export)


def run_verify(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Verify and say what holds; return the exit code."""
    try:
        key = _key(options.key)
        place: Place = InFiles(options.place) if options.place else _storage()
        audit = audit_ledger(place.lines(), place.heads(), key=key, read_object=place.read_object())
    except (InvalidRequest, SettingsError, StorageError) as error:
        say(f"tracekeeper: {error}")
        return _WRONG_CALL
    say("THE LEDGER HOLDS" if not audit.problems else "THE LEDGER DOES NOT HOLD")
    for _, problem in audit.problems:
        say(f"  - {problem}")
    for line in _told(audit, key, place):
        say(f"  {line}")
    return max((_EXIT_CODES[ground] for ground, _ in audit.problems), default=0)


def run_export(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Write the ledger; return the exit code."""
    try:
        storage = _storage()
        with options.file.open("xb") as file:
            for line in storage.lines():
                file.write(line + b"\n")
        audit = audit_ledger(InFiles(options.file).lines(), (), key=None, read_object=None)
    except FileExistsError:
        say(f"tracekeeper: {options.file} exists already. Name another file.")
        return _WRONG_CALL
    except OSError:
        say(f"tracekeeper: {options.file} can't be written. Check the folder.")
        return _WRONG_CALL
    except (SettingsError, StorageError) as error:
        say(f"tracekeeper: {error}")
        return _WRONG_CALL
    broken = [problem for ground, problem in audit.problems if ground is Ground.CHAIN]
    say(f"WRITTEN  {options.file}")
    for problem in broken:
        say(f"  - {problem}")
    say(f"  {audit.lines} lines; the last one's hash is {audit.head}")
    return _EXIT_CODES[Ground.CHAIN] if broken else 0


def _told(audit: Audit, key: PublicKey | None, place: Place) -> Iterator[str]:
    dated = f", dated {audit.first_at} to {audit.last_at}" if audit.first_at else ""
    yield f"the chain holds over {audit.lines} lines{dated}; the last one's hash is {audit.head}"
    if audit.heads:
        yield f"{audit.heads} heads were held against it; the newest covers {audit.newest_head} lines"
    else:
        yield "NO HEAD was held against it: that its end was cut off would not be noticed"
    yield from _signatures(audit, key)
    there = f"those of {audit.sealed_there} lie in the store as they were"
    if place.read_object() is None:
        there = "they were not at hand"
    yield f"it has the seals of {len(audit.sealed)} days; {there}"
    yield from audit.notes


def _signatures(audit: Audit, key: PublicKey | None) -> Iterator[str]:
    if key is not None:
        yield f"{audit.signed} of the heads are signed with your key {thumbprint(key)}"
    elif audit.heads:
        yield "SIGNATURES NOT CHECKED: who writes ledger and heads anew is found out only with --key"


def _storage() -> InStorage:
    from functions.clients import record_ledger  # noqa: PLC0415 - files need none of Azure's packages

    return InStorage(*record_ledger(read_record_settings()))


def _key(path: Path | None) -> PublicKey | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            pem = file.read(_LONGEST_KEY)
    except OSError:
        raise InvalidRequest("The file with the key can't be read.", next_step="Check its path.") from None
    return read_public_key(pem)
