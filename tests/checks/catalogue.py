"""Writes the table of checks in docs/checks.md from the check files: python -m tests.checks.catalogue."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from functions.checks.definition import CheckDefinition, Condition
from functions.configuration import SHIPPED, load_configuration

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"
_TABLE = re.compile(r"(?<=<!-- what ships -->\n).*?(?=<!-- end -->)", re.DOTALL)

_BLIND_WITHOUT = {
    "spans": "no spans arrive",
    "content": "arguments and prompts are not recorded, or may not be read",
    "exceptions": "exceptions are not sent",
    "usage": "calls come without token usage",
    "canary": "canaries are off",
}
_BLIND_WITHOUT_PARAMETER = {
    "required_lookups": "an agent has no `required_lookups`",
    "tool_freshness": "an agent has no `freshness`",
    "restricted_agents": "an agent has no `approved_tools`",
    "step_objectives": "an agent has no `objectives.steps`",
    "run_objectives": "an agent has no `objectives.run_p95_ms`",
    "evaluation_objectives": "an agent has no `objectives.evaluations`",
    "budgets": "an agent has no `budgets`",
    "declared_agents": "an agent has no `silent_after_minutes`",
    "required_fields": "an agent has no `required_fields`",
    "id_formats": "an agent has no `id_format`",
    "content_rules": "an agent is not in `agents.yaml`",
    "model_prices": "a model has no price",
}


_WITHOUT_OPTIONS = {
    "any": "it happens once",
    "silence": "no row for the agent's `silent_after_minutes`",
}


def written(page: str, checks: Iterable[CheckDefinition]) -> str:
    """Return the page with its table of checks as it should be."""
    table = "\n".join(_rows(checks)) + "\n"
    assert _TABLE.search(page), "docs/checks.md has lost the marks around its table"
    return _TABLE.sub(lambda _: table, page, count=1)


def _rows(checks: Iterable[CheckDefinition]) -> Iterator[str]:
    yield "| check | what it catches | a finding when | key | value in | severity | needs | blind where |"
    yield "|---|---|---|---|---|---|---|---|"
    for check in checks:
        cells = (
            f"`{check.id}`",
            check.title,
            _when(check),
            ", ".join(check.key),
            check.unit,
            check.severity,
            ", ".join(check.needs),
            "; ".join(_blindness(check)),
        )
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _when(check: CheckDefinition) -> str:
    parts = [_condition(check.condition, check.unit)]
    if check.windows_in_a_row > 1:
        parts.append(f"{check.windows_in_a_row} windows in a row")
    if check.minimum_runs is not None:
        parts.append(f"{check.minimum_runs} runs or more")
    if check.clear_below is not None:
        parts.append(f"ends below {check.clear_below:g}")
    return ", ".join(parts)


def _condition(condition: Condition, unit: str) -> str:
    o = condition.options
    match condition.kind:
        case "above" | "below":
            return f"{condition.kind} {o['threshold']:g} {unit}"
        case "spike":
            return (
                f"above {o['factor']:g} times the median of {o['history']:g} h, above {o['deviations']:g} "
                f"deviations over it, and above {o['floor']:g} {unit}"
            )
        case "absence":
            return f"no row for {o['after']:g} minutes"
        case "change":
            return f"{o['factor']:g} times the baseline's {condition.metric} or more, p < {o['alpha']:g}"
        case "budget":
            return f"the pace is above the budget, {o['share']:.0%} of it spent or more"
    return _WITHOUT_OPTIONS[condition.kind]


def _blindness(check: CheckDefinition) -> Iterator[str]:
    yield from (_BLIND_WITHOUT[need] for need in check.needs)
    for table, blind in _BLIND_WITHOUT_PARAMETER.items():
        if re.search(rf"\b{table}\b", check.query):
            yield blind


if __name__ == "__main__":
    shipped = load_configuration(SHIPPED).checks
    PAGE.write_text(written(PAGE.read_text("utf-8"), shipped), "utf-8")
