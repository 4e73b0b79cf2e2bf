"""A small bundle with every file it should have, signed; and how a forger changes one."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from functions.evidence.controls.verdicts import Basis, Control, Result, RunVerdicts, Verdict, encode_controls
from functions.evidence.packing.bundle import (
    COMPLETENESS,
    CONTENT,
    CONTROLS,
    COVERAGE,
    MANIFEST,
    REDACTIONS,
    REPORT,
    REQUEST,
    SIGNATURES,
    TABLE,
    TAG_MANIFEST,
    TRACES,
    BundleWriter,
    payload_names,
)
from functions.evidence.packing.otlp import encode_traces
from functions.evidence.packing.table import encode_table
from functions.evidence.seals.seals import digest_of
from tests.fakes.signer import MemorySigner
from tests.unit.evidence.material import AGENT, NOON, TRACE, row
from tests.unit.evidence.material import REQUEST as ROOT

Files = dict[str, bytes]

SIGNER = MemorySigner()
QUERIES_HMAC = "a" * 64
SEAL_HASH = "b" * 64
ROWS = (
    row("AppRequests", span_id=ROOT),
    row(span_id=AGENT, parent_id=ROOT, properties={"gen_ai.agent.name": "dispatcher"}),
    row("AppTraces", parent_id=AGENT),
    row("AppExceptions", parent_id=AGENT),
)


def completeness(rows: int = 4, **changes: Any) -> dict[str, Any]:
    half = {"since": NOON, "until": NOON, "complete": True}
    body = {
        "complete": True,
        "rows_at_source": rows,
        "rows_here": rows,
        "missing_trace_ids": [],
        "slices": [
            half | {"table": "AppRequests", "rows_at_source": 1, "rows_here": 1},
            half | {"table": "AppDependencies", "rows_at_source": rows - 1, "rows_here": rows - 1},
        ],
        "seals": seals(),
    }
    return body | changes


def seals(**changes: Any) -> dict[str, Any]:
    return {
        "basis": "Every sealed run of the time asked for must still have a span at the source.",
        "complete": True,
        "kept_since": "2026-10-01",
        "behind_retention": False,
        "days": [
            {
                "day": "2026-11-22",
                "traces": 3,
                "compared": 1,
                "list_sha256": "c" * 64,
                "ledger_hash": SEAL_HASH,
            }
        ],
        "not_sealed": [{"day": "2026-11-23", "why": "not over when this was asked for"}],
        "damaged": [],
        "vanished": {"traces": 0, "sha256": digest_of([]), "named": []},
        "expired": {"traces": 0, "sha256": digest_of([]), "named": []},
        "never_sealed": [],
    } | changes


def payload(profile: str = "metadata") -> Files:
    """Return the payload files of a bundle about one trace of four rows and one run."""
    verdicts = tuple(
        Verdict(control, Result.FAIL if control is Control.LATENCY else Result.PASS, "as measured")
        for control in Control
    )
    run = RunVerdicts(TRACE, AGENT, NOON, "dispatcher", "2.0", "d" * 64, Basis.OBSERVED, verdicts)
    files = {
        TRACES: encode_traces(ROWS).data,
        TABLE: encode_table(ROWS),
        CONTROLS: b"".join(encode_controls([run])),
        REPORT: b"<!doctype html><title>Evidence</title>\n",
        REQUEST: _json(
            {"profile": profile, "selector": {"trace_ids": [TRACE]}, "queries_hmac_sha256": QUERIES_HMAC}
        ),
        COMPLETENESS: _json(completeness()),
        COVERAGE: _json({"complete": True, "checks": []}),
        REDACTIONS: _json({"profile": profile, "rows": 4, "rescan": {"found": 0}}),
    }
    if profile == "content":
        files[CONTENT] = _json({"trace_id": TRACE, "span_id": AGENT, "role": "user", "text": "masked"})
    return files


def sound_bundle(profile: str = "metadata", *, signed: bool = True) -> bytes:
    """Return the zip."""
    writer = BundleWriter(payload_names(profile), rescan=lambda _: None, signer=SIGNER if signed else None)
    with writer:
        for name, content in payload(profile).items():
            writer.open(name).write(content)
        with writer.finish() as bundle:
            return bundle.file.read()


def files_of(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.removeprefix("bundle/"): archive.read(name) for name in archive.namelist()}


def zipped(files: Mapping[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"bundle/{name}", content)
    return path


def unpacked(files: Mapping[str, bytes], path: Path) -> Path:
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return path


def remade(files: Mapping[str, bytes]) -> Files:
    """Write manifests that fit: what a forger does, who can't be stopped but by a signature."""
    listed = {name: content for name, content in files.items() if name.startswith("data/")}
    oxum = f"{sum(map(len, listed.values()))}.{len(listed)}"
    tags = {
        "bagit.txt": files["bagit.txt"],
        "bag-info.txt": f"Payload-Oxum: {oxum}\n".encode(),
        MANIFEST: _manifest(listed),
    }
    return dict(files) | tags | {TAG_MANIFEST: _manifest(tags)}


def without_signatures(files: Mapping[str, bytes]) -> Files:
    return {name: content for name, content in files.items() if name not in SIGNATURES}


def _manifest(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()).encode()


def _json(value: object) -> bytes:
    return orjson.dumps(value) + b"\n"
