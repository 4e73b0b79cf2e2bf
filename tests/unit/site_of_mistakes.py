"""A site's folder with twenty mistakes, and what has to be told of each."""

from dataclasses import dataclass
from pathlib import Path

from functions.configuration import SHIPPED


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: what replaces what in a copy of the shipped file, where, and what is told.

    `at` begins on the mistake's line in the spoilt file for the first time; a key that is missing is missed
    where its object begins.
    """

    file: str
    old: str
    new: str
    at: str
    rule: str
    fix: str


STALE, SPIKE, SLOW = "checks/stale_tool_data.yaml", "checks/cost_spike.yaml", "checks/slow_run.yaml"

MISTAKES = (
    Mistake(
        STALE, "severity: high", "severity: urgent", "severity:", "`severity` must be one of", "Say how bad"
    ),
    Mistake(STALE, "every: 5m", "every: 7m", "every:", "`every` must divide a day", "Take 1m, 5m"),
    Mistake(STALE, "id: stale", "id: old", "id:", "`id` must be stale_tool_data", "Name the file after"),
    Mistake(STALE, "owner: ", "ownr: ", "ownr:", "`ownr` is not a known key", "Known here: "),
    Mistake(STALE, "shows: [", "shows: [Tool, ", "shows:", "`shows.0` is a key column", "Remove it"),
    Mistake(SPIKE, "factor: 3", "factor: 1", "  spike:", "factor` must be above 1", "Say how many"),
    Mistake(SPIKE, "settle: 5m", "settle: five", "settle:", "`settle` must match", "Say how long"),
    Mistake(SPIKE, "severity: medium\n", "", "id:", "lacks the key `severity`", "Say how bad"),
    Mistake(SLOW, "title: ", "id: slow\ntitle: ", "id: slow\nti", "the key `id` is there twice", "Correct"),
    Mistake(SLOW, "key: [Agent", "key: [Value", "key:", "`key.0` must match", "Name"),
    Mistake(SLOW, "every: 5m", "2: 5\nevery: 5m", "2: 5", "a key must be text", "Correct the YAML there"),
    Mistake(
        "agents.yaml",
        "minutes: 60",
        "minutes: soon",
        "      - {tool: get_shipment_status, max",
        "number",
        "Give",
    ),
    Mistake(
        "agents.yaml", "warehouse: [", "Ware house: [", "    Ware", "dimensions.Ware house` must", "Name"
    ),
    Mistake(
        "agents.yaml", "monthly_usd: 100", "monthly_usd: 1", "    budgets:", "less than the budget", "Raise"
    ),
    Mistake("agents.yaml", "id_format: ^", "id_format: ", "    id_format", "would accept any id", "Start it"),
    Mistake("prices.yaml", "as_of: 2026-11-01", "as_of: May", "as_of:", "`as_of` must be a date", "Give"),
    Mistake("prices.yaml", "input: 2.50", "input: -1", "  - {model: gpt-4o,", "must be 0 or more", "Give"),
    Mistake(
        "alerts.yaml", "kind: teams", "kind: pager", "  - ", "kind` must be one of teams", "Name the kind"
    ),
    Mistake("alerts.yaml", "4h", "0m", "repeat_after:", "`repeat_after` must match", "Say after how long"),
    Mistake("redaction.yaml", "version: 1", "version: 0", "version:", "must be 1 or more", "Number the"),
)


def write_site(folder: Path) -> None:
    """Write the folder."""
    (folder / "checks").mkdir(parents=True)
    for name in {mistake.file for mistake in MISTAKES}:
        text = (SHIPPED / name).read_text("utf-8")
        for mistake in MISTAKES:
            if mistake.file == name:
                assert mistake.old in text, f"{mistake.old!r} is not in {name}"
                text = text.replace(mistake.old, mistake.new, 1)
        (folder / name).write_text(text, "utf-8")


def expected(folder: Path, mistake: Mistake) -> str:
    """Return how the line that tells of the mistake begins."""
    text = (folder / mistake.file).read_text("utf-8")
    line = ("\n" + text).split("\n" + mistake.at)[0].count("\n") + 1
    return f"{folder / mistake.file}, line {line}: "
