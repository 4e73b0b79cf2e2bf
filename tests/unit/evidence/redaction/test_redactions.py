from datetime import UTC, datetime

from functions.evidence.redaction.policy import redaction_policy
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.redactions import Redactions
from functions.evidence.redaction.sanitizer import SanitizedRow
from functions.traces.model import TraceRow

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ROW = TraceRow("AppTraces", "4bf92f3577b34da6a3ce929d0e0e4736", "", "", NOW, NOW, {}, {})
POLICY = redaction_policy({"version": 1, "columns": {}, "properties": {}})


def a_result(*unknown: str, **removed: int) -> SanitizedRow:
    reasons = tuple(reason for reason, times in removed.items() for _ in range(times))
    return SanitizedRow(ROW, reasons, frozenset(unknown))


def redactions(*rows: SanitizedRow) -> Redactions:
    total = Redactions(POLICY, Pseudonyms(bytes(32), "keyA"))
    for row in rows:
        total.add(row)
    return total


def test_counts_of_all_rows_are_added_up() -> None:
    body = redactions(a_result("bb", unknown=1, url=1), a_result("aa", "bb", unknown=2)).body(
        rescanned=["b", "a"]
    )
    assert body == {
        "profile": "metadata",
        "policy_version": 1,
        "policy_sha256": POLICY.hash,
        "pseudonym_key_id": "keyA",
        "previous_pseudonym_key_id": None,
        "rows": 2,
        "removed": {"unknown": 3, "url": 1},
        "unknown_attributes": {"names": ["aa", "bb"], "complete": True},
        "rescan": {"found": 0, "files": ["a", "b"]},
    }


def test_a_flood_of_names_is_cut_alike_in_any_order() -> None:
    rows = [a_result(f"{number:05}", unknown=1) for number in range(5000)]
    forth, back = redactions(*rows).body(rescanned=[]), redactions(*reversed(rows)).body(rescanned=[])
    assert forth == back
    assert forth["unknown_attributes"] == {
        "names": [f"{number:05}" for number in range(1000)],
        "complete": False,
    }
    assert forth["removed"] == {"unknown": 5000}
