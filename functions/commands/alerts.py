"""`tracekeeper alerts`: what people do about alerts at a terminal."""

import argparse

from functions.commands import alert_record, try_delivery, weekly_summary


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "alerts", help="list, show and acknowledge alerts, print the summary of a week, send a test card"
    )
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    for action in (alert_record, weekly_summary, try_delivery):
        action.add(actions)
