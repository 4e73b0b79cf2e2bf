"""`tracekeeper policy`: says what the redaction policy does to an attribute, and to telemetry in a file."""

import argparse
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.commands.policy_trial import Trial, differences, report
from functions.commands.telemetry_file import read_telemetry
from functions.config_faults import read_config_file
from functions.config_file import ConfigFile
from functions.config_redaction import policy_breaches
from functions.configuration import SHIPPED
from functions.errors import together
from functions.evidence.detectors import standard_detectors
from functions.evidence.redaction.content import CONTENT_TABLE
from functions.evidence.redaction.policy import (
    PROFILES,
    Drop,
    Generalize,
    Keep,
    Kind,
    Mask,
    Policy,
    Pseudonymize,
    Rule,
    entries,
    redaction_policy,
)
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.settings import read_config_directory
from functions.text_plot import safe
from functions.traces.model import TABLES

Say = Callable[[str], None]

_FILE = "redaction.yaml"
_KINDS: Mapping[Kind, str] = {"properties": "property", "columns": "column"}
_IN_FORCE = (
    "The policy in force is taken to be the shipped one, or that in the folder which CONFIG_DIRECTORY names: "
    "let it name the folder that was pushed."
)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy, and the file that it stands in."""

    policy: Policy
    file: ConfigFile


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser("policy", help="say what evidence shows of an attribute, or of telemetry")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    explain = actions.add_parser(
        "explain",
        help="say which rule holds for an attribute, what happens to its value, and why",
        description=f"Says which rule of redaction.yaml holds for a property or a column. {_IN_FORCE}",
    )
    explain.add_argument("attribute", metavar="ATTRIBUTE", help="such as gen_ai.tool.name, or Url")
    explain.add_argument("--table", metavar="T", choices=(*TABLES, CONTENT_TABLE), help="its table")
    explain.set_defaults(run=run_explain)
    trial = actions.add_parser(
        "try",
        help="say what a policy would keep and remove of the telemetry in a file",
        description=(
            "Counts, by attribute and rule, what would be kept, replaced and removed, and what differs from "
            "the policy in force. The file holds JSON Lines: envelopes as exporters post them, or rows of a "
            "query with the columns Type and Properties. Values that are removed are not printed. "
            f"{_IN_FORCE}"
        ),
    )
    trial.add_argument("file", metavar="FILE", type=Path, help="telemetry, .jsonl, .json or .jsonl.gz")
    trial.add_argument("--table", metavar="T", choices=(*TABLES, CONTENT_TABLE), help="of rows without Type")
    trial.set_defaults(run=run_try)
    for action in (explain, trial):
        action.add_argument("--profile", metavar="P", choices=PROFILES, default="metadata")
        action.add_argument(
            "--config", metavar="DIR", type=Path, help="a folder with the redaction.yaml to take instead"
        )


def run_explain(options: argparse.Namespace, say: Say) -> int:
    """Explain an attribute; return 0. Raises ConfigurationError."""
    read = read_policy(options.config or _in_force(), options.profile)
    for line in explanation(read, options.attribute, options.table):
        say(line)
    return 0


def run_try(options: argparse.Namespace, say: Say) -> int:
    """Try a policy on a file; return 0. Raises ConfigurationError, InvalidRequest."""
    rows = list(read_telemetry(options.file, options.table))
    current = read_policy(_in_force(), options.profile)
    tried = read_policy(options.config, options.profile) if options.config else current
    detectors = standard_detectors()
    # Nobody is to recognise anybody by the pseudonyms of a trial.
    pseudonyms = Pseudonyms(secrets.token_bytes(32), "trial")
    trials = [Trial(Sanitizer(each.policy, pseudonyms, detectors)) for each in (tried, current)]
    for row in rows:
        for trial in trials:
            trial.add(row)
    say(f"{_title(tried)}, profile {options.profile}: {len(rows)} rows")
    for line in report(trials[0]):
        say(line)
    if tried.policy.hash == current.policy.hash:
        say("This is the policy in force.")
        return 0
    say(f"\nAgainst the policy in force, {_title(current)}:")
    if tried.policy.version <= current.policy.version:
        say(f"  Raise its version: {tried.policy.version} is not above {current.policy.version}.")
    changes = list(differences(trials[0], trials[1]))
    for line in changes or ["  nothing of this file is treated otherwise."]:
        say(line)
    return 0


def read_policy(folder: Path, profile: Any) -> PolicyFile:
    """Read the policy of a folder, as a profile sees it; where the folder has none, the shipped one.

    Raises:
        ConfigurationError: Every mistake in it, by file, line and rule.
    """
    path = folder / _FILE if (folder / _FILE).is_file() else SHIPPED / _FILE
    schema = json.loads((SHIPPED / "schemas/redaction.schema.json").read_text("utf-8"))
    file = read_config_file(path, schema)
    mistakes = list(policy_breaches(file))
    if mistakes:
        raise together(mistakes)
    return PolicyFile(redaction_policy(file.body, profile), file)


def explanation(read: PolicyFile, name: str, table: str | None) -> Iterator[str]:
    """Yield the lines that say what happens to an attribute."""
    yield f"{safe(name)}, profile {read.policy.profile}, {table or 'any table'}; {_title(read)}"
    known = False
    for kind, word in _KINDS.items():
        found = _holding(read.policy, kind, name, table)
        for tables, rule in found:
            known = True
            where = f"as a {word} of {' and '.join(tables)}" if tables else f"as a {word}"
            line = read.file.lines[rule.place]
            yield f"  {where}: {'.'.join(rule.place)}, line {line}: {spelt(read.file.body, rule)}"
            yield f"    {happens(rule)}"
            yield f"    Why: {_why(read.policy, kind, name, rule, tables)}"
    if not known:
        yield "  No rule names it: the value is removed and counted as `unknown`."
        yield "    Its name appears in redactions.json, as a pseudonym only."


def _holding(
    policy: Policy, kind: Kind, name: str, table: str | None
) -> Sequence[tuple[tuple[str, ...], Rule]]:
    """Return the rules that hold, each with the tables that it holds in; () where it does in all others."""
    find = policy.rule_for_column if kind == "columns" else policy.rule_for_property
    if table is not None:
        rule = find(table, name)
        return [((table,), rule)] if rule else []
    general = find("", name)
    found: list[tuple[tuple[str, ...], Rule]] = [((), general)] if general else []
    own: dict[Rule, tuple[str, ...]] = {}
    for each in TABLES:
        rule = find(each, name)
        if rule is not None and rule != general:
            own[rule] = (*own.get(rule, ()), each)
    return [*((tables, rule) for rule, tables in own.items()), *found]


def happens(rule: Rule) -> str:
    """Say what becomes of a value."""
    match rule.action:
        case Keep():
            return (
                "A value of that shape is kept; another is removed and counted as "
                f"`misfit:{rule.name}`, and one in which a detector finds something as `detector:<type>`."
            )
        case Drop():
            return f"The value is removed and counted as `drop:{rule.name}`."
        case Pseudonymize(domain):
            return (
                f"A keyed pseudonym of the domain {domain} stands in its place, counted as "
                f"`pseudonymize:{rule.name}`: equal values get equal ones."
            )
        case Generalize():
            return f"Something coarser stands in its place, counted as `generalize:{rule.name}`."
        case Mask():
            return (
                "The text goes into content.jsonl with what detectors find replaced, and into no other file; "
                "names and addresses of people stay in it."
            )


def spelt(body: Mapping[str, Any], rule: Rule) -> str:
    """Return a rule's action as the file spells it, in one line."""
    action = next(action for place, _, _, _, action in entries(body) if place == rule.place)
    return action if isinstance(action, str) else json.dumps(action).replace('"', "")


