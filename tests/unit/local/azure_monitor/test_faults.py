import pytest

from local.azure_monitor.faults import Faults, Lasting


def test_a_fault_is_met_as_often_as_asked_for() -> None:
    faults = Faults()
    faults.add("throttled", times=2, retry_after=7)
    met = [faults.take("AppRequests") for _ in range(3)]
    assert [fault and (fault.kind, fault.retry_after) for fault in met] == [
        ("throttled", 7),
        ("throttled", 7),
        None,
    ]


def test_a_fault_waits_for_the_query_it_was_meant_for() -> None:
    faults = Faults()
    faults.add("timeout", matching="AppEvents")
    faults.add("unavailable")
    met = [faults.take(query) for query in ("AppRequests", "AppRequests", "AppEvents | count")]
    assert [fault and fault.kind for fault in met] == ["unavailable", None, "timeout"]


@pytest.mark.parametrize(("kind", "times"), [("flood", 1), ("throttled", 0)])
def test_there_is_no_other_fault(kind: str, times: int) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        Faults().add(kind, times=times)  # type: ignore[arg-type] - as it arrives from another process


@pytest.mark.parametrize(("minutes", "every"), [(-1, 1), (1, 0)])
def test_rows_are_late_by_some_time_and_as_a_share(minutes: float, every: int) -> None:
    with pytest.raises(ValueError, match="late"):
        Lasting(late_minutes=minutes, late_every=every)
