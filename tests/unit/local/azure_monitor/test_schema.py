import json
from pathlib import Path

import pytest

from local.azure_monitor.ingestion import Telemetry
from local.azure_monitor.schema import tables

REFERENCE = Path(__file__).parents[4] / "../shared/reference/loganalytics-tables.json"


def test_every_table_is_answered_with_its_documented_columns_and_types() -> None:
    telemetry = Telemetry()
    for table, columns in tables().items():
        answered = dict(telemetry.query(table).columns)
        assert answered == {**columns, "_TimeReceived": "datetime"}, table


def test_the_facts_are_those_of_the_reference() -> None:
    if not REFERENCE.exists():
        pytest.skip("the reference is not on this machine")
    assert tables() == json.loads(REFERENCE.read_text())["tables"]
