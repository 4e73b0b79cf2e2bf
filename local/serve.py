"""`make serve`: Azure on this machine, twelve hours of traces, and the service at work until Ctrl-C."""

import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.configuration import SHIPPED, load_configuration
from local.agents.outing import run_fleet
from local.replay import INGESTION_DELAY
from local.retiming import retime
from local.stack import Stack

FOLDER = Path(".local/serve")
OVER = timedelta(hours=12)


def main() -> None:
    """Start everything, say where it is, and stay."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    attributes = load_configuration(SHIPPED).agents.attributes
    with Stack(FOLDER / "stack", timers=True, canaries=True) as stack:
        fleet = run_fleet(stack.certificates, FOLDER, healthy=False)
        moved = retime(
            fleet.envelopes,
            end=datetime.now(UTC) - INGESTION_DELAY,
            over=OVER,
            data_as_of=attributes.data_as_of,
        )
        stack.telemetry.ingest(moved, delay=INGESTION_DELAY)
        stack.start_host()
        stack.fire("send_canary")  # by itself it would be blind for up to five minutes
        print(_directions(stack), flush=True)
        shown = 0
        while True:
            time.sleep(1)
            posts = stack.posts()
            for post in posts[shown:]:
                print(f"{post.received:%H:%M:%S} UTC  the Teams inbox accepted a card", flush=True)
            shown = len(posts)


def _directions(stack: Stack) -> str:
    return f"""
Tracekeeper runs on this machine. The watch ticks every minute; Ctrl-C ends it.
(The certificates are throw-away ones: your browser will ask.)

  the portal       {stack.host_url}/portal    as operator, auditor, finops, officer …
  somebody else    {stack.host_url}/.auth/logout
  cards in Teams   {stack.inbox_url}/
  the API          {stack.host_url}/api/v1/alerts    as docs/openapi.yaml says
  a bundle's proof .venv/bin/tracekeeper verify BUNDLE --key {stack.public_key}
  the app's log    {FOLDER}/stack/host.log
"""


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
