"""Costs over HTTP: calls go in as an exporter sends them, and one question brings back what they cost."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.stack import Stack
from tests.checks.telemetry import Trace


def test_finance_gets_the_costs_by_tenant_and_the_others_do_not(tmp_path: Path) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=1)
    with Stack(tmp_path) as stack:
        for number in (1, 2):
            trace = Trace(number, start=start + timedelta(hours=1), sample_rate=50.0)
            run = trace.agent("dispatch-assistant", trace.request(**{"tenant.id": "acme"}))
            trace.chat(
                run,
                (1000, 100),
                model="gpt-4o-2024-08-06",
                **{"gen_ai.usage.cache_read.input_tokens": "400"},
            )
            stack.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
        stack.start_host()
        question = f"{stack.host_url}/api/v1/costs?start={start:%Y-%m-%d}&end={today:%Y-%m-%d}&by=tenant"
        with stack.sign_in("visitor") as visitor:
            assert visitor.get(question, timeout=60).status_code == 403
        with stack.sign_in("finops") as finops:
            answer = finops.get(question, timeout=60)
            table = finops.get(f"{question}&format=csv", timeout=60)
            assert finops.get(f"{question}s", timeout=60).json()["status"] == 400
        with stack.sign_in("officer") as officer:
            entries = officer.get(f"{stack.host_url}/api/v1/access-log", timeout=60).json()["entries"]
    (group,) = answer.json()["groups"]
    assert len(group["group"]) == 24  # the pseudonym
    assert "acme" not in answer.text + table.text
    # 600 tokens at 2.50, 400 cached at 1.25, 100 of output at 10 dollars a million; two calls stand for four.
    assert (group["calls"], group["runs"], group["cost"], group["sampled"]) == (4, 4, 0.012, 0.5)
    (line,) = csv.DictReader(io.StringIO(table.content.decode(), newline=""), strict=True)
    assert (line["tenant"], line["cost"], line["currency"]) == (group["group"], "0.012", "USD")
    outcomes = [entry["outcome"] for entry in reversed(entries) if entry["action"] == "costs.read"]
    assert outcomes == ["denied", "served", "served", "refused"]
