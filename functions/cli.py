"""The `tracekeeper` command."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from functions.evidence.verification import Refused, Verified, verify_bundle


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 for yes, 1 for no, 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    return _verify(options.bundle)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tracekeeper", description="Works with Tracekeeper's evidence.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser(
        "verify",
        help="check that a bundle is whole and unchanged",
        description=(
            "Checks a bundle without any network or account: every file is listed and every listed file is "
            "there, every SHA-256 is equal, nothing else is in it, and the traces, the table and the "
            "completeness statement count the same rows. Exit code 0: verified; 1: refused."
        ),
    )
    verify.add_argument("bundle", metavar="BUNDLE", type=Path, help="the zip, or the unpacked folder")
    return parser


def _verify(path: Path) -> int:
    match verify_bundle(path):
        case Verified(files, rows, traces, spans, complete):
            print(f"VERIFIED  {path}")
            print(f"  {files} files, all listed, every SHA-256 equal, nothing besides")
            print(f"  {rows} rows in {traces} traces: {spans} spans, {rows - spans} events; all files agree")
            print(f"  {_COMPLETE if complete else _INCOMPLETE}")
            print("  Not shown: who made it. The manifests reveal damage; only a signature reveals forgery.")
            return 0
        case Refused(reasons):
            print(f"REFUSED  {path}")
            for reason in reasons:
                print(f"  - {reason}")
            return 1


_COMPLETE = "complete: the source counted the same rows, and every trace asked for is there"
_INCOMPLETE = "incomplete: data/completeness.json names what is missing"

if __name__ == "__main__":
    sys.exit(main())