def _why(policy: Policy, kind: Kind, name: str, rule: Rule, tables: tuple[str, ...]) -> str:
    reasons = []
    if not rule.prefix:
        reasons.append("it names the attribute itself, which goes before every prefix")
    else:
        reasons.append(f"no rule names the attribute itself, and {rule.prefix}* is the longest prefix of it")
        reasons.append("what follows the prefix is shown as a pseudonym where a value is")
    if "tables" in rule.place:
        reasons.append("a table's own rule goes before the general one")
    if rule.place[0] == "profiles":
        reasons.append(f"a rule for the profile {policy.profile} goes before one for all")
    scopes = {(kind, table) for table in (*tables, "")}
    passed = [
        other
        for scope in sorted(scopes)
        if scope in policy.rules
        for other in (*policy.rules[scope].exact.values(), *policy.rules[scope].prefixes)
        if other != rule and (other.place[-1] == name or (other.prefix and name.startswith(other.prefix)))
    ]
    if passed:
        reasons.append(f"passed over: {', '.join('.'.join(other.place) for other in passed)}")
    return "; ".join(reasons) + "."


def _title(read: PolicyFile) -> str:
    return f"{read.file.path} version {read.policy.version} ({read.policy.hash[:12]})"


def _in_force() -> Path:
    return read_config_directory() or SHIPPED
