"""The statistics of an answer say how long the engine worked and how much it read, or nothing."""

from typing import Any

import pytest

from functions.traces.statistics import bytes_read, execution_seconds

SHARDS = {
    "bypassbytes": 5,
    "cold": {"hitbytes": 70, "missbytes": 11, "retrievebytes": 100_000},
    "hot": {"hitbytes": 682106, "missbytes": 3, "retrievebytes": 100_000},
}
REAL = {
    "query": {
        "executionTime": 0.5937856,
        "datasetStatistics": [{"tableRowCount": 43087, "tableSize": 14598614}],
        "inputDatasetStatistics": {
            "extents": {"scanned": 1, "total": 1},
            "rows": {"scanned": 36656, "total": 36656},
            "rowstores": {"scannedRows": 12323, "scannedValuesSize": 4308574},
        },
        "resourceUsage": {
            "cache": {"disk": {"hits": 0}, "memory": {"hits": 0}, "shards": SHARDS},
            "cpu": {"totalCpu": "00:00:00.0468750"},
            "memory": {"peakPerNode": 104100080},
        },
    }
}
"""The form in which the service answers."""


def test_the_engine_s_time_and_what_it_read_are_found() -> None:
    assert execution_seconds(REAL) == 0.5937856
    assert bytes_read(REAL) == 682106 + 3 + 70 + 11 + 5 + 4308574


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"resourceUsage": {"cache": {"shards": {"hot": {"hitbytes": 7}}}}}, 7),
        ({"inputDatasetStatistics": {"rowstores": {"scannedValuesSize": 9}}}, 9),
        ({"inputDatasetStatistics": {"rowstores": {"scannedValuesSize": 0}}}, 0),
    ],
)
def test_a_part_of_it_is_enough(usage: dict[str, Any], read: int) -> None:
    assert bytes_read({"query": usage}) == read


@pytest.mark.parametrize(
    "statistics",
    [
        None,
        {},
        {"query": None},
        {"query": {"executionTime": None, "resourceUsage": {"cache": {"disk": {}}}}},
        {"query": {"executionTime": "00:00:01", "resourceUsage": []}},
        {
            "query": {
                "executionTime": True,
                "inputDatasetStatistics": {"rowstores": {"scannedValuesSize": "9"}},
            }
        },
        {"query": {"executionTime": -1, "inputDatasetStatistics": {"rowstores": {"scannedValuesSize": -9}}}},
        {"query": {"executionTime": float("nan")}},
    ],
)
def test_another_form_is_not_reported_and_no_failure(statistics: dict[str, Any] | None) -> None:
    assert (execution_seconds(statistics), bytes_read(statistics)) == (None, None)
