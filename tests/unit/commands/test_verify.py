"""What `tracekeeper verify` says to a person, and what its exit code says to a script."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.cli import main
from functions.evidence.packing.bundle import COMPLETENESS, SIGNATURE_DER, SIGNATURE_JWS, TABLE, TAG_MANIFEST
from functions.signing.signatures import public_pem
from functions.storage.append_log import GENESIS, chain_line
from tests.fakes.signer import MemorySigner
from tests.unit.evidence.sound import (
    QUERIES_HMAC,
    SIGNER,
    completeness,
    files_of,
    remade,
    seals,
    sound_bundle,
    unpacked,
    without_signatures,
    zipped,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "bundle-metadata.zip"
    path.write_bytes(sound_bundle())
    return path


@pytest.fixture
def key(tmp_path: Path) -> str:
    (tmp_path / "pub.pem").write_text(public_pem(SIGNER.public_key()))
    return str(tmp_path / "pub.pem")


class Call:
    """Runs the command; keeps what it printed, on one line."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> tuple[int, str]:
        code = main(["verify", *map(str, arguments)])
        return code, " ".join(self._capsys.readouterr().out.split())


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Call:
    return Call(capsys)


def test_a_sound_bundle_exits_0_and_says_what_it_holds(bundle: Path, verify: Call) -> None:
    code, said = verify(bundle)
    assert code == 0
    assert said.startswith("VERIFIED")
    assert "14 files, all listed, every SHA-256 equal, nothing besides" in said
    assert "4 rows in 1 traces: 2 spans, 2 events" in said
    assert "1 runs, each held once to each control: 6 pass, 1 fail, 0 not evaluable" in said
    assert "complete:" in said
    assert "1 daily seals: of 1 sealed traces 0 vanished, 0 older than the retention" in said


def test_without_a_key_it_says_that_nobodys_signature_was_checked_and_what_that_means(
    bundle: Path, verify: Call, tmp_path: Path
) -> None:
    _, said = verify(bundle)
    assert "SIGNATURE NOT CHECKED" in said
    assert "must not come from the bundle" in said
    unsigned = zipped(without_signatures(files_of(bundle.read_bytes())), tmp_path / "unsigned.zip")
    code, said = verify(unsigned)
    assert (code, "NOT SIGNED" in said) == (0, True)


def test_with_the_key_it_names_the_key(bundle: Path, verify: Call, key: str) -> None:
    code, said = verify(bundle, "--key", key)
    assert code == 0
    assert f"signed with your key {SIGNER.sign(b'').key_id}" in said
    assert "NOT CHECKED" not in said


def test_a_signature_that_is_missing_or_of_another_key_exits_3(
    bundle: Path, verify: Call, key: str, tmp_path: Path
) -> None:
    files = files_of(bundle.read_bytes())
    code, said = verify(zipped(without_signatures(files), tmp_path / "stripped.zip"), "--key", key)
    assert (code, "not signed, or its signature was removed" in said) == (3, True)
    other = MemorySigner(2)
    forged = other.sign(files[TAG_MANIFEST])
    files |= {SIGNATURE_DER: forged.der, SIGNATURE_JWS: forged.jws.encode()}
    code, said = verify(zipped(files, tmp_path / "forged.zip"), "--key", key)
    assert code == 3
    assert f"{SIGNATURE_DER} is no signature of your key" in said
    assert f"It names the key '{forged.key_id}'; yours is {SIGNER.sign(b'').key_id}" in said


@pytest.mark.parametrize("name", [SIGNATURE_DER, SIGNATURE_JWS])
def test_both_forms_of_the_signature_must_fit(
    name: str, bundle: Path, verify: Call, key: str, tmp_path: Path
) -> None:
    files = files_of(bundle.read_bytes())
    over_another = SIGNER.sign(b"another")
    files[name] = over_another.der if name == SIGNATURE_DER else over_another.jws.encode()
    code, said = verify(zipped(files, tmp_path / "b.zip"), "--key", key)
    assert (code, f"{name} is no signature of your key" in said) == (3, True)


def test_a_damaged_bundle_exits_1_and_says_why(bundle: Path, verify: Call) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-30])
    code, said = verify(bundle)
    assert code == 1
    assert said.startswith("REFUSED")
    assert "because of its files - " in said


