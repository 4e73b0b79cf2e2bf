"""docs/redaction.md does what it says: its policy, its tables and the shapes that it names."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from functions.config_file import parse_config_file
from functions.config_redaction import policy_breaches
from functions.evidence.detectors import standard_detectors
from functions.evidence.redaction.masking import mask
from functions.evidence.redaction.policy import PROFILES, Kind, redaction_policy
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.evidence.redaction.shapes import SHAPES
from functions.traces.model import TraceRow
from tests.unit.evidence.material import row

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/redaction.md").read_text("utf-8")
EXAMPLE = re.search(r"<!-- example -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)[1]  # type: ignore[index]  # it is there
DETECTORS = standard_detectors()


def table(name: str) -> list[list[str]]:
    """Return the cells of a table of the page, without their ticks."""
    body = PAGE.split(f"<!-- {name} -->")[1].split("<!-- end -->")[0]
    lines = [line for line in body.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines]


def kind_of(attribute: str) -> Kind:
    return "columns" if attribute[:1].isupper() else "properties"


def test_the_policy_of_the_page_is_one() -> None:
    schema = json.loads((ROOT / "config/schemas/redaction.schema.json").read_bytes())
    assert list(Draft202012Validator(schema).iter_errors(yaml.safe_load(EXAMPLE))) == []
    assert list(policy_breaches(parse_config_file(Path("redaction.yaml"), EXAMPLE.encode()))) == []


@pytest.mark.parametrize("case", table("cases"), ids=lambda case: f"{case[1]}-{case[2][:12]}")
def test_a_value_fares_as_the_page_says(case: list[str]) -> None:
    its_table, attribute, text, profile, shown, reason = case
    assert profile in PROFILES
    policy = redaction_policy(yaml.safe_load(EXAMPLE), profile)  # type: ignore[arg-type]  # just checked
    sanitizer = Sanitizer(policy, Pseudonyms(bytes(32), "keyA"), DETECTORS)
    value = {"True": True, "37.5": 37.5, "1000": 1000}.get(text, text)
    kept, counted = sanitizer.judge(kind_of(attribute), its_table, attribute, value)
    if shown == "a pseudonym":
        assert re.fullmatch("[a-p]{24}", str(kept))
    else:
        assert ("-" if kept is None else str(kept)) == shown
    assert (counted or "-") == reason


@pytest.mark.parametrize(("recorded", "shown"), table("masked"))
def test_a_text_is_masked_as_the_page_says(recorded: str, shown: str) -> None:
    assert mask(recorded, DETECTORS).text == shown


def test_the_page_names_every_shape_and_action() -> None:
    for shape in SHAPES:
        assert f"`{shape}`" in PAGE
    for action in ("keep", "drop", "pseudonymize", "generalize", "mask"):
        assert f"**{action}**" in PAGE


def test_while_two_keys_are_in_use_both_pseudonyms_are_shown() -> None:
    old, new = Pseudonyms(bytes(32), "keyA"), bytes(range(32))
    policy = redaction_policy(yaml.safe_load(EXAMPLE))
    sent: TraceRow = row(properties={"gen_ai.conversation.id": "c-1"}, columns={"UserId": "ada"})
    during = Sanitizer(policy, Pseudonyms(new, "keyB", old), DETECTORS).sanitize(sent).row
    before = Sanitizer(policy, old, DETECTORS).sanitize(sent).row
    after = Sanitizer(policy, Pseudonyms(new, "keyB"), DETECTORS).sanitize(sent).row
    assert during.properties["gen_ai.conversation.id"] == after.properties["gen_ai.conversation.id"]
    assert during.properties["gen_ai.conversation.id.previous"] == before.properties["gen_ai.conversation.id"]
    assert during.columns["UserId.previous"] == before.columns["UserId"] != after.columns["UserId"]
    assert set(after.properties) == {"gen_ai.conversation.id"}
