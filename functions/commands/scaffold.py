"""Begins a check: a rule that works and can be rewritten, and the fixtures that hold it to its word."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from functions.configuration import SHIPPED
from functions.errors import ConfigurationError

_CHECK = """\
# What is wrong, how often to look for it, and what to do about it. docs/checks.md has all keys and columns.
# Until you write your own rule it counts failed calls of a tool. Take these comments out when it is yours.
id: $id
title: $title
severity: low               # critical, high, medium or low: how bad one finding is
owner: platform             # who is told
every: 5m                   # the width of a window, and how often one is judged; divides a day
settle: 5m                  # how long a window waits for late rows
key: [Agent, Tool]          # the columns that tell one alert from another
needs: [spans]              # what it is blind without: spans, content, exceptions, usage, canary
unit: calls                 # of Value
query: |
  // One row for each window and key: Window, the key, Value (real), Violations (long), TraceIds.
  spans
  | where Operation == "execute_tool" and not(Success)
  | summarize Value = toreal(sum(ItemCount)), Violations = sum(ItemCount), TraceIds = make_set(TraceId, 1000)
      by Window, Agent, Tool
condition:
  above: {threshold: 2}     # or any, below, spike, absence, change: when a row is a finding
false_positives: |
  Say what looks like a violation and is none.
triage: |
  Say what the person who gets the card does first.
"""

_FIRES = """\
# Where $id must find something, and all that it must find. docs/write-a-check.md has the form.
more failed calls than may be:
  traces:
    - {agent: broker, spans: [{tool: lookup, success: false, repeat: 3}]}
  expect:
    - {key: {Agent: broker, Tool: lookup}, value: 3, violations: 3, traces: [1]}
"""

_QUIET = """\
# What is nearly wrong, where $id must find nothing: at the limit, another operation, too old.
as many as may be:
  traces:
    - {agent: broker, spans: [{tool: lookup, success: false, repeat: 2}]}

calls that succeed, and a step that is no call:
  traces:
    - {agent: broker, spans: [{tool: lookup, repeat: 3}, {span: step, success: false, repeat: 3}]}

calls received before the judged hour:
  traces:
    - {agent: broker, at: -30m, spans: [{tool: lookup, success: false, repeat: 3}]}
"""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """A new check's files, by path, in the order in which a person meets them."""

    files: Mapping[Path, str]

    def write(self) -> None:
        """Write the files.

        Raises:
            ConfigurationError: One is there already, or can't be written; it names which.
        """
        for path in self.files:
            if path.exists():
                raise ConfigurationError(
                    f"{path} exists.", next_step="Take another id, or change what is there."
                )
        for path, text in self.files.items():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
            except OSError as error:
                raise ConfigurationError(
                    f"{path} can't be written ({type(error).__name__}).",
                    next_step="Choose a folder that you may write to.",
                ) from error


def in_checkout(folder: Path, check_id: str, title: str) -> Scaffold:
    """Return a check and its two fixtures for a checkout of the project.

    Raises:
        ConfigurationError: `folder` is no checkout.
    """
    fixtures = folder / "tests" / "checks"
    if not ((fixtures / "fixtures.schema.json").is_file() and (folder / "config" / "checks").is_dir()):
        raise ConfigurationError(
            "The current folder is no checkout of Tracekeeper: config/checks or tests/checks is not there.",
            next_step="Go to one, or give --into FOLDER, the folder of your own config files.",
        )
    return Scaffold(
        {
            folder / "config" / "checks" / f"{check_id}.yaml": _filled(_CHECK, check_id, title),
            fixtures / check_id / "fires.yaml": _filled(_FIRES, check_id, title),
            fixtures / check_id / "quiet.yaml": _filled(_QUIET, check_id, title),
        }
    )


def in_site(folder: Path, check_id: str, title: str) -> Scaffold:
    """Return a check for a site's own config files, which hold no fixtures.

    Raises:
        ConfigurationError: There is no such folder, or a shipped check has this id.
    """
    if not folder.is_dir():
        raise ConfigurationError(
            f"The folder {folder} does not exist.", next_step="Make it, or correct --into."
        )
    if (SHIPPED / "checks" / f"{check_id}.yaml").exists():
        raise ConfigurationError(
            f"A check {check_id} ships, and a file of that name would change it.",
            next_step="Take another id.",
        )
    return Scaffold({folder / "checks" / f"{check_id}.yaml": _filled(_CHECK, check_id, title)})


def _filled(template: str, check_id: str, title: str) -> str:
    # A JSON text is a YAML text too, whatever the title holds.
    return Template(template).substitute(id=check_id, title=json.dumps(title, ensure_ascii=False))
