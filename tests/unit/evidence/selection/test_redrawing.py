"""A bundle with a sample: its verifier draws again."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.evidence.packing.bundle import COMPLETENESS, REQUEST, TAG_MANIFEST
from functions.evidence.selection.sampling import POPULATION, seed_of
from functions.evidence.verification.verification import Ground, Refused, Verified, verify_bundle
from functions.storage.append_log import GENESIS, chain_line
from tests.unit.evidence.material import OTHER, TRACE
from tests.unit.evidence.sound import (
    QUERIES_HMAC,
    Files,
    completeness,
    files_of,
    remade,
    sound_bundle,
    zipped,
)

EXPORT = "e" * 32
BEGUN_LINE, HEAD = chain_line(
    GENESIS, {"action": "exports.draw-begun", "at": "x", "on": {"export_id": EXPORT}}
)
SEED = seed_of(EXPORT, HEAD)


def lowest(seed: str, runs: list[tuple[str, str]]) -> tuple[str, str]:
    """Draw one run as docs/exports.md does, without the product's own code."""
    return min(runs, key=lambda run: hashlib.sha256(f"{seed} {run[0]} {run[1]}".encode()).hexdigest())


def runs_around(trace_id: str) -> list[tuple[str, str]]:
    """Return a population of two strata in which a run of the trace is drawn from the first."""
    number = 0
    while True:
        others = [(f"{number + n:032x}", f"{n:016x}") for n in range(1, 6)]
        runs = sorted([*others, (trace_id, "b7ad6b7169203331")])
        if lowest(SEED, runs)[0] == trace_id:
            return runs
        number += 10


RUNS = runs_around(TRACE)
ANOTHER_SEED = next(seed for n in range(100) if lowest(seed := f"{n:064x}", RUNS)[0] != TRACE)


def sampled() -> Files:
    population = "".join(f"{trace_id} {run_id} 1\n" for trace_id, run_id in RUNS).encode()
    account = {
        "seed": SEED,
        "ledger_head": HEAD,
        "size": 1,
        "stratum": None,
        "population": {
            "file": POPULATION,
            "runs": len(RUNS),
            "sha256": hashlib.sha256(population).hexdigest(),
        },
        "strata": [
            {
                "number": 1,
                "runs": len(RUNS),
                "drawn": [{"trace_id": TRACE, "run_id": "b7ad6b7169203331", "ticket": "0" * 64}],
            }
        ],
    }
    request = {
        "profile": "metadata",
        "selector": {"sample": {"size": 1}},
        "queries_hmac_sha256": QUERIES_HMAC,
        "resolved": {"sample": account},
    }
    unsealed = completeness()
    del unsealed["seals"]
    return files_of(sound_bundle()) | {
        POPULATION: population,
        REQUEST: orjson.dumps(request),
        COMPLETENESS: orjson.dumps(unsealed),
    }


def changed(edit: Callable[[dict[str, Any]], object]) -> Files:
    files = sampled()
    request = orjson.loads(files[REQUEST])
    edit(request["resolved"]["sample"])
    return files | {REQUEST: orjson.dumps(request)}


def test_a_sample_that_comes_out_the_same_is_verified(tmp_path: Path) -> None:
    result = verify_bundle(zipped(remade(sampled()), tmp_path / "b.zip"))
    assert isinstance(result, Verified)
    assert result.payload.sample is not None
    assert (result.payload.sample.drawn, result.payload.sample.population) == (1, 6)


def with_population(*lines: str) -> Files:
    """Write another population, and say so in the request."""
    data = "".join(lines).encode()

    def restate(sample: dict[str, Any]) -> None:
        sample["population"] |= {"runs": len(lines), "sha256": hashlib.sha256(data).hexdigest()}
        sample["strata"][0]["runs"] = len(lines)

    return changed(restate) | {POPULATION: data}


LINES = [f"{trace_id} {run_id} 1\n" for trace_id, run_id in RUNS]

