"""A trace that is deleted at the source after its seal: from the seal to the auditor's command line."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.cli import main
from functions.evidence.exports.export import Export
from functions.evidence.seals.account import SealAccount
from functions.evidence.seals.reconciling import Reconciler
from functions.evidence.seals.sealing import Sealing
from functions.evidence.seals.store import Seals
from functions.evidence.selection.membership import Resolved
from functions.signing.signatures import public_pem
from functions.traces.model import TABLES
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.storage import MemoryAppendLog
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import NOON, OTHER, TRACE, envelopes, protection
from tests.unit.evidence.rig import Rig
from tests.unit.evidence.sealing_rig import AGENTS

WINDOW = {"window": {"start": "2026-11-22T11:00:00Z", "end": "2026-11-22T13:00:00Z"}}


class SealedRig(Rig):
    """Exports over telemetry of a day that is sealed, with the seals that really are there."""

    def __init__(self) -> None:
        super().__init__()
        self.telemetry = Telemetry()
        self.telemetry.ingest(envelopes(TRACE) + envelopes(OTHER), delay=timedelta(seconds=2))
        self.source = TelemetrySource(self.telemetry)
        self.now = datetime(2026, 11, 23, 1, 15, tzinfo=UTC)
        sealing = Sealing(
            source=self.source,
            seals=Seals(self.objects, self.documents),
            ledger=self.log,
            agents=AGENTS,
            pseudonyms=protection().pseudonyms,
            hindrance=lambda: None,
            retention=timedelta(days=90),
            clock=lambda: self.now,
        )
        assert sealing.tick().sealed == (NOON.date(),)

    def reconcile(self, export: Export, resolved: Resolved) -> SealAccount:
        reconciler = Reconciler(
            self.source,
            Seals(self.objects, self.documents),
            protection().pseudonyms,
            timedelta(days=90),
            self.log,
            lambda: self.now,
        )
        return reconciler.reconcile(export.selection, resolved, at=export.requested_at, export_id=export.id)

    def delete_at_source(self, trace_id: str) -> None:
        for table in TABLES:
            self.telemetry._database.execute(  # noqa: SLF001 - nothing of ours can do it
                f'DELETE FROM "{table}" WHERE "OperationId" = $trace_id',
                {"trace_id": trace_id},
            )

    def exported(self, selector: dict[str, Any]) -> tuple[Export, dict[str, bytes]]:
        export_id = self.requested(selector)
        self.run(export_id)
        with zipfile.ZipFile(io.BytesIO(self.bundle(export_id))) as bundle:
            files = {name.partition("/")[2]: bundle.read(name) for name in bundle.namelist()}
        return self.exports.get(export_id), files


@pytest.mark.parametrize("selector", [WINDOW, {"trace_ids": [TRACE, OTHER]}])
def test_an_export_before_the_deletion_is_complete_and_after_it_names_what_vanished(
    selector: dict[str, Any],
) -> None:
    rig = SealedRig()
    export, files = rig.exported(selector)
    assert export.counts is not None
    assert export.counts.complete
    assert export.missing == ()
    assert orjson.loads(files["data/completeness.json"])["seals"]["vanished"]["traces"] == 0
    rig.delete_at_source(OTHER)
    export, files = rig.exported(selector)
    completeness = orjson.loads(files["data/completeness.json"])
    assert completeness["complete"] is False
    assert completeness["seals"]["vanished"]["named"] == [{"trace_id": OTHER, "sealed_on": "2026-11-22"}]
    assert export.bundle is not None
    assert export.bundle.object_name.endswith("bundle-metadata-INCOMPLETE.zip")
    assert f"1 sealed trace is no longer at the source: {OTHER}." in export.missing
    assert OTHER in files["data/report.html"].decode()
    assert "INCOMPLETE" in files["data/report.html"].decode()
    (entry,) = [entry for entry in rig.log.entries() if entry["action"] == "seals.vanished"]
    assert (entry["on"]["export_id"], entry["on"]["traces"]) == (export.id, "1")


def test_the_auditor_verifies_an_incomplete_bundle_against_the_ledger_and_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = SealedRig()
    rig.delete_at_source(OTHER)
    export, _ = rig.exported(WINDOW)
    assert isinstance(rig.log, MemoryAppendLog)
    assert rig.signer is not None
    (tmp_path / "bundle.zip").write_bytes(rig.bundle(export.id))
    (tmp_path / "pub.pem").write_text(public_pem(rig.signer.public_key()))
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(rig.log.lines))
    key, ledger = str(tmp_path / "pub.pem"), str(tmp_path / "ledger.jsonl")
    assert main(["verify", str(tmp_path / "bundle.zip"), "--key", key, "--ledger", ledger]) == 0
    told = capsys.readouterr().out
    assert "INCOMPLETE" in told
    assert "of 2 sealed traces 1 vanished" in told
    without_seals = [line for line in rig.log.lines if b"seals.day" not in line]
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(without_seals))
    assert main(["verify", str(tmp_path / "bundle.zip"), "--key", key, "--ledger", ledger]) == 4
