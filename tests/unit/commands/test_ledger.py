"""`tracekeeper ledger verify` over downloaded files: what holds is said, and each tampering is found."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.access.heads import Heads
from functions.cli import main
from functions.evidence.seals.sealing import Sealing
from functions.evidence.seals.store import Seals
from functions.signing.signatures import public_pem
from functions.storage.append_log import GENESIS, chain_line, parse_line
from tests.fakes.signer import MemorySigner
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects
from tests.unit.evidence.sealing_rig import AGENTS, DECLARED, KEPT, PSEUDONYMS, RunsSource

BEGIN = datetime(2026, 11, 23, 1, 15, tzinfo=UTC)
SIGNER = MemorySigner()
DAYS = 3


def write(log: MemoryAppendLog, at: datetime, n: int, action: str = "exports.list") -> None:
    log.append(
        {"at": at, "action": action, "who": None, "on": {"n": str(n)}, "outcome": "served", "reason": ""}
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as someone downloads it: three days of ledger, heads, and seals of two runs a day."""
    log, objects, documents = MemoryAppendLog(), MemoryObjects(), MemoryDocuments()
    runs = [
        (BEGIN + timedelta(days=day, hours=n - 20), (f"{day * 2 + n + 1:032x}", BEGIN, DECLARED, "", ""))
        for day in range(DAYS)
        for n in range(2)
    ]
    for day in range(DAYS):
        now = BEGIN + timedelta(days=day)
        for n in range(4):
            write(log, now, n)
        Sealing(
            RunsSource(runs),  # type: ignore[arg-type]  # rows of cells
            Seals(objects, documents),
            log,
            AGENTS,
            PSEUDONYMS,
            lambda: None,
            KEPT,
            lambda now=now: now,  # type: ignore[misc]  # mypy can't infer a default
        ).tick()
        Heads(log, objects, SIGNER, clock=lambda now=now: now).tick()  # type: ignore[misc]  # as above
    folder = tmp_path_factory.mktemp("kept")
    (folder / "ledger").mkdir()
    (folder / "ledger" / "20261123-00001.jsonl").write_bytes(b"".join(log.lines[:9]))
    (folder / "ledger" / "20261124-00001.jsonl").write_bytes(b"".join(log.lines[9:]))
    for name, data in objects._held.items():  # noqa: SLF001 - as they lie there
        (folder / "evidence" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "evidence" / name).write_bytes(data)
    (folder / "pub.pem").write_text(public_pem(SIGNER.public_key()))
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "download"))


def verify(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    code = main(["ledger", "verify", "--from", str(folder), "--key", str(folder / "pub.pem"), *more])
    return code, capsys.readouterr().out


def lines_of(folder: Path) -> list[bytes]:
    return [line for file in sorted((folder / "ledger").iterdir()) for line in file.read_bytes().splitlines()]


def put(folder: Path, lines: list[bytes]) -> None:
    shutil.rmtree(folder / "ledger")
    (folder / "ledger").mkdir()
    (folder / "ledger" / "20261123-00001.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))


def rewritten(
    lines: list[bytes], change: Callable[[int, dict[str, Any]], dict[str, Any] | None]
) -> list[bytes]:
    """Return a chain that holds in itself, of the entries as `change` makes them."""
    previous, made = GENESIS, []
    for number, line in enumerate(lines, start=1):
        link = parse_line(line)
        assert link is not None
        entry = change(number, dict(link.entry))
        if entry is not None:
            changed, previous = chain_line(previous, entry)
            made.append(changed.rstrip(b"\n"))
    return made


def test_a_ledger_that_nobody_touched_holds_and_says_what_was_checked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = verify(folder, capsys)
    count = len(lines_of(folder))
    assert code == 0
    assert told.startswith("THE LEDGER HOLDS\n")
    assert f"the chain holds over {count} lines" in told
    assert f"3 heads were held against it; the newest covers {count} lines" in told
    assert "3 of the heads are signed with your key" in told
    assert "it has the seals of 3 days; those of 3 lie in the store as they were" in told


def test_an_exported_file_alone_has_no_heads_and_that_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    file.write_bytes(b"".join(line + b"\n" for line in lines_of(folder)))
    assert main(["ledger", "verify", "--from", str(file)]) == 0
    told = capsys.readouterr().out
    assert "NO HEAD was held against it" in told
    assert "they were not at hand" in told


def changed_line(folder: Path) -> None:
    put(folder, [line.replace(b'"n":"2"', b'"n":"7"') for line in lines_of(folder)])


def removed_line(folder: Path) -> None:
    lines = lines_of(folder)
    put(folder, lines[:4] + lines[5:])


def moved_line(folder: Path) -> None:
    lines = lines_of(folder)
    lines[2], lines[3] = lines[3], lines[2]
    put(folder, lines)


def cut_end(folder: Path) -> None:
    put(folder, lines_of(folder)[:-1])


def written_anew(folder: Path) -> None:
    put(folder, rewritten(lines_of(folder), lambda number, entry: None if number == 2 else entry))


def written_anew_with_heads(folder: Path) -> None:
    """As whoever has all of storage can, but not the key."""
    lines = rewritten(
        lines_of(folder), lambda number, entry: entry | {"reason": "x"} if number == 2 else entry
    )
    put(folder, lines)
    for path in sorted((folder / "evidence" / "heads").glob("*.json")):
        old = path.read_bytes()
        number = int(old.split(b'"entries":')[1].split(b",")[0])
        link = parse_line(lines[number - 1])
        assert link is not None
        begin = old.index(b'"hash":"') + 8
        path.write_bytes(old[:begin] + link.hash.encode() + old[begin + 64 :])


def other_signer(folder: Path) -> None:
    path = folder / "evidence" / "heads" / "2026-11-24.json"
    path.with_name(path.name + ".sig.der").write_bytes(MemorySigner(2).sign(path.read_bytes()).der)


def stripped_signature(folder: Path) -> None:
    (folder / "evidence" / "heads" / "2026-11-24.json.sig.jws").unlink()


def backwards(folder: Path) -> None:
    shutil.rmtree(folder / "evidence" / "heads")
    put(
        folder,
        rewritten(
            lines_of(folder),
            lambda number, entry: entry | {"at": "2026-11-22T01:00:00Z"} if number == 9 else entry,
        ),
    )


def changed_list(folder: Path) -> None:
    path = next((folder / "evidence" / "seals" / "2026-11-23").glob("*.tsv"))
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))


