"""What the command says of the policy, and that it never prints a value that the policy removes."""

import gzip
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.cli import main
from functions.configuration import SHIPPED

SECRETS = {"canary": "CNRYMXZGH6MRW7FEAT", "email": "ada@example.com", "words": "Ada Lovelace of Marylebone"}
SHIPPED_POLICY = (SHIPPED / "redaction.yaml").read_text("utf-8")


@pytest.fixture(autouse=True)
def no_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONFIG_DIRECTORY", raising=False)


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["policy", *words]) == code
    shown = capsys.readouterr()
    return shown.out + shown.err


def line_of(text: str, rule: str) -> int:
    return text.split(rule, maxsplit=1)[0].count("\n") + 1


def a_site(folder: Path, *changes: tuple[str, str]) -> str:
    text = SHIPPED_POLICY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "redaction.yaml").write_text(text, "utf-8")
    return text


def rows_file(folder: Path, *rows: dict[str, Any]) -> str:
    file = folder / "rows.jsonl"
    file.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    return str(file)


ROW = {
    "Type": "AppDependencies",
    "TimeGenerated": "2026-11-22T09:56:15Z",
    "Name": SECRETS["words"],
    "Success": True,
    "Properties": orjson.dumps(
        {
            "gen_ai.tool.name": "get_shipment_status",
            "gen_ai.agent.name": SECRETS["canary"],
            "tenant.id": SECRETS["email"],
            "app.region": SECRETS["words"],
            SECRETS["email"]: "x",
        }
    ).decode(),
}


@pytest.mark.parametrize(
    ("words", "rule", "told"),
    [
        (["gen_ai.tool.name"], "properties.gen_ai.tool.name", "{keep: name}"),
        (["tenant.id"], "properties.tenant.id", "pseudonym of the domain tenant"),
        (["Url"], "columns.Url", "counted as `drop:Url`"),
        (["Name", "--table", "AppEvents"], "tables.AppEvents.columns.Name", "passed over: columns.Name"),
        (["llm.tools.0.x"], "properties.llm.tools.*", "llm.tools.* is the longest prefix"),
        (
            ["Message", "--table", "AppTraces", "--profile", "content"],
            "profiles.content.tables.AppTraces.columns.Message",
            "into content.jsonl",
        ),
    ],
)
def test_a_rule_is_named_with_its_line_and_its_reason(
    words: list[str], rule: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = said(capsys, "explain", *words)
    assert f"{rule}, line " in answer
    assert told in answer
    line = int(re.search(rf"{re.escape(rule)}, line (\d+)", answer)[1])  # type: ignore[index]  # it is there
    key = next(name for name in ("Message", "Name", words[0], "llm.tools.*") if rule.endswith(name))
    assert key in SHIPPED_POLICY.splitlines()[line - 1]


def test_what_no_rule_names_is_said_to_be_removed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "No rule names it: the value is removed" in said(capsys, "explain", "customer.email")


def test_a_name_can_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in said(capsys, "explain", "a\x1b[2J")


def test_a_trial_counts_by_rule_and_prints_nothing_that_is_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = said(capsys, "try", rows_file(tmp_path, ROW, ROW))
    assert "2  gen_ai.tool.name: get_shipment_status" in answer
    assert "2  gen_ai.agent.name: misfit:gen_ai.agent.name" in answer
    assert "2  tenant.id: pseudonymize:tenant.id" in answer
    assert "2  Name: drop:Name" in answer
    assert "2  app.region" in answer
    assert "This is the policy in force." in answer
    assert {kind for kind, value in SECRETS.items() if value in answer} == set()


def test_a_trial_says_what_differs_from_the_policy_in_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_site(
        tmp_path,
        ("version: 1", "version: 2"),
        ("  gen_ai.tool.name: {keep: name}", "  gen_ai.tool.name: drop"),
        ("  app.intent: {keep: name}", "  app.intent: {keep: name}\n  app.region: {pseudonymize: region}"),
    )
    answer = said(capsys, "try", rows_file(tmp_path, ROW), "--config", str(tmp_path))
    after = answer.split("Against the policy in force")[1]
    assert "gen_ai.tool.name (properties): drop:gen_ai.tool.name 1; in force: kept 1" in after
    assert "app.region (properties): pseudonymize:app.region 1; in force: unknown 1" in after
    assert "Raise its version" not in after
    assert len(after.strip().splitlines()) == 3


def test_a_changed_policy_of_the_same_version_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_site(tmp_path, ("  Url: drop\n", ""))
    answer = said(capsys, "try", rows_file(tmp_path, ROW), "--config", str(tmp_path))
    assert "Raise its version: 1 is not above 1." in answer
    assert "nothing of this file is treated otherwise" in answer


def test_the_folder_of_the_setting_is_in_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    a_site(tmp_path, ("version: 1", "version: 7"))
    monkeypatch.setenv("CONFIG_DIRECTORY", str(tmp_path))
    assert "version 7" in said(capsys, "explain", "Url")


def test_a_mistake_is_named_by_file_line_rule_and_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = a_site(tmp_path, ("  app.intent: {keep: name}", "  app.*: {keep: name}"))
    answer = said(capsys, "try", rows_file(tmp_path, ROW), "--config", str(tmp_path), code=1)
    line = line_of(text, "  app.*: {keep: name}")
    assert f"redaction.yaml, line {line}: `properties.app.*` would keep words" in answer
    assert "Name each attribute" in answer


def test_envelopes_and_content_rows_are_read_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    envelope = {
        "tags": {"ai.location.ip": "203.0.113.9", "ai.cloud.role": "shop"},
        "data": {
            "baseType": "RequestData",
            "baseData": {"name": SECRETS["words"], "duration": "0.00:00:00.050", "properties": {"x": "y"}},
        },
    }
    metric = {"data": {"baseType": "MetricData", "baseData": {}}}
    content = {"Type": "AppGenAIContent", "InputMessages": SECRETS["words"], "TraceId": "a"}
    file = tmp_path / "rows.jsonl.gz"
    file.write_bytes(gzip.compress(b"\n".join(map(orjson.dumps, (envelope, metric, content)))))
    answer = said(capsys, "try", str(file), "--profile", "content")
    assert "2 rows" in answer
    assert "1  DurationMs: 50.0" in answer
    assert "1  ClientIP: drop:ClientIP" in answer
    assert "1  gen_ai.input.messages: mask:gen_ai.input.messages" in answer
    assert SECRETS["words"] not in answer


def test_an_answer_of_the_query_api_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = [{"name": name} for name in ("Success", "Properties")]
    file = tmp_path / "answer.json"
    file.write_bytes(orjson.dumps({"tables": [{"columns": columns, "rows": [[True, "{}"], [False, ""]]}]}))
    assert "2  Success: False, True" in said(capsys, "try", str(file), "--table", "AppRequests")


@pytest.mark.parametrize("line", ["{", '{"Type": "Heartbeat"}', "[1]", "{}"])
def test_another_file_is_refused_by_its_line(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(line, "utf-8")
    assert re.search(
        r"rows\.jsonl, (line|record) 1: (not JSON|no envelope)", said(capsys, "try", str(file), code=1)
    )
