"""agents.yaml becomes values."""

from functions.traces.agents import Freshness, RequiredLookup, agents

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
            "required_lookups": [{"tool": "status", "intents": ["where"]}, {"tool": "rules"}],
            "freshness": [{"tool": "status", "max_age_minutes": 60}],
        },
        "greeter": {"owner": "lobby"},
    },
}


def test_an_agent_knows_what_it_owes() -> None:
    dispatcher = agents(BODY).by_name["dispatcher"]
    assert dispatcher.owner == "dispatch"
    assert dispatcher.required_lookups == (RequiredLookup("status", ("where",)), RequiredLookup("rules", ()))
    assert dispatcher.freshness == (Freshness("status", 60.0),)


def test_an_agent_may_owe_nothing() -> None:
    greeter = agents(BODY).by_name["greeter"]
    assert (greeter.required_lookups, greeter.freshness) == ((), ())


def test_the_preferred_property_comes_first() -> None:
    attributes = agents(BODY).attributes
    assert attributes.environment == ("deployment.environment", "deployment.environment.name")
    assert attributes.intent == ()
    assert attributes.dimensions == {"warehouse": ("app.warehouse",)}
