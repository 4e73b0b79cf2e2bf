"""What people ask by is read by its rule; what is personal is stored only while it is needed, never shown."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.access.scope import Scope
from functions.errors import InvalidRequest
from functions.evidence.selection.asking import asking_for
from functions.evidence.selection.selection import (
    Asking,
    Cases,
    Conversation,
    Sample,
    Selection,
    TimeWindow,
    parse_selection,
    stored_selection,
)
from tests.unit.evidence.choices import ATTRIBUTES, CASE_ATTRIBUTE, WEEK
from tests.unit.evidence.material import SOUND, protection

ASKING = asking_for(ATTRIBUTES, protection().policy, protection().pseudonyms, case_attribute=CASE_ATTRIBUTE)
HOSTILE = '" or true | union AppTraces //'


def parsed(selector: object, asking: Asking = ASKING, scope: Scope = Scope()) -> Selection:  # noqa: B008 - frozen
    body = SOUND | {"selector": selector}
    return parse_selection(body, resolve_alert=lambda _: (), asking=asking, scope=scope)


def pseudonym(domain: str, value: str) -> str:
    return protection().pseudonyms.of(domain, value)


def test_a_conversation_is_shown_by_the_pseudonym_of_exports() -> None:
    selector = parsed({"conversation_id": "conv-1"}).selector
    assert isinstance(selector, Conversation)
    assert (selector.conversation.value, selector.conversation.shown) == (
        "conv-1",
        pseudonym("conversation", "conv-1"),
    )


def test_a_tenant_has_the_pseudonym_of_exports_and_a_dimension_is_as_the_policy_has_it() -> None:
    filters = {"tenant": "acme", "dimensions": {"warehouse": "WH-A", "driver": "Ada"}}
    assert parsed({"window": WEEK | filters}).body()["selector"]["window"] == WEEK | {
        "tenant": pseudonym("tenant", "acme"),
        "dimensions": {"driver": pseudonym("dimension", "Ada"), "warehouse": "WH-A"},
    }


def test_cases_keep_their_places() -> None:
    selector = parsed({"cases": ["CL-9", "CL-1"]}).selector
    assert isinstance(selector, Cases)
    assert [case.value for case in selector.cases] == ["CL-9", "CL-1"]


def test_a_sample_is_of_a_window() -> None:
    selector = parsed({"sample": WEEK | {"size": 25, "stratum": "warehouse", "agent": "dispatcher"}}).selector
    assert isinstance(selector, Sample)
    window = parsed({"window": WEEK | {"agent": "dispatcher"}}).selector
    assert isinstance(window, TimeWindow)
    assert selector == Sample(window, 25, "warehouse")


IDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=4, max_size=40)
SELECTORS = st.one_of(
    IDS.map(lambda one: {"conversation_id": one}),
    st.lists(IDS, min_size=1, max_size=5, unique=True).map(lambda some: {"cases": some}),
    IDS.map(
        lambda one: {"window": WEEK | {"tenant": one, "dimensions": {"driver": one, "warehouse": "WH-A"}}}
    ),
    IDS.map(lambda one: {"sample": WEEK | {"size": 3, "stratum": "day", "tenant": one}}),
)


def personal(selector: dict[str, Any]) -> set[str]:
    match selector:
        case {"conversation_id": one}:
            return {one}
        case {"cases": some}:
            return set(some)
        case {"window": window} | {"sample": window}:
            return {window["tenant"]}
    raise AssertionError(selector)


@given(SELECTORS)
def test_what_is_stored_reads_back_equal_and_what_is_shown_or_left_holds_nothing_personal(
    selector: dict[str, Any],
) -> None:
    selection = parsed(selector, scope=Scope(frozenset({"dispatcher"}), frozenset({"tenant-of-a-role"})))
    assert stored_selection(orjson.loads(orjson.dumps(selection.stored()))) == selection
    left = selection.forgotten()
    assert left.body() == selection.body()
    for shown in (selection.body(), left.stored()["selector"]):
        texts = set(_texts(shown))
        assert not personal(selector) & texts
    assert "tenant-of-a-role" not in set(_texts(selection.body()))
    assert not [one for one in personal(selector) if repr(one) in repr(selection)]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def test_a_limited_role_is_told_of_with_its_agents_and_the_number_of_its_tenants() -> None:
    limited = parsed({"window": WEEK}, scope=Scope(frozenset({"b", "a"}), frozenset({"t"}))).body()
    assert limited["limited_to"] == {"agents": ["a", "b"], "tenants": 1}
    assert "limited_to" not in parsed({"window": WEEK}).body()


@pytest.mark.parametrize(
    ("selector", "field"),
    [
        ({"conversation_id": ""}, "selector.conversation_id"),
        ({"conversation_id": "a" * 257}, "selector.conversation_id"),
        ({"conversation_id": "a\nb"}, "selector.conversation_id"),
        ({"conversation_id": ["a"]}, "selector.conversation_id"),
        ({"conversation_id": "a", "cases": ["b"]}, "selector"),
        ({"cases": []}, "selector.cases"),
        ({"cases": "CL-1"}, "selector.cases"),
        ({"cases": ["CL-1", "CL-1"]}, "selector.cases"),
        ({"cases": [str(number) for number in range(1001)]}, "selector.cases"),
        ({"cases": [7]}, "selector.cases"),
        ({"window": WEEK | {"tenant": ""}}, "selector.window.tenant"),
        ({"window": WEEK | {"dimensions": {"colour": "red"}}}, "selector.window.dimensions"),
        ({"window": WEEK | {"dimensions": ["warehouse"]}}, "selector.window.dimensions"),
        ({"window": WEEK | {"dimensions": {"warehouse": HOSTILE}}}, "selector.window.dimensions.warehouse"),
        ({"window": WEEK | {"dimensions": {"driver": "a\u202eb"}}}, "selector.window.dimensions.driver"),
        ({"window": WEEK | {"size": 3}}, "selector.window"),
        ({"sample": WEEK}, "selector.sample"),
        ({"sample": WEEK | {"size": 0}}, "selector.sample.size"),
        ({"sample": WEEK | {"size": 1001}}, "selector.sample.size"),
        ({"sample": WEEK | {"size": True}}, "selector.sample.size"),
        ({"sample": WEEK | {"size": "3"}}, "selector.sample.size"),
        ({"sample": WEEK | {"size": 3, "stratum": HOSTILE}}, "selector.sample.stratum"),
        ({"sample": WEEK | {"size": 3, "stratum": ["agent"]}}, "selector.sample.stratum"),
        ({"sample": WEEK | {"size": 3, "seed": "7"}}, "selector.sample.seed"),
        ({"sample": WEEK | {"size": 3, "seed": None}}, "selector.sample.seed"),
        ({"sample": WEEK | {"size": 3, "end": WEEK["start"]}}, "selector.sample"),
    ],
)
def test_a_bad_selector_is_refused_by_its_field_and_never_quoted(selector: object, field: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"The field {field} ") as refused:
        parsed(selector)
    assert "union" not in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "selector",
    [{"conversation_id": "a"}, {"window": WEEK | {"tenant": "a"}}, {"cases": ["a"]}],
)
def test_where_there_are_no_pseudonyms_nothing_personal_is_taken(selector: object) -> None:
    with pytest.raises(InvalidRequest):
        parsed(selector, Asking())


def test_cases_can_be_asked_for_only_where_an_attribute_holds_them() -> None:
    nowhere = asking_for(ATTRIBUTES, protection().policy, protection().pseudonyms)
    with pytest.raises(InvalidRequest, match="no attribute is configured that holds case numbers"):
        parsed({"cases": ["CL-1"]}, nowhere)


def test_a_case_that_exports_show_has_their_pseudonym() -> None:
    # tenant.id stands for any property that redaction.yaml pseudonymizes.
    asking = asking_for(ATTRIBUTES, protection().policy, protection().pseudonyms, case_attribute="tenant.id")
    selector = parsed({"cases": ["acme"]}, asking).selector
    assert isinstance(selector, Cases)
    assert selector.cases[0].shown == pseudonym("tenant", "acme")
