"""agents.yaml becomes values."""

from datetime import date

from functions.traces.agents import (
    Agent,
    EvaluationObjective,
    Freshness,
    OverdueReview,
    RequiredLookup,
    StepObjective,
    agents,
    overdue,
)

BODY = {
    "attributes": {
        "tenant": ["tenant.id"],
        "intent": [],
        "prompt_version": ["prompt.version"],
        "environment": ["deployment.environment", "deployment.environment.name"],
        "data_as_of": ["tool.data_as_of"],
        "document_count": [],
        "document_ids": [],
        "dimensions": {"warehouse": ["app.warehouse"]},
    },
    "agents": {
        "dispatcher": {
            "owner": "dispatch",
            "group": "logistics",
            "review_by": "2027-05-01",
            "required_lookups": [
                {"tool": "status", "intents": ["where"]},
                {"tool": "rules"},
                {"tool": "rates", "after_tool": "quote", "routes": ["POST /quote"]},
                {"tool": "stock", "where": {"dimension": "warehouse", "is": ["A", "B"]}},
            ],
            "freshness": [{"tool": "status", "max_age_minutes": 60}],
            "approved_tools": ["status", "rules", "rates", "quote"],
            "objectives": {
                "run_p95_ms": 5000,
                "steps": [
                    {"operation": "execute_tool", "tool": "status", "p95_ms": 150},
                    {"operation": "chat", "model": "large", "p95_ms": 4000},
                ],
                "evaluations": [{"name": "groundedness", "minimum_score": 0.7}],
            },
            "budgets": {"daily_usd": 5, "monthly_usd": 100},
            "silent_after_minutes": 60,
            "id_format": "^conv-[0-9]+$",
            "content_allowed": False,
            "required_fields": ["conversation", "tenant"],
        },
        "greeter": {"owner": "lobby"},
    },
}


def test_an_agent_knows_what_it_owes() -> None:
    dispatcher = agents(BODY).by_name["dispatcher"]
    assert (dispatcher.owner, dispatcher.group) == ("dispatch", "logistics")
    assert dispatcher.required_lookups == (
        RequiredLookup("status", ("where",)),
        RequiredLookup("rules", ()),
        RequiredLookup("rates", (), after_tool="quote", routes=("POST /quote",)),
        RequiredLookup("stock", (), dimension="warehouse", values=("A", "B")),
    )
    assert dispatcher.freshness == (Freshness("status", 60.0),)


def test_an_agent_knows_what_it_may_do_and_must_reach() -> None:
    dispatcher = agents(BODY).by_name["dispatcher"]
    assert dispatcher.review_by == date(2027, 5, 1)
    assert dispatcher.approved_tools == ("status", "rules", "rates", "quote")
    assert dispatcher.run_p95_ms == 5000
    assert dispatcher.steps == (
        StepObjective("execute_tool", tool="status", model="", p95_ms=150),
        StepObjective("chat", tool="", model="large", p95_ms=4000),
    )
    assert dispatcher.evaluations == (EvaluationObjective("groundedness", 0.7),)
    assert (dispatcher.daily_usd, dispatcher.monthly_usd) == (5, 100)
    assert (dispatcher.silent_after_minutes, dispatcher.id_format) == (60, "^conv-[0-9]+$")
    assert not dispatcher.content_allowed
    assert dispatcher.required_fields == ("conversation", "tenant")


def test_an_agent_may_owe_nothing_and_do_anything() -> None:
    assert agents(BODY).by_name["greeter"] == Agent(
        name="greeter",
        owner="lobby",
        group="",
        required_lookups=(),
        freshness=(),
        review_by=None,
        approved_tools=None,
        run_p95_ms=None,
        steps=(),
        evaluations=(),
        daily_usd=None,
        monthly_usd=None,
        silent_after_minutes=None,
        id_format=None,
        content_allowed=True,
        required_fields=(),
    )


def test_the_preferred_property_comes_first() -> None:
    attributes = agents(BODY).attributes
    assert attributes.environment == ("deployment.environment", "deployment.environment.name")
    assert attributes.intent == ()
    assert attributes.dimensions == {"warehouse": ("app.warehouse",)}


def test_reviews_are_overdue_after_their_day_the_longest_first() -> None:
    dates = {"c": "2026-11-20", "b": "2026-11-21", "a": "2026-11-20", "in time": "2026-11-22", "none": None}
    body = {
        "attributes": BODY["attributes"],
        "agents": {
            name: {"owner": "desk"} | ({"review_by": day} if day else {}) for name, day in dates.items()
        },
    }
    assert overdue(agents(body), date(2026, 11, 22)) == (
        OverdueReview("a", "desk", date(2026, 11, 20), days=2),
        OverdueReview("c", "desk", date(2026, 11, 20), days=2),
        OverdueReview("b", "desk", date(2026, 11, 21), days=1),
    )
