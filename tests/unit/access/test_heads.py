"""Each day's head of the ledger is noted once and signed; it finds out what a chain alone can't show."""

import io
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from functions.access.heads import Head, Heads, NewestHead, Signed, read_head
from functions.access.ledger import Access, Ledger
from functions.errors import SigningError, StorageError
from functions.signing.signatures import PublicKey, Signature, Signer, der_fits, jws_fits
from functions.storage.append_log import chain_line
from tests.fakes.signer import MemorySigner
from tests.fakes.storage import MemoryAppendLog, MemoryObjects

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)


@dataclass
class Rig:
    log: MemoryAppendLog = field(default_factory=MemoryAppendLog)
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    signer: Signer | None = None
    now: datetime = NOON

    @property
    def heads(self) -> Heads:
        return Heads(self.log, self.objects, self.signer, clock=lambda: self.now)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.log, now=lambda: self.now, heads=self.heads.marks)

    def write(self, count: int) -> None:
        for _ in range(count):
            n = len(self.log.lines)
            self.ledger.record(Access("exports.list", None, {"n": str(n)}, "served", "", f"c-{n}"))

    def stored(self, name: str) -> bytes:
        return b"".join(self.objects.read(name))


def test_a_head_says_how_many_lines_there_are_and_the_hash_of_the_last() -> None:
    rig = Rig()
    rig.write(3)
    head = rig.heads.tick()
    assert read_head(rig.stored("heads/2026-11-24.json")) == head
    assert (head.day, head.mark.lines) == (TODAY, 3)
    assert head.mark.hash.encode() in rig.log.lines[-1]


def test_a_day_has_one_head_and_the_next_one_goes_on_from_it() -> None:
    rig = Rig()
    rig.write(2)
    first = rig.heads.tick()
    rig.write(2)
    assert rig.heads.tick() == first
    rig.now += 3 * DAY
    assert rig.heads.tick().mark.lines == 4
    assert [mark.lines for mark in rig.heads.marks()] == [4, 2]


def test_an_empty_ledger_has_a_head() -> None:
    assert Rig().heads.tick().mark.lines == 0


def test_a_head_is_signed_over_its_bytes_in_both_forms() -> None:
    signer = MemorySigner()
    rig = Rig(signer=signer)
    rig.write(1)
    rig.heads.tick()
    data = rig.stored("heads/2026-11-24.json")
    assert der_fits(signer.public_key(), rig.stored("heads/2026-11-24.json.sig.der"), data)
    assert jws_fits(signer.public_key(), rig.stored("heads/2026-11-24.json.sig.jws").decode(), data)


class KeyAway:
    """A Signer whose key can't be used."""

    def sign(self, data: bytes) -> Signature:  # noqa: ARG002 - the interface's
        raise SigningError("Key Vault did not sign.", next_step="Wait.")

    def public_key(self) -> PublicKey:
        raise SigningError("Key Vault did not sign.", next_step="Wait.")


def test_a_head_that_could_not_be_signed_stands_and_is_signed_later() -> None:
    rig = Rig(signer=KeyAway())
    rig.write(1)
    with pytest.raises(SigningError):
        rig.heads.tick()
    noted = rig.stored("heads/2026-11-24.json")
    rig.write(1)
    signer = MemorySigner()
    rig.signer = signer
    rig.heads.tick()
    assert rig.stored("heads/2026-11-24.json") == noted
    assert der_fits(signer.public_key(), rig.stored("heads/2026-11-24.json.sig.der"), noted)


@pytest.mark.parametrize("kept", [0, 2])
def test_a_ledger_whose_end_was_cut_off_gets_no_further_head_and_is_not_shown(kept: int) -> None:
    rig = Rig()
    rig.write(4)
    rig.heads.tick()
    del rig.log.lines[kept:]
    rig.now += DAY
    with pytest.raises(StorageError, match="line 4 that was noted"):
        rig.heads.tick()
    with pytest.raises(StorageError, match="line 4 that was noted"):
        rig.ledger.latest(1)


def test_a_ledger_that_was_written_anew_gets_no_further_head() -> None:
    rig = Rig()
    rig.write(3)
    rig.heads.tick()
    previous, lines = "0" * 64, []
    for n in range(5):
        line, previous = chain_line(previous, {"n": n})
        lines.append(line)
    rig.log.lines[:] = lines
    rig.now += DAY
    with pytest.raises(StorageError, match="cut off or rewritten"):
        rig.heads.tick()