def test_an_incomplete_bundle_is_verified_and_called_incomplete(
    bundle: Path, verify: Call, tmp_path: Path
) -> None:
    short = completeness(missing_trace_ids=["x"], complete=False)
    files = files_of(bundle.read_bytes()) | {COMPLETENESS: orjson.dumps(short)}
    code, said = verify(zipped(remade(files), tmp_path / "b.zip"))
    assert (code, "INCOMPLETE: data/completeness.json names what is missing" in said) == (0, True)


def test_a_bundle_held_against_no_seal_says_so(bundle: Path, verify: Call, tmp_path: Path) -> None:
    body = completeness()
    del body["seals"]
    files = files_of(bundle.read_bytes()) | {COMPLETENESS: orjson.dumps(body)}
    _, said = verify(zipped(remade(files), tmp_path / "b.zip"))
    assert "not held against any seal" in said
    for seals_of_none, words in (
        (seals(days=[]), "held against no seal (days without one: 1): a trace"),
        (seals(days=[], not_sealed=[]), "held against no seal: a trace"),
    ):
        files = files_of(bundle.read_bytes()) | {
            COMPLETENESS: orjson.dumps(completeness(seals=seals_of_none))
        }
        _, said = verify(zipped(remade(files), tmp_path / "b.zip"))
        assert words in said


@pytest.mark.parametrize(
    "content", [None, b"", b"-----BEGIN PUBLIC KEY-----\nsesame\n-----END PUBLIC KEY-----\n"]
)
def test_a_key_that_can_not_be_used_exits_2(
    content: bytes | None, bundle: Path, verify: Call, tmp_path: Path
) -> None:
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
    code, said = verify(bundle, "--key", path)
    assert (code, "VERIFIED" in said, "sesame" in said) == (2, False, False)