def removed_seal(folder: Path) -> None:
    (folder / "evidence" / "seals" / "2026-11-23" / "seal.json").unlink()


def second_seal(folder: Path) -> None:
    shutil.rmtree(folder / "evidence" / "heads")
    lines = lines_of(folder)
    last = parse_line(lines[-1])
    assert last is not None
    seal = dict(last.entry)
    seal["on"] = seal["on"] | {"list_sha256": "0" * 64}
    put(folder, [*lines, chain_line(last.hash, seal)[0].rstrip(b"\n")])


@pytest.mark.parametrize(
    ("tamper", "code", "told"),
    [
        (changed_line, 4, "broken at line 3"),
        (removed_line, 4, "broken at line 5"),
        (moved_line, 4, "broken at line 3"),
        (cut_end, 4, "but the ledger ends before that"),
        (written_anew, 4, "the ledger was written anew"),
        (written_anew_with_heads, 3, "is not signed with the key given"),
        (other_signer, 3, "heads/2026-11-24.json is not signed with the key given"),
        (stripped_signature, 3, "heads/2026-11-24.json is not signed"),
        (backwards, 1, "The dates run backwards at 1 lines: 9 (by "),
        (changed_list, 1, "is not what the ledger says was sealed"),
        (removed_seal, 1, "The seal of 2026-11-23 has gone"),
        (second_seal, 1, "two different seals of 2026-11-24"),
    ],
)
def test_each_way_of_tampering_is_found(
    tamper: Callable[[Path], None],
    code: int,
    told: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tamper(folder)
    found, said = verify(folder, capsys)
    assert (found, said.splitlines()[0]) == (code, "THE LEDGER DOES NOT HOLD")
    assert told in said


def test_a_wrong_call_has_a_code_of_its_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "verify", "--from", str(folder / "nowhere")]) == 2
    assert main(["ledger", "verify", "--from", str(folder), "--key", str(folder / "ledger")]) == 2
    assert "tracekeeper:" in capsys.readouterr().out


def test_a_clock_that_was_off_is_said_beside_the_dates(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = MemoryAppendLog()
    write(log, BEGIN, 1)
    write(log, BEGIN + timedelta(hours=1), 2, "clock.off")
    write(log, BEGIN + timedelta(minutes=2), 3, "clock.right")
    file = tmp_path / "ledger.jsonl"
    file.write_bytes(b"".join(log.lines))
    assert main(["ledger", "verify", "--from", str(file)]) == 1
    told = capsys.readouterr().out
    assert "The dates run backwards at 1 lines: 3 (by 58 min)." in told
    assert "The ledger itself says 1 times that the clock was off." in told


def test_a_day_without_a_seal_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(folder / "evidence" / "heads")
    put(
        folder,
        rewritten(
            lines_of(folder),
            lambda _, entry: None if entry["on"].get("day") == "2026-11-23" else entry,
        ),
    )
    code, told = verify(folder, capsys)
    assert code == 0
    assert "There is no seal of 2026-11-23: nothing says why. That is not zero traces." in told