FORGERIES: dict[str, tuple[Files, str]] = {
    "a chosen seed": (changed(lambda sample: sample.update(seed=ANOTHER_SEED)), "another one"),
    "a chosen run": (
        changed(
            lambda sample: sample["strata"][0]["drawn"][0].update(trace_id=RUNS[0][0], run_id=RUNS[0][1])
        ),
        "another one",
    ),
    "a run more": (
        changed(lambda sample: sample["strata"][0]["drawn"].append({"trace_id": OTHER, "run_id": "0" * 16})),
        "another one",
    ),
    "a larger population stated": (
        changed(lambda sample: sample["population"].update(runs=7)),
        "another population",
    ),
    "a run less in the population": (
        sampled() | {POPULATION: "".join(LINES[1:]).encode()},
        "another population",
    ),
    "a population of pleasant runs only": (with_population(*LINES[:1]), "another one"),
    "a run twice": (with_population(*LINES, LINES[-1]), "twice"),
    "out of order": (with_population(*reversed(LINES)), "order"),
    "no runs": (with_population("these are the runs\n"), "shape"),
    "more strata than drawn": (
        with_population(*(line.replace(" 1\n", f" {n}\n") for n, line in enumerate(LINES, start=1))),
        "strata",
    ),
    "the population removed": (
        {name: content for name, content in sampled().items() if name != POPULATION},
        "missing",
    ),
    "a population nobody asked for": (
        files_of(sound_bundle()) | {POPULATION: b""},
        "does not belong",
    ),
}


@pytest.mark.parametrize(("files", "reason"), FORGERIES.values(), ids=FORGERIES)
def test_a_sample_that_comes_out_otherwise_is_refused(files: Files, reason: str, tmp_path: Path) -> None:
    result = verify_bundle(zipped(remade(files), tmp_path / "b.zip"))
    assert isinstance(result, Refused)
    assert reason in " ".join(result.reasons)


def test_a_drawn_trace_that_is_missing_makes_a_bundle_incomplete(tmp_path: Path) -> None:
    both = sorted([*RUNS, (OTHER, "0" * 16)])
    files = with_population(*(f"{trace_id} {run_id} 1\n" for trace_id, run_id in both))
    request = orjson.loads(files[REQUEST])
    sample = request["resolved"]["sample"]
    drawn = sorted(both, key=lambda run: hashlib.sha256(f"{SEED} {run[0]} {run[1]}".encode()).hexdigest())
    sample |= {"size": 7}
    sample["strata"][0]["drawn"] = [{"trace_id": trace_id, "run_id": run_id} for trace_id, run_id in drawn]
    files[REQUEST] = orjson.dumps(request)
    result = verify_bundle(zipped(remade(files), tmp_path / "b.zip"))
    assert isinstance(result, Refused)
    assert "traces drawn are missing" in " ".join(result.reasons)


def test_a_trace_that_was_not_drawn_is_refused(tmp_path: Path) -> None:
    population = [(trace_id.replace(TRACE, OTHER), run_id) for trace_id, run_id in RUNS]
    drawn = lowest(SEED, population)
    files = with_population(*(f"{trace_id} {run_id} 1\n" for trace_id, run_id in sorted(population)))
    request = orjson.loads(files[REQUEST])
    request["resolved"]["sample"]["strata"][0]["drawn"] = [{"trace_id": drawn[0], "run_id": drawn[1]}]
    files[REQUEST] = orjson.dumps(request)
    result = verify_bundle(zipped(remade(files), tmp_path / "b.zip"))
    assert isinstance(result, Refused)
    assert "none of their runs was drawn" in " ".join(result.reasons)


@pytest.mark.parametrize(
    ("export_id", "files", "ground"),
    [
        (EXPORT, sampled(), None),
        ("f" * 32, sampled(), Ground.LEDGER),
        (EXPORT, changed(lambda sample: sample.update(ledger_head="0" * 64)), Ground.LEDGER),
    ],
    ids=["as it was", "a seed of another export", "a head that is not in the ledger"],
)
def test_with_the_ledger_the_seed_must_be_the_exports_own(
    export_id: str, files: Files, ground: Ground | None, tmp_path: Path
) -> None:
    path = zipped(remade(files), tmp_path / "b.zip")
    on = {
        "export_id": export_id,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "tag_manifest_sha256": hashlib.sha256(files_of(path.read_bytes())[TAG_MANIFEST]).hexdigest(),
        "queries_hmac_sha256": QUERIES_HMAC,
    }
    finished, _ = chain_line(HEAD, {"action": "exports.finished", "at": "y", "on": on})
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_bytes(BEGUN_LINE + finished)
    result = verify_bundle(path, ledger=ledger)
    if ground is None:
        assert isinstance(result, Verified)
    else:
        assert isinstance(result, Refused)
        assert result.ground is ground
        assert "seed does not follow" in " ".join(result.reasons)
