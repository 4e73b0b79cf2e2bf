"""The runbook has a section for each check, as the check is, and none for a check that there is not."""

import re
from pathlib import Path

import pytest

from functions.config_subjects import OF_A_CHECK, OF_THE_WATCH
from functions.configuration import SHIPPED, load_configuration

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "runbook.md").read_text(encoding="utf-8")
CONFIGURATION = load_configuration(SHIPPED)
CHECKS = {check.id: check for check in CONFIGURATION.checks}
ROWS = ["It means", "Look first", "Do", "Roll back", "Escalate", "Accept"]


def part(heading: str) -> str:
    """The text below a heading of the second level."""
    _, _, after = PAGE.partition(f"\n## {heading}\n")
    return after.partition("\n## ")[0]


def sections() -> dict[str, str]:
    _, *found = re.split(r"^### ", part("Alerts of agents"), flags=re.MULTILINE)
    return {name: text for name, _, text in (one.partition("\n") for one in found)}


def anchors(page: str) -> set[str]:
    """What links may name, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.*)$", page, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_each_check_has_its_section_and_no_section_is_of_another() -> None:
    assert sorted(sections()) == sorted(CHECKS)


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_section_says_whose_it_is_and_answers_all_questions(name: str) -> None:
    check = CHECKS[name]
    _, whose, *_ = sections()[name].splitlines()
    assert whose == f"{check.severity}, {check.owner}"
    answers = dict(re.findall(r"^\| ([A-Z][\w ]+) \| (.+) \|$", sections()[name], flags=re.MULTILINE))
    assert list(answers) == ROWS


def test_owners_are_those_of_checks_and_agents() -> None:
    table = dict(re.findall(r"^\| (`.+?) \| (.+) \|$", part("Who owns what"), flags=re.MULTILINE))
    names = {f"`{one.owner}`" for one in (*CHECKS.values(), *CONFIGURATION.agents.by_name.values())}
    assert {name for cell in table for name in cell.split(", ")} == names
    for owner in ("`security`", "`finops`"):
        named = re.findall(r"`(\w+)`", table[owner])
        assert sorted(named) == sorted(id_ for id_, one in CHECKS.items() if f"`{one.owner}`" == owner)
    assert {one.owner for one in CHECKS.values()} == {"platform", "security", "finops"}


def test_each_alert_of_the_service_itself_has_its_line_and_no_line_is_of_another() -> None:
    own = part("Alerts of Tracekeeper itself").partition("Three rules")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", own, flags=re.MULTILINE)) == sorted(OF_A_CHECK | OF_THE_WATCH)


def test_each_rule_of_azure_monitor_has_its_line() -> None:
    rules = (DOCS / "infrastructure.md").read_text(encoding="utf-8").partition("\n## Alert rules\n")[2]
    names = re.findall(r"^\| `([\w-]+)` \|", rules.partition("\n## ")[0], flags=re.MULTILINE)
    assert len(names) > 0
    assert [name for name in names if f"\n| `{name}` |" not in part("Alerts of Tracekeeper itself")] == []


def test_each_link_leads_to_a_heading() -> None:
    links = re.findall(r"\]\(([\w.-]*)#([\w-]+)\)", PAGE)
    assert len(links) > 0
    assert [
        (file, anchor)
        for file, anchor in links
        if anchor not in anchors((DOCS / (file or "runbook.md")).read_text(encoding="utf-8"))
    ] == []
