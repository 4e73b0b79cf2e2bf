"""`python -m local.agents`: runs the sample fleet, sends its telemetry, writes down what was planted."""

import argparse
import asyncio
import sys
from dataclasses import asdict
from pathlib import Path

import orjson

from local.agents.fleet import FLEET, Truth, run_fleet
from local.agents.plan import RunPlan, plan_runs
from local.agents.telemetry import NowhereToSendError, TelemetryLostError, telemetry

_PROGRESS_EVERY = 25


def main(arguments: list[str]) -> int:
    """Run the fleet; 0 when all its telemetry was accepted, 1 when not, 2 when the arguments are wrong."""
    options = _parser().parse_args(arguments)
    try:
        plans = plan_runs(
            [agent.role for agent in FLEET], options.runs, seed=options.seed, healthy=options.healthy
        )
    except ValueError as error:
        print(f"local.agents: {error}", file=sys.stderr)
        return 2
    try:
        with telemetry():
            truth = asyncio.run(_run(plans, options.seed))
            print(f"{truth.traces} runs done, sending what is left", flush=True)
    except (NowhereToSendError, TelemetryLostError) as error:
        print(f"local.agents: {error}", file=sys.stderr)
        return 1
    options.out.write_bytes(orjson.dumps(asdict(truth), option=orjson.OPT_INDENT_2))
    planted = ", ".join(f"{len(traces)} {check}" for check, traces in truth.planted.items())
    print(f"{truth.traces} traces sent; planted: {planted}; {len(truth.secrets)} personal values")
    return 0


async def _run(plans: tuple[RunPlan, ...], seed: int) -> Truth:
    def progress(done: int) -> None:
        if done % _PROGRESS_EVERY == 0:
            print(f"{done} of {len(plans)} runs", flush=True)

    return await run_fleet(plans, seed=seed, progress=progress)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.agents", description=__doc__)
    parser.add_argument("--runs", type=int, default=150, help="how many (default: 150)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another story (default: 1)")
    parser.add_argument("--healthy", action="store_true", help="nothing misbehaves")
    parser.add_argument("--out", type=Path, required=True, help="where to write what was planted, as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
