"""The texts of a comparison say what was found, and nothing out of telemetry works in them."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import orjson
import pytest

from functions.evidence.controls.verdicts import Control, Result
from functions.release.compare import compare
from functions.release.compare_facts import Run
from functions.release.compare_html import page
from functions.release.compare_markdown import markdown
from functions.release.compare_words import Comparison
from tests.unit.release.made_up import AGENTS, NEW, OLD, Ways, two

HOSTILE = "a|b\n# <script>alert(1)</script><img src=x> [x](http://evil.example) \x1b[2J\u202e`*"
WHEN = datetime(2026, 11, 20, tzinfo=UTC)


def comparison(runs: list[Run], old: str = OLD, new: str = NEW) -> Comparison:
    return Comparison(old, new, WHEN, WHEN, compare(runs, AGENTS, old, new), "USD", date(2026, 11, 1))


def texts(found: Comparison) -> dict[str, str]:
    return {
        "html": page(found),
        "md": markdown(found),
        "json": orjson.dumps(found.body()).decode(),
    }


WORSE = comparison(two(5, Ways(), Ways(looks_up=0.2, other_tool=0.2)))
EQUAL = comparison(two(8, Ways(), Ways()))


class Tags(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("kind", ["html", "md"])
def test_the_answer_names_each_difference(kind: str) -> None:
    text = texts(WORSE)[kind]
    (agent,) = WORSE.agents
    assert {one.measure for one in agent.differences} >= {"lookups_kept", "new_tool"}
    assert f"{len(agent.differences)} differences, {len(agent.worse)} for the worse" in text
    assert "Answers with every required look-up" in text
    assert "A tool never called before" in text
    assert re.search(r"delete[_\\ˍ]+customer", text)
    assert "Does it still retrieve the approved rules before it recommends?" in text
    assert "How it was compared" in text


@pytest.mark.parametrize("kind", ["html", "md"])
def test_equal_releases_are_said_not_to_differ(kind: str) -> None:
    assert "No difference is more than chance." in texts(EQUAL)[kind]
    assert "worse" not in re.sub(r"<style>.*?</style>", "", texts(EQUAL)[kind], flags=re.DOTALL)


@pytest.mark.parametrize("kind", ["html", "md"])
def test_small_numbers_and_how_sure_it_is_are_said(kind: str) -> None:
    few = [replace(run, without_usage=1) for run in two(1, Ways(), Ways(), runs=5)]
    text = texts(comparison(few))[kind]
    assert "Small numbers: fewer than 30 runs" in text
    assert "5 runs; 0 of them sampled" in text
    assert "5 of 10 model calls without token counts" in text


def test_the_json_says_the_same() -> None:
    body = json.loads(texts(WORSE)["json"])
    (agent,) = WORSE.agents
    assert (body["differences"], body["worse"]) == (WORSE.differences, WORSE.worse)
    found = {one["measure"]: one for one in body["agents"][0]["measures"]}
    for line in agent.lines:
        assert found[line.measure]["called"] == line.called.value
        assert found[line.measure]["old"] == {
            "value": line.old.value,
            "runs": line.old.runs,
            "hits": line.old.hits,
            "not_known": line.old.unknown,
        }


def hostile() -> Comparison:
    runs = [
        replace(
            run,
            agent=HOSTILE,
            release=HOSTILE if run.release == NEW else run.release,
            prompt_version=HOSTILE,
            models=frozenset({HOSTILE}),
            tools=frozenset({HOSTILE}) if run.release == NEW else frozenset(),
            verdicts={Control.REQUIRED_LOOKUPS: Result.PASS},
        )
        for run in two(1, Ways(), Ways())
    ]
    found = comparison(runs, new=HOSTILE)
    assert found.agents[0].kinds
    return found


def test_html_has_no_script_and_loads_nothing_and_a_name_can_not_add_either() -> None:
    seen, clean = Tags(), Tags()
    seen.feed(page(hostile()))
    clean.feed(page(WORSE))
    assert not seen.tags & {"script", "img", "link", "iframe", "a", "object", "form"}
    assert not {name for name in seen.attributes if name.startswith("on")} | (
        seen.attributes & {"src", "href"}
    )
    assert seen.tags <= clean.tags | {"p"}
    assert "default-src 'none'" in page(WORSE)
    assert "@media print" in page(WORSE)


@pytest.mark.parametrize("kind", ["html", "md", "json"])
def test_no_control_or_bidirectional_character_is_left(kind: str) -> None:
    text = texts(hostile())[kind]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "\\u001b" not in text


def test_markdown_keeps_its_tables_whole_and_has_no_link_or_markup_of_a_name() -> None:
    text = markdown(hostile())
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {6}
    assert "<script" not in text
    assert "](" not in text
    assert "http://" not in text
    assert not any(line.startswith("# ") for line in text.splitlines()[1:])
