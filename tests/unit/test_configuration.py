"""What config files may say, and what a person is told where they are wrong."""

import re
import shutil
from pathlib import Path

import pytest

from functions.configuration import SHIPPED, load_configuration
from functions.errors import ConfigurationError


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A whole configuration of its own, to be spoilt."""
    shutil.copytree(SHIPPED, tmp_path / "config", ignore=shutil.ignore_patterns("schemas"))
    return tmp_path / "config"


def spoil(site: Path, name: str, old: str, new: str) -> None:
    text = (site / name).read_text("utf-8")
    assert old in text, f"{old!r} is not in {name}"
    (site / name).write_text(text.replace(old, new, 1), "utf-8")


def refusal(*folders: Path) -> str:
    with pytest.raises(ConfigurationError) as raised:
        load_configuration(*folders)
    assert raised.value.next_step.endswith(".")
    return str(raised.value)


def test_the_shipped_configuration_is_valid() -> None:
    configuration = load_configuration(SHIPPED)
    assert [check.id for check in configuration.checks] == sorted(
        path.stem for path in (SHIPPED / "checks").iterdir()
    )
    assert configuration.prices.currency == "USD"
    assert configuration.alerts.destinations
    assert configuration.redaction
    assert "dispatcher" in configuration.agents.by_name


@pytest.mark.parametrize(
    ("name", "old", "new", "line_of", "complaint"),
    [
        (
            "checks/stale_tool_data.yaml",
            "severity: high",
            "severity: urgent",
            "urgent",
            "must be one of critical",
        ),
        ("checks/stale_tool_data.yaml", "every: 5m", "every: 5 minutes", "every", "`every` must match"),
        ("checks/stale_tool_data.yaml", "every: 5m", "every: 7m", "every", "`every` must divide a day"),
        (
            "checks/stale_tool_data.yaml",
            "owner: platform",
            "ownr: platform",
            "ownr",
            "`ownr` is not a known key",
        ),
        ("checks/stale_tool_data.yaml", "severity: high\n", "", None, "lacks the key `severity`"),
        (
            "checks/stale_tool_data.yaml",
            "id: stale_tool_data",
            "id: stale",
            "id:",
            "`id` must be stale_tool_data",
        ),
        (
            "checks/stale_tool_data.yaml",
            "{any: {}}",
            "{any: {}, above: {threshold: 1}}",
            "any",
            "must not hold more keys than 1",
        ),
        (
            "checks/stale_tool_data.yaml",
            "{any: {}}",
            "{vanished: {}}",
            "vanished",
            "`condition.vanished` is not a",
        ),
        ("checks/stale_tool_data.yaml", "{any: {}}", "{above: {}}", "above", "lacks the key `threshold`"),
        ("checks/stale_tool_data.yaml", "{any: {}}", "{above: {threshold: .nan}}", "above", "must be finite"),
        ("checks/stale_tool_data.yaml", "[Agent, Tool]", "[Agent, Value]", "key", "`key.1` must match"),
        ("checks/stale_tool_data.yaml", "shows: [", "shows: [Tool, ", "shows", "`shows.0` is a key column"),
        (
            "checks/stale_tool_data.yaml",
            "owner: platform",
            "owner: a\nowner: b",
            "owner: b",
            "`owner` is there twice",
        ),
        (
            "checks/stale_tool_data.yaml",
            "owner: platform",
            "owner: [platform",
            "every",
            "expected ',' or ']'",
        ),
        ("checks/stale_tool_data.yaml", "owner: platform", "on: x\nowner: a", "on:", "a key must be text"),
        ("checks/stale_tool_data.yaml", "owner: platform", "owner: &a platform\ntitle2: *a", "*a", "aliases"),
        (
            "checks/cost_spike.yaml",
            "minimum_windows: 4",
            "minimum_windows: 400",
            "spike:",
            "nothing would ever be",
        ),
        (
            "checks/cost_spike.yaml",
            "factor: 3",
            "factor: 1",
            "spike:",
            "`condition.spike.factor` must be above 1",
        ),
        ("agents.yaml", "max_age_minutes: 60", "max_age_minutes: soon", "soon", "must be of type number"),
        (
            "agents.yaml",
            "warehouse: [",
            "Ware house: [",
            "Ware house",
            "`attributes.dimensions.Ware house` must",
        ),
        (
            "prices.yaml",
            "as_of: 2026-11-01",
            "as_of: November",
            "as_of",
            "`as_of` must be a date",
        ),
        (
            "prices.yaml",
            "model: gpt-4o-mini",
            "model: gpt-4o",
            "0.15",
            "`models.1` names the same model and valid_from again",
        ),
        ("prices.yaml", "input: 2.50", "input: -1", "input: -1", "`models.0.input` must be 0 or more"),
        ("alerts.yaml", "repeat_after: ", "repeat_after: 0m # ", "repeat_after", "`repeat_after` must match"),
    ],
)
def test_a_wrong_file_is_refused_by_name_line_and_rule(
    site: Path, *, name: str, old: str, new: str, line_of: str | None, complaint: str
) -> None:
    spoil(site, name, old, new)
    told = refusal(site)
    lines = (site / name).read_text("utf-8").splitlines()
    line = 1 if line_of is None else next(n for n, text in enumerate(lines, 1) if line_of in text)
    assert told.startswith(f"{site / name}, line {line}: ")
    assert complaint in told


def test_a_secret_pasted_into_a_file_is_not_repeated(site: Path) -> None:
    spoil(site, "alerts.yaml", "TEAMS_WEBHOOK_URL", "https://x.logic.azure.com/workflows/1?sig=hunter2")
    assert "hunter2" not in refusal(site)


def test_the_same_tool_may_not_be_limited_twice(site: Path) -> None:
    limit = "      - {tool: get_shipment_status, max_age_minutes: 60}\n"
    spoil(site, "agents.yaml", limit, limit * 2)
    assert "names the same tool again" in refusal(site)


@pytest.mark.parametrize("name", ["agents.yaml", "prices.yaml", "alerts.yaml", "redaction.yaml"])
def test_every_file_is_required(site: Path, name: str) -> None:
    (site / name).unlink()
    assert f"{name} is missing" in refusal(site)


def test_a_service_without_checks_is_refused(site: Path) -> None:
    shutil.rmtree(site / "checks")
    assert "There is no check" in refusal(site)


@pytest.mark.parametrize("name", ["agent.yaml", "checks/stale.yml", "checks/more/stale.yaml", "notes.txt"])
def test_an_unknown_file_is_refused(site: Path, name: str) -> None:
    (site / name).parent.mkdir(exist_ok=True)
    (site / name).write_text("a: 1")
    assert re.search(f"{name} is not a known config file.*rename or remove it", refusal(site))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00", "can't be read"),
        (b"a: \x07", "can't be read"),
        (b"- 1", "must be of type object"),
        (b"a: 1\n---\nb: 2", "line 2"),
        (b"a: !!python/object:os.system {}", "line 1"),
        (b"{[1]: 2}", "a key must be text"),
    ],
)
def test_what_is_no_plain_mapping_is_refused(site: Path, content: bytes, complaint: str) -> None:
    (site / "prices.yaml").write_bytes(content)
    assert complaint in refusal(site)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "does not exist" in refusal(SHIPPED, tmp_path / "nowhere")


def test_a_site_replaces_a_file_and_keeps_the_rest(tmp_path: Path) -> None:
    changed = (SHIPPED / "checks" / "stale_tool_data.yaml").read_text("utf-8")
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "stale_tool_data.yaml").write_text(
        changed.replace("severity: high", "severity: low")
    )
    shipped, site = load_configuration(SHIPPED), load_configuration(SHIPPED, tmp_path)
    assert {check.id: check.severity for check in site.checks} == {
        check.id: "low" if check.id == "stale_tool_data" else check.severity for check in shipped.checks
    }
    assert site.hash != shipped.hash


def test_the_hash_is_of_what_files_say_not_of_how(site: Path) -> None:
    before = load_configuration(site).hash
    spoil(site, "prices.yaml", "input: 2.50", "# dollars\n    input: 2.5")
    assert load_configuration(site).hash == before
    spoil(site, "prices.yaml", "input: 2.5", "input: 2.6")
    assert load_configuration(site).hash != before
    assert re.fullmatch("[0-9a-f]{64}", before)


def test_an_editors_hidden_file_does_no_harm(site: Path) -> None:
    (site / ".agents.yaml.swp").write_bytes(b"\x00")
    assert load_configuration(site).checks


def test_a_folder_may_be_named_from_here() -> None:
    nearby = SHIPPED.relative_to(Path.cwd(), walk_up=True)
    assert load_configuration(nearby).hash == load_configuration(SHIPPED).hash
