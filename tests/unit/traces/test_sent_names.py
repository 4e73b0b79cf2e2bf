"""Which sent names stand for an agent: as in the views, and a name always for itself."""

from functions.traces.kql import text
from functions.traces.sent_names import stands_for
from local.azure_monitor.ingestion import Telemetry

HOSTILE = '" or true or "'
STAND = (
    ("broker", "broker", {}),
    ("broker-v2", "broker", {"broker-v2": "broker"}),
    ("broker-v2", "broker", {"broker-*": "broker"}),
    ("broker-v2", "broker", {"broker-*": "broker", "b*": "clerk"}),
    ("broker-v2", "broker", {"b*": "broker", "br*": "clerk", "bro*": "broker"}),
    ("broker-v2", "broker", {"b*": "broker", "broker-v": "clerk", "broker-v2-*": "clerk"}),
    ("broker-v2", "broker", {"b*": "clerk", "broker-v2": "broker"}),
    ("broker-v2", "broker-v2", {"broker-v2": "broker"}),
    (HOSTILE, "broker", {HOSTILE: "broker"}),
)
DO_NOT = (
    ("Broker", "broker", {}),
    ("broker-v2", "broker", {}),
    ("Broker-v2", "broker", {"broker-v2": "broker", "broker-*": "broker"}),
    ("a broker-v2", "broker", {"broker-*": "broker"}),
    ("broker-v2", "broker", {"other": "broker", "broker-*": "clerk"}),
    ("broker-v2", "broker", {"b*": "broker", "broker-v2": "clerk"}),
    ("broker-v2", "broker", {"b*": "broker", "broker-*": "clerk"}),
    ("broker-v2", "broker", {"b*2": "broker"}),
    ("", "broker", {"b*": "broker"}),
    ("other", HOSTILE, {HOSTILE: HOSTILE, f"{HOSTILE}*": HOSTILE, f"{HOSTILE}-*": "clerk"}),
)


def test_a_name_stands_for_the_agent_whose_name_is_nearest_to_it_and_for_itself() -> None:
    asked = (*STAND, *DO_NOT)
    conditions = (
        f"C{number} = {stands_for(text(sent), agent, names)}"
        for number, (sent, agent, names) in enumerate(asked)
    )
    (row,) = Telemetry().query(f"print {', '.join(conditions)}").rows
    assert dict(zip(asked_as_text(), row, strict=True)) == {
        **{str(case): True for case in STAND},
        **{str(case): False for case in DO_NOT},
    }


def asked_as_text() -> list[str]:
    return [str(case) for case in (*STAND, *DO_NOT)]
