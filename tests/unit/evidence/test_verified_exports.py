"""Exports as the jobs really make them, verified with the public key and the exported ledger."""

from pathlib import Path
from typing import Any

import pytest

from functions.errors import SigningError, SigningRefused
from functions.evidence.exports.export import State
from functions.evidence.seals.account import SealAccount
from functions.evidence.selection.selection import Asking, parse_selection
from functions.evidence.verification.verification import Ground, Refused, Verified, verify_bundle
from functions.signing.signatures import PublicKey, Signature
from tests.fakes.signer import MemorySigner
from tests.fakes.storage import MemoryAppendLog
from tests.unit.evidence.material import ABSENT, NOON, OTHER, TRACE
from tests.unit.evidence.rig import ASKER, Rig
from tests.unit.evidence.sound import seals

WINDOW = {"start": NOON.isoformat(), "end": NOON.replace(hour=13).isoformat()}


class Exported:
    """Makes exports, and writes bundle and ledger to files as an auditor gets them."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig()
        self.log = MemoryAppendLog()
        self.rig.log = self.log
        entered = self.log.append({"action": "seals.sealed", "at": NOON})
        day = seals()["days"][0] | {"ledger_hash": entered}
        self.rig.seals = SealAccount(complete=True, body=seals(days=[day]))
        self.folder = folder

    def make(self, selector: dict[str, Any], profile: str = "metadata") -> tuple[Path, Path]:
        body = {"profile": profile, "reason": "weekly review", "ticket": "OPS-1", "selector": selector}
        export_id = self.rig.exports.request(
            parse_selection(
                body, resolve_alert=lambda _: [TRACE], asking=Asking(profiles=("metadata", "content"))
            ),
            requester=ASKER,
        ).id
        self.rig.run(export_id)
        export = self.rig.exports.get(export_id)
        assert export.state is State.DONE, export.failure
        assert export.bundle is not None
        bundle = self.folder / export.bundle.object_name.rpartition("/")[2]
        bundle.write_bytes(self.rig.bundle(export_id))
        ledger = self.folder / "ledger.jsonl"
        ledger.write_bytes(b"".join(self.log.lines))
        return bundle, ledger


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    return Exported(tmp_path)


@pytest.mark.parametrize("profile", ["metadata", "content"])
@pytest.mark.parametrize(
    ("selector", "traces", "complete"),
    [
        ({"trace_ids": [TRACE, OTHER]}, 2, True),
        ({"trace_ids": [TRACE, ABSENT]}, 1, False),
        ({"window": WINDOW}, 2, True),
    ],
    ids=["by id", "with one missing", "by window"],
)
def test_an_export_verifies_with_key_and_ledger(
    selector: dict[str, Any], traces: int, complete: bool, profile: str, exported: Exported
) -> None:
    bundle, ledger = exported.make(selector, profile)
    assert bundle.name == f"bundle-{profile}{'' if complete else '-INCOMPLETE'}.zip"
    result = verify_bundle(bundle, key=MemorySigner().public_key(), ledger=ledger)
    assert isinstance(result, Verified), result
    assert (result.payload.traces, result.payload.complete) == (traces, complete)
    assert result.ledger is not None
    assert result.ledger.by_file
    another = verify_bundle(bundle, key=MemorySigner(2).public_key(), ledger=ledger)
    assert isinstance(another, Refused)
    assert another.ground is Ground.SIGNATURE


def test_a_sample_is_drawn_again_and_its_seed_is_found_in_the_ledger(exported: Exported) -> None:
    bundle, ledger = exported.make({"sample": WINDOW | {"size": 1}})
    result = verify_bundle(bundle, key=MemorySigner().public_key(), ledger=ledger)
    assert isinstance(result, Verified), result
    assert result.payload.sample is not None
    assert (result.payload.sample.drawn, result.payload.sample.population) == (1, 2)
    assert result.payload.traces == 1


def test_a_ledger_that_was_written_anew_without_the_draw_does_not_know_the_sample(exported: Exported) -> None:
    bundle, ledger = exported.make({"sample": WINDOW | {"size": 1}})
    forged = MemoryAppendLog()
    for entry in exported.log.entries():
        if entry["action"] != "exports.draw-begun":
            forged.append(entry)
    ledger.write_bytes(b"".join(forged.lines))
    result = verify_bundle(bundle, ledger=ledger)
    assert isinstance(result, Refused)
    assert result.ground is Ground.LEDGER
    assert "seed" in " ".join(result.reasons)


class Unable:
    """A signer whose key can't be used."""

    def __init__(self, error: SigningError) -> None:
        self._error = error

    def sign(self, _: bytes) -> Signature:
        raise self._error

    def public_key(self) -> PublicKey:
        return MemorySigner().public_key()


def test_a_refusal_to_sign_fails_the_export_at_once_and_a_pause_does_not(exported: Exported) -> None:
    rig = exported.rig
    export_id = rig.requested()
    rig.signer = Unable(SigningError("not now", next_step="wait"))
    with pytest.raises(SigningError):
        rig.run(export_id)
    assert rig.exports.get(export_id).state is State.RUNNING
    rig.signer = Unable(SigningRefused("never", next_step="act"))
    rig.run(export_id)
    export = rig.exports.get(export_id)
    assert export.state is State.FAILED
    assert "could not be signed" in (export.failure or "")
    assert export.bundle is None
