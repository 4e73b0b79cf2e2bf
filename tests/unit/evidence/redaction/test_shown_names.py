import re

import pytest

from functions.evidence.redaction.sanitizer import Sanitizer
from functions.evidence.redaction.shown_names import ShownNames
from tests.unit.evidence.material import protection

PSEUDONYM = re.compile(r"[a-p]{24}")


def shown(documents: str = "retrieval.document_ids") -> ShownNames:
    kept = protection()
    sanitize = Sanitizer(kept.policy, kept.pseudonyms, kept.detectors).sanitize
    return ShownNames(sanitize, kept.pseudonyms, documents)


@pytest.mark.parametrize("kind", ["agent", "tool", "document", "release"])
def test_a_name_that_the_policy_keeps_is_shown(kind: str) -> None:
    assert shown().name(kind, "search-1.0") == "search-1.0"


@pytest.mark.parametrize("kind", ["agent", "tool", "document", "release"])
@pytest.mark.parametrize(
    "hostile",
    [
        "Ada Lovelace lives here",
        "ada@example.com",
        "4111111111111111",
        "=HYPERLINK(1)",
        "x" * 200,
        "line\nbreak",
        "a\u202eb",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    ],
)
def test_what_the_policy_does_not_keep_is_a_pseudonym(kind: str, hostile: str) -> None:
    first = shown().name(kind, hostile)
    assert PSEUDONYM.fullmatch(first)
    assert first == shown().name(kind, hostile)


def test_without_a_property_for_documents_their_ids_are_pseudonyms() -> None:
    assert PSEUDONYM.fullmatch(shown("").name("document", "POL-17"))


def test_a_name_that_is_not_recorded_stays_empty() -> None:
    assert shown().name("agent", "") == ""


def test_ids_are_those_of_the_other_files() -> None:
    assert shown().ids("a" * 32, "b" * 16) == ("a" * 32, "b" * 16)
    trace_id, run_id = shown().ids("ada@example.com", "=1")
    assert re.fullmatch(r"[0-9a-f]{32}", trace_id)
    assert re.fullmatch(r"[0-9a-f]{16}", run_id)
