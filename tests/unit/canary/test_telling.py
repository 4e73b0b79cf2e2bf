"""What a person is told: the answer, the role that is missing, and how to grant it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft6Validator

from functions.alerts.alert import Notice
from functions.alerts.circumstances import Circumstances
from functions.alerts.failures import failure_check, report_failure
from functions.alerts.lifecycle import advance
from functions.alerts.outbox import Telling
from functions.canary.sight import WORDS, NeedSight, Sight
from functions.canary.telling import SIGHT_CHECK, Reader, judged
from functions.checks.finding import Window
from functions.delivery.cards.writer import CardWriter
from tests.unit.alerts.building import CHECK, RULES
from tests.unit.delivery.adaptive_card import card_of, problems

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
READER = Reader("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "5c1d9e42-7a34-4f0b-8f5e-6d2b1c0a9e88", None)
COMPONENT = "/subscriptions/s_1/resourceGroups/g/providers/Microsoft.Insights/components/c"
WORKSPACE = "/subscriptions/s_1/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w"
SCHEMA = Path(__file__).parents[4] / "shared" / "reference" / "adaptive-card-1.5.0.json"


def notice_of(answer: Any, *, need: str = "content", error: str | None = None) -> Notice:
    """Return what is told once an answer was given at three ticks."""
    sight = Sight(NOW, {need: NeedSight(answer, "", NOW - timedelta(minutes=30))})
    windows = [
        judged(sight, [CHECK], window=Window(NOW + n * MINUTE, NOW + (n + 1) * MINUTE), not_sent=error)
        for n in range(3)
    ]
    (notice,) = advance({}, windows, check=SIGHT_CHECK, circumstances=Circumstances(RULES, NOW)).notices
    return notice


def card_for(answer: Any, **options: Any) -> Any:
    notice = notice_of(answer, **options)
    writer = CardWriter("https://example.net", READER.told_as, {})
    return card_of(writer.one(Telling(notice, SIGHT_CHECK)))


def facts(card: Any) -> dict[str, str]:
    (found,) = [part["facts"] for part in card["body"] if part["type"] == "FactSet"]
    return {fact["title"]: fact["value"] for fact in found}


def commands(card: Any) -> list[str]:
    return [run["text"] for part in card["body"] for run in part.get("inlines", ())]


def test_a_reader_without_the_role_is_told_which_and_how_to_grant_it() -> None:
    card = card_for("not_allowed")
    assert card["fallbackText"].startswith("HIGH · AppGenAIContent · Checks can't see what they judge")
    assert facts(card)["Answer"] == "not allowed to look"
    assert facts(card)["Missing role"] == "Privileged Monitoring Data Reader"
    assert commands(card) == [
        (
            "az role assignment create --assignee 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0 "
            '--role "Privileged Monitoring Data Reader" --scope "$(az monitor log-analytics workspace list '
            '--query "[?customerId==\'5c1d9e42-7a34-4f0b-8f5e-6d2b1c0a9e88\'].id" -o tsv)"'
        )
    ]


def test_once_the_role_is_there_no_command_is_told() -> None:
    alert = replace(notice_of("not_allowed").alert, state="resolved")
    assert READER.told_as(alert, SIGHT_CHECK).command == ""


@pytest.mark.parametrize("answer", ["moved", "late", "unknown"])
def test_the_other_answers_have_a_first_step_and_no_command(answer: str) -> None:
    card = card_for(answer)
    assert commands(card) == []
    assert "Missing role" not in facts(card)
    first_steps = [part["text"] for part in card["body"] if part.get("text", "").startswith("First step: ")]
    assert first_steps != [f"First step: {SIGHT_CHECK.triage}"]
    assert len(first_steps) == 1


def test_why_no_marker_run_could_be_sent_is_told() -> None:
    assert facts(card_for("unknown", need="spans", error="CanaryRefused"))["Sending error"] == "CanaryRefused"


@pytest.mark.parametrize("answer", ["not_allowed", "moved", "late", "unknown"])
def test_the_card_is_as_the_format_wants_it(answer: str) -> None:
    card = card_for(answer)
    assert problems(card) == []
    if not SCHEMA.exists():
        pytest.skip("the official schema is not part of the repository; adaptive_card.py has judged")
    del card["msteams"]
    errors = Draft6Validator(orjson.loads(SCHEMA.read_bytes())).iter_errors(card)
    assert [error.message for error in errors] == []


@pytest.mark.parametrize(
    ("resource", "scope"),
    [
        (WORKSPACE, f'"{WORKSPACE}"'),
        (
            COMPONENT,
            f'"$(az resource show --ids "{COMPONENT}" --query properties.WorkspaceResourceId -o tsv)"',
        ),
    ],
)
def test_the_role_is_granted_on_the_workspace_whatever_is_asked(resource: str, scope: str) -> None:
    command = Reader("c", None, resource).grant()
    assert command == (
        f'az role assignment create --assignee c --role "Privileged Monitoring Data Reader" --scope {scope}'
    )


def test_the_documentation_has_every_answer_in_the_same_words() -> None:
    text = (Path(__file__).parents[3] / "docs/checks.md").read_text(encoding="utf-8")
    table = text.split("<!-- answers -->")[1].split("<!-- end -->")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, re.MULTILINE)) == WORDS


def test_a_question_that_fails_is_told_as_the_failure_of_a_check() -> None:
    failed = report_failure(
        {},
        check=SIGHT_CHECK,
        error="SourceRefused",
        failures=3,
        windows=[Window(NOW, NOW + MINUTE)],
        circumstances=Circumstances(RULES, NOW + MINUTE),
    )
    (notice,) = failed.notices
    assert READER.told_as(notice.alert, SIGHT_CHECK) == failure_check(SIGHT_CHECK)
