"""`tracekeeper verify`: checks a bundle without any network or account."""

import argparse
from collections.abc import Callable
from pathlib import Path

from functions.evidence.verification import Refused, Verified, verify_bundle

_COMPLETE = "complete: the source counted the same rows, and every trace asked for is there"
_INCOMPLETE = "incomplete: data/completeness.json names what is missing"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "verify",
        help="check that a bundle is whole and unchanged",
        description=(
            "Checks a bundle without any network or account: every file is listed and every listed file is "
            "there, every SHA-256 is equal, nothing else is in it, and the traces, the table and the "
            "completeness statement count the same rows. Exit code 0: verified; 1: refused."
        ),
    )
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="the zip, or the unpacked folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Verify and say so; return 0 for yes, 1 for no."""
    match verify_bundle(options.bundle):
        case Verified(files, rows, traces, spans, complete):
            say(f"VERIFIED  {options.bundle}")
            say(f"  {files} files, all listed, every SHA-256 equal, nothing besides")
            say(f"  {rows} rows in {traces} traces: {spans} spans, {rows - spans} events; all files agree")
            say(f"  {_COMPLETE if complete else _INCOMPLETE}")
            say("  Not shown: who made it. The manifests reveal damage; only a signature reveals forgery.")
            return 0
        case Refused(reasons):
            say(f"REFUSED  {options.bundle}")
            for reason in reasons:
                say(f"  - {reason}")
            return 1
