"""Which keys of a config file its schema does not know."""

from pathlib import Path

from functions.config_faults import schema_faults
from functions.config_file import parse_config_file

SCHEMA = {
    "type": "object",
    "properties": {"owner": {"type": "string"}},
    "patternProperties": {"^x-": {"type": "integer"}},
    "additionalProperties": False,
}
KNOWN = "Known here: owner, ^x-."


def told(text: bytes) -> list[tuple[str | None, str]]:
    file = parse_config_file(Path("site.yaml"), text)
    return [(fault.key, fault.next_step) for fault in schema_faults(file, SCHEMA)]


def test_a_key_that_fits_a_pattern_is_known_beside_one_that_is_not() -> None:
    assert told(b"owner: desk\nx-days: 1\nonwer: desk\n") == [("onwer", KNOWN)]


def test_a_key_that_fits_a_pattern_elsewhere_only_is_not_known() -> None:
    assert told(b"max-days: 1\n") == [("max-days", KNOWN)]
