"""docs/write-a-check.md does what it says: whoever does nothing else has a check in the end."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.checks.definition import CheckDefinition
from functions.configuration import SHIPPED, load_configuration
from functions.errors import ConfigurationError
from local.serving import make_certificates
from tests.checks.conversion import traces_of
from tests.checks.expectations import walk
from tests.checks.fixtures import keys_of_the_form
from tests.checks.page import checkout, follow
from tests.fakes.workspace import Workspace

PAGE = (Path(__file__).parents[2] / "docs" / "write-a-check.md").read_text("utf-8")
FILES = dict(re.findall(r"^```yaml\n# (\S+\.yaml)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
ID = "answer_cut_short"


CUT = {"agent": "broker", "spans": [{"chat": "large", "finish": "length"}]}


def text_of(folder: Path) -> dict[str, str]:
    """Return the files that a person would hand in."""
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: path.read_text("utf-8", errors="replace")
        for name, path in names.items()
        if not name.startswith(".")
    }


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Settings of a workspace in which five answers were cut in one window, three hours ago."""
    workspace, begins = Workspace(), datetime.now(UTC) - timedelta(hours=3)
    for trace in traces_of(CUT | {"repeat": 5}, begins=begins, first=1, own=str):
        workspace.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    with workspace.served(make_certificates(tmp_path_factory.mktemp("tls"))) as signed_in:
        yield signed_in


def test_a_stranger_who_follows_the_page_has_a_check(tmp_path: Path, settings: dict[str, str]) -> None:
    folder = checkout(tmp_path / "checkout")
    before = text_of(folder)
    printed = list(follow(PAGE, folder, settings).values())
    after = text_of(folder)

    began, fixtures, _, fired, quiet = printed
    assert began.startswith(f"wrote config/checks/{ID}.yaml\n")
    assert re.search(r"\b1 passed, \d+ deselected", fixtures)
    assert "It would have fired once, 1 a day:" in fired
    assert "Agent=broker  Model=large" in fired
    assert "It would not have fired." in quiet

    assert {name for name in after if after[name] != before.get(name)} == {*FILES, "docs/checks.md"}
    assert before.keys() <= after.keys()
    assert f"| `{ID}` | A model's answer was cut at its token limit |" in after["docs/checks.md"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("checks new answer_cut_short", "checks knew answer_cut_short", "invalid choice: 'knew'"),
        ("checks new answer_cut_short", "checks new answers_cut_short", "was not begun by an earlier step"),
        ("```sh", "```console", "nothing follows a block of console"),
    ],
)
def test_a_wrong_step_stops_the_walk(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        follow(PAGE.replace(old, new, 1), checkout(tmp_path / "checkout"), {})


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site folder in which a reader has followed the page."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (tmp_path / "scratch").mkdir()
    return tmp_path


def check_of(site: Path) -> CheckDefinition:
    return next(check for check in load_configuration(SHIPPED, site / "config").checks if check.id == ID)


def walked(site: Path) -> list[str]:
    return walk(check_of(site), site / "tests" / "checks" / ID, site / "scratch")


def spoil(site: Path, name: str, old: str, new: str) -> None:
    path = site / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_the_page_has_one_check_and_two_files_of_fixtures() -> None:
    folder = f"tests/checks/{ID}"
    assert list(FILES) == [f"config/checks/{ID}.yaml", f"{folder}/fires.yaml", f"{folder}/quiet.yaml"]


def test_its_check_passes_its_fixtures(site: Path) -> None:
    assert walked(site) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("fires.yaml", "value: 5", "value: 6", "value is 5.0, not 6"),
        ("fires.yaml", "traces: [1, 2]", "traces: [1, 3]", "names 2 traces, of [1, 2]"),
        ("fires.yaml", "Release: 2.0.0}", "Release: 3.0.0}", "Release is '2.0.0'"),
        ("fires.yaml", "Model: large}, value: 2", "Model: small}, value: 2", "was not found"),
        ("quiet.yaml", "finish: stop", "finish: length", "was found"),
    ],
)
def test_a_wrong_fixture_fails(site: Path, name: str, old: str, new: str, complaint: str) -> None:
    spoil(site, f"tests/checks/{ID}/{name}", old, new)
    assert complaint in "\n".join(walked(site))


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("fires.yaml", "{chat: large, finish: stop}", "{chatt: large, finish: stop}", "chatt"),
        ("fires.yaml", "release: 2.0.0\n", "release: 2.0.0\n      at: soon\n", "at"),
        ("fires.yaml", "  expect:\n", "  expected:\n", "expected` is not a"),
        (
            "quiet.yaml",
            "one may happen:\n",
            "one may happen:\n  expect: [{key: {Agent: a}}]\n",
            "it is quiet",
        ),
    ],
)
def test_a_mistake_in_the_form_is_named_with_its_line(
    site: Path, name: str, old: str, new: str, complaint: str
) -> None:
    spoil(site, f"tests/checks/{ID}/{name}", old, new)
    with pytest.raises(ConfigurationError) as raised:
        walked(site)
    assert complaint in str(raised.value)
    assert re.search(rf"{name}, line \d+", str(raised.value))


@pytest.mark.parametrize("name", ["fires.yaml", "quiet.yaml"])
def test_a_check_without_one_of_its_files_fails(site: Path, name: str) -> None:
    (site / f"tests/checks/{ID}" / name).unlink()
    with pytest.raises(ConfigurationError, match=name):
        walked(site)


def test_a_check_that_breaks_the_schema_is_refused(site: Path) -> None:
    spoil(site, f"config/checks/{ID}.yaml", "severity: medium", "severity: urgent")
    with pytest.raises(ConfigurationError, match="severity"):
        check_of(site)


def test_the_page_names_every_key_of_the_form() -> None:
    words = set(re.findall(r"`([a-z_]+)(?::[^`]*)?`", PAGE)) | set(re.findall(r"\b([a-z_]+):", PAGE))
    assert keys_of_the_form() <= words