def test_a_line_changed_behind_the_head_before_is_noticed() -> None:
    rig = Rig()
    rig.write(2)
    rig.heads.tick()
    rig.write(3)
    rig.log.lines[3] = rig.log.lines[3].replace(b"served", b"denied")
    rig.now += DAY
    with pytest.raises(StorageError, match="broken at line 4"):
        rig.heads.tick()


def test_the_latest_entries_are_read_from_a_head_on() -> None:
    class Counting(MemoryAppendLog):
        read = 0

        def walk(self, *marks):  # type: ignore[no-untyped-def]  # passes on what it is given
            for step in super().walk(*marks):
                self.read += 1
                yield step

    log = Counting()
    rig = Rig(log=log)
    for _ in range(5):
        rig.write(10)
        rig.heads.tick()
        rig.now += DAY
    rig.write(3)
    log.read = 0
    assert [entry["on"]["n"] for entry in rig.ledger.latest(2).entries] == ["52", "51"]
    assert log.read == 3
    log.read = 0
    assert [entry["on"]["n"] for entry in rig.ledger.latest(12).entries][-1] == "41"
    assert log.read == 3 + 13
    assert len(rig.ledger.latest(1_000).entries) == 53


def test_it_is_told_from_where_the_chain_was_checked_and_where_it_ends() -> None:
    rig = Rig()
    rig.write(4)
    head = rig.heads.tick()
    rig.write(3)
    near, far = rig.ledger.latest(2), rig.ledger.latest(5)
    assert (near.since, near.end.lines) == (head.mark, 7)
    assert (far.since.lines, far.end) == (0, near.end)
    assert near.end.hash.encode() in rig.log.lines[-1]


def signed(rig: Rig) -> Signed:
    newest = rig.heads.newest()
    assert newest is not None
    return newest.signed


def test_the_newest_head_says_whether_its_signature_is_of_the_key_that_signs() -> None:
    rig = Rig(signer=MemorySigner())
    assert rig.heads.newest() is None
    rig.write(1)
    head = rig.heads.tick()
    newest = rig.heads.newest()
    assert newest == NewestHead(head, Signed.HOLDS)
    rig.signer = MemorySigner(2)
    assert signed(rig) is Signed.OTHER_KEY
    rig.signer = KeyAway()
    assert signed(rig) is Signed.UNCHECKED
    rig.signer = None
    assert signed(rig) is Signed.UNCHECKED


def test_a_head_that_is_not_signed_says_so() -> None:
    rig = Rig()
    rig.heads.tick()
    rig.signer = MemorySigner()
    assert signed(rig) is Signed.MISSING


def test_a_head_that_was_written_anew_beside_its_signature_says_so() -> None:
    rig = Rig(signer=MemorySigner())
    rig.write(1)
    rig.heads.tick()
    forged, name = MemoryObjects(), "heads/2026-11-24.json"
    other = rig.stored(name).replace(b'"entries":1', b'"entries":0')
    assert other != rig.stored(name)
    forged.put(name, io.BytesIO(other))
    for suffix in (".sig.der", ".sig.jws"):
        forged.put(name + suffix, io.BytesIO(rig.stored(name + suffix)))
    rig.objects = forged
    assert signed(rig) is Signed.BROKEN


def test_without_heads_the_latest_entries_are_read_without_looking_far_for_one() -> None:
    class Counting(MemoryObjects):
        asked = 0

        def size(self, name: str) -> int | None:
            self.asked += 1
            return super().size(name)

    rig = Rig(objects=Counting())
    rig.write(3)
    assert len(rig.ledger.latest(2).entries) == 2
    assert isinstance(rig.objects, Counting)
    assert rig.objects.asked <= 14


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"day": "2026-11-24", "entries": "many"}'])
def test_what_is_no_head_is_refused(data: bytes) -> None:
    with pytest.raises(StorageError):
        read_head(data)


def test_a_head_comes_back_as_it_was() -> None:
    rig = Rig()
    rig.write(1)
    head: Head = rig.heads.tick()
    assert read_head(rig.stored("heads/2026-11-24.json")) == head