def test_verify_explains_its_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["verify", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for code in ("0: verified", "1: its files", "2: wrong call", "3: not signed", "4: not in that ledger"):
        assert code in shown


def test_it_runs_as_a_module(bundle: Path) -> None:
    call = [sys.executable, "-m", "functions.cli", "verify", str(bundle)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("VERIFIED")


# the ledger


class Chain:
    """Writes a ledger with what the app enters about a bundle."""

    def __init__(self, bundle: Path) -> None:
        import hashlib

        data = bundle.read_bytes()
        self.lines: list[bytes] = []
        self.head = GENESIS
        self.add({"action": "exports.requested", "at": "2026-11-22T11:00:00Z", "on": {"export_id": "e" * 32}})
        self.seal_hash = self.add({"action": "seals.sealed", "at": "2026-11-23T01:00:00Z"})
        self.finished = {
            "action": "exports.finished",
            "at": "2026-11-22T12:00:00Z",
            "on": {
                "export_id": "e" * 32,
                "sha256": hashlib.sha256(data).hexdigest(),
                "tag_manifest_sha256": hashlib.sha256(files_of(data)[TAG_MANIFEST]).hexdigest(),
                "queries_hmac_sha256": QUERIES_HMAC,
            },
        }

    def add(self, entry: dict[str, Any]) -> str:
        line, self.head = chain_line(self.head, entry)
        self.lines.append(line)
        return self.head

    def save(self, path: Path) -> Path:
        path.write_bytes(b"".join(self.lines))
        return path


@pytest.fixture
def chained(tmp_path: Path) -> tuple[Path, Chain]:
    """Return a bundle whose seals name an entry of the ledger, and that ledger."""
    first = tmp_path / "first.zip"
    first.write_bytes(sound_bundle())
    chain = Chain(first)
    day = seals()["days"][0] | {"ledger_hash": chain.seal_hash}
    body = orjson.dumps(completeness(seals=seals(days=[day])))
    files = remade(files_of(first.read_bytes()) | {COMPLETENESS: body})
    bundle = zipped(files, tmp_path / "bundle-metadata.zip")
    again = Chain(bundle)
    again.add(again.finished)
    again.add({"action": "exports.download", "at": "2026-11-22T13:00:00Z", "on": {"export_id": "e" * 32}})
    return bundle, again


def test_a_bundle_that_the_ledger_knows_is_found_there(
    chained: tuple[Path, Chain], verify: Call, tmp_path: Path
) -> None:
    bundle, chain = chained
    code, said = verify(bundle, "--ledger", chain.save(tmp_path / "ledger.jsonl"))
    assert code == 0
    assert f"in the ledger: export {'e' * 32}, finished 2026-11-22T12:00:00Z, with these very files" in said
    assert f"holds over 4 lines up to {chain.head}" in said
    assert "its end was cut off" in said


def test_an_unpacked_bundle_is_found_by_its_tag_manifest(
    chained: tuple[Path, Chain], verify: Call, tmp_path: Path
) -> None:
    bundle, chain = chained
    ledger = chain.save(tmp_path / "ledger.jsonl")
    folder = unpacked(files_of(bundle.read_bytes()), tmp_path / "unpacked")
    code, said = verify(folder, "--ledger", ledger)
    assert (code, "with these very files" in said) == (0, True)
    other = files_of(bundle.read_bytes())
    other[TABLE] = other[TABLE].replace(b"shop", b"shoq")
    code, _ = verify(unpacked(remade(other), tmp_path / "forged"), "--ledger", ledger)
    assert code == 4


def test_a_zip_that_was_packed_or_signed_anew_is_not_the_one_in_the_ledger(
    chained: tuple[Path, Chain], verify: Call, tmp_path: Path
) -> None:
    bundle, chain = chained
    ledger = chain.save(tmp_path / "ledger.jsonl")
    files = files_of(bundle.read_bytes())
    signature = MemorySigner(2).sign(files[TAG_MANIFEST])
    files |= {SIGNATURE_DER: signature.der, SIGNATURE_JWS: signature.jws.encode()}
    code, said = verify(zipped(files, tmp_path / "again.zip"), "--ledger", ledger)
    assert (code, "No export in the ledger" in said) == (4, True)


def _cut(chain: Chain) -> None:
    del chain.lines[0]


def _reworded(chain: Chain) -> None:
    chain.lines[0] = chain.lines[0].replace(b"11:00", b"10:00")


def _moved(chain: Chain) -> None:
    chain.lines[0], chain.lines[1] = chain.lines[1], chain.lines[0]


def _without_seal(chain: Chain) -> None:
    rebuild(chain, lambda entry: entry["action"] != "seals.sealed")


def _without_export(chain: Chain) -> None:
    rebuild(chain, lambda entry: entry["action"] != "exports.finished")


def rebuild(chain: Chain, keep: Callable[[dict[str, Any]], bool]) -> None:
    """Write a chain that holds, of some entries only."""
    entries = [orjson.loads(line)["entry"] for line in chain.lines]
    chain.lines, chain.head = [], GENESIS
    for entry in filter(keep, entries):
        chain.add(entry)


def _other_queries(chain: Chain) -> None:
    entries = [orjson.loads(line)["entry"] for line in chain.lines]
    chain.lines, chain.head = [], GENESIS
    for entry in entries:
        if entry["action"] == "exports.finished":
            entry["on"]["queries_hmac_sha256"] = "0" * 64
        chain.add(entry)


LEDGERS: dict[str, tuple[Callable[[Chain], None], str]] = {
    "its beginning cut off": (_cut, "broken at line 1"),
    "an entry reworded": (_reworded, "broken at line 1"),
    "entries moved": (_moved, "broken at line 1"),
    "no such export": (_without_export, "No export in the ledger has this bundle's hashes"),
    "other queries": (_other_queries, "No export in the ledger"),
    "no such seal": (_without_seal, "1 seals that completeness.json names are not in the ledger"),
    "no ledger at all": (lambda chain: chain.lines.clear(), "No export in the ledger"),
}


@pytest.mark.parametrize(("change", "reason"), LEDGERS.values(), ids=LEDGERS)
def test_a_ledger_that_does_not_know_the_bundle_exits_4(
    change: Callable[[Chain], None],
    reason: str,
    chained: tuple[Path, Chain],
    verify: Call,
    tmp_path: Path,
) -> None:
    bundle, chain = chained
    change(chain)
    code, said = verify(bundle, "--ledger", chain.save(tmp_path / "ledger.jsonl"))
    assert code == 4
    assert "because of the ledger" in said
    assert reason in said


def test_a_ledger_that_can_not_be_read_exits_2(bundle: Path, verify: Call, tmp_path: Path) -> None:
    assert verify(bundle, "--ledger", tmp_path / "none.jsonl")[0] == 2
