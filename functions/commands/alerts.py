"""`tracekeeper alerts`: what people do about alerts at a terminal."""

import argparse

from functions.commands import try_delivery, weekly_summary


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser("alerts", help="send a test card, or print the summary of a week")
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    for action in (weekly_summary, try_delivery):
        action.add(actions)
