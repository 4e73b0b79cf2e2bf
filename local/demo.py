"""`make demo`: real agents answer, the service judges their traces, and a person reads what came of it."""

import argparse
import html
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from functions.configuration import SHIPPED, load_configuration
from local.agents.outing import Outing, run_fleet
from local.replay import Replayed, replay
from local.stack import Stack

OVER = timedelta(hours=12)
EXACT = ("stale_tool_data", "skipped_lookup")
"""Checks that must name exactly the planted traces; a cost spike names the costliest traces of a window."""


def main(arguments: Sequence[str]) -> int:
    """Run it all once; 0 when what was planted is what was found and nothing leaked."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--healthy", action="store_true", help="agents that behave: expect silence")
    parser.add_argument("--out", type=Path, default=Path(".local/demo"), help="where it all goes")
    options = parser.parse_args(arguments)
    healthy: bool = options.healthy
    out: Path = options.out
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {what}", flush=True)

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    say("starting Azure on this machine: storage, identity, Azure Monitor and a Teams inbox")
    with Stack(out / "stack", canaries=True) as stack:
        say("three Microsoft Agent Framework agents answer (scripted model, real telemetry exporter)")
        fleet = run_fleet(stack.certificates, out, healthy=healthy)
        say("starting the Functions app and judging twelve hours of traces")
        replayed = replay(stack, load_configuration(SHIPPED), fleet.envelopes, over=OVER, out=out, say=say)
        cards = [dict(post.body) for post in stack.posts()]
        shutil.copy(stack.public_key, out / "pub.pem")
    verified, report = _verify(replayed.bundle, out / "pub.pem")
    summary = {
        "traces": fleet.traces,
        "planted": fleet.planted,
        "findings": {check: replayed.found_traces().get(check, []) for check in fleet.planted},
        "alerts_opened": len(replayed.alerts),
        "cards_accepted": len(cards),
        "export": {
            "spans": replayed.export["counts"]["spans"],
            "bundle": str(replayed.bundle),
            "verified": verified,
        },
        "seconds": round(time.monotonic() - began, 1),
    }
    (out / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2))
    faults = find_faults(
        summary, healthy=healthy, leaked=_leaked(fleet.secrets, replayed, cards, out / "bundle")
    )
    _tell(summary, replayed, fleet, report, out)
    for fault in faults:
        print(f"FAILED: {fault}")
    return 1 if faults else 0


def find_faults(summary: Mapping[str, Any], *, healthy: bool, leaked: int) -> list[str]:
    """Return what is not as it has to be, as sentences."""
    faults = [
        f"{check} named other traces than the planted ones"
        for check in EXACT
        if sorted(summary["planted"][check]) != sorted(summary["findings"][check])
    ]
    if leaked:
        faults.append(f"{leaked} of the personal values that the agents saw left through the service")
    if not summary["export"]["verified"]:
        faults.append("the bundle does not verify")
    if healthy and (summary["alerts_opened"] or summary["cards_accepted"]):
        faults.append("agents that behave raised an alert")
    if not healthy and not (summary["findings"]["cost_spike"] and summary["cards_accepted"]):
        faults.append("no cost spike was found, or no card was accepted")
    return faults


def _verify(bundle: Path, key: Path) -> tuple[bool, str]:
    """Verify the bundle as its reader would, with the command."""
    answer = subprocess.run(
        [sys.executable, "-m", "functions.cli", "verify", str(bundle), "--key", str(key)],
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.returncode == 0, answer.stdout.strip()


def _leaked(
    secrets: Sequence[str], replayed: Replayed, cards: Sequence[Mapping[str, Any]], unpacked: Path
) -> int:
    """Count the personal values found in the bundle unpacked into a folder, in a card or in an alert."""
    shutil.unpack_archive(replayed.bundle, unpacked)
    texts = [file.read_bytes() + file.name.encode() for file in unpacked.rglob("*") if file.is_file()]
    texts += [orjson.dumps(cards), orjson.dumps(replayed.alerts)]
    return sum(any(secret.encode() in text for text in texts) for secret in secrets)


def _answer(unpacked: Path) -> list[str]:
    """Return the paragraph of the report that is made to be quoted, in lines."""
    page = next(unpacked.rglob("report.html")).read_text(encoding="utf-8")
    marked = re.search(r'<div class="answer".*?</div>', page, re.DOTALL)
    words = html.unescape(re.sub(r"<[^>]+>", "", marked[0] if marked else ""))
    return textwrap.wrap(" ".join(words.split()), 100)


def _tell(summary: Mapping[str, Any], replayed: Replayed, fleet: Outing, report: str, out: Path) -> None:
    lines = [
        "",
        "What happened",
        (
            f"  Three agents answered {summary['traces']} questions;"
            f" {replayed.rows:,} rows of telemetry reached Azure Monitor."
        ),
        "  Checks read the traces back with KQL and found:",
        *(
            f"    {check:16} {len(summary['findings'][check])} traces named, {len(planted)} planted"
            for check, planted in fleet.planted.items()
        ),
        (
            f"  {summary['alerts_opened']} alerts opened;"
            f" the Teams inbox accepted {summary['cards_accepted']} cards."
        ),
        *(
            f"    {alert['severity']:8} {alert['check_id']:16} {' · '.join(alert['key'].values())}"
            for alert in replayed.alerts
        ),
        f"  An auditor's export holds {summary['export']['spans']:,} spans. `tracekeeper verify --key` says:",
        *(f"    {line}" for line in report.splitlines()),
        "  What a person reads first, data/report.html, answers:",
        *(f"    {line}" for line in _answer(out / "bundle")),
        (
            f"  The agents saw {len(fleet.secrets)} personal values;"
            " none may be in the bundle, an alert or a card."
        ),
        "",
        "Where to look next",
        f"  {out}/summary.json      these figures",
        f"  {out}/bundle/           the evidence, unpacked; open data/report.html",
        f"  {out}/alerts.jsonl      each alert with its findings",
        "  make serve                   keep it running: sign in as operator or auditor, see the cards",
        "  docs/architecture.md         how it works",
        f"  done in {summary['seconds']} s",
    ]
    print("\n".join(lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
