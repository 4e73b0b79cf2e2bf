import traceback

import pytest

from functions.errors import SourceThrottled, TracekeeperError
from functions.triggers.background import in_background
from functions.wiring import Services
from tests.unit.triggers.rig import make_rig

SECRET = "https://example.com/?sig=sesame"


def shown(error: Exception) -> str:
    """Return all that a host can log of it."""
    return "".join(traceback.format_exception(error))


def test_work_is_done_with_the_services() -> None:
    rig = make_rig()
    seen: list[Services] = []
    in_background("it", lambda: rig.services, seen.append)
    assert seen == [rig.services]


def test_a_foreign_exception_shows_its_type_and_place_only() -> None:
    def work(services: Services) -> None:
        raise ValueError(SECRET) from ConnectionError(SECRET)

    with pytest.raises(TracekeeperError) as caught:
        in_background("it", lambda: make_rig().services, work)
    assert "it failed: ValueError at work:" in str(caught.value)
    assert "sesame" not in shown(caught.value)


def test_our_own_error_keeps_its_text_but_not_its_cause() -> None:
    def work(services: Services) -> None:
        raise SourceThrottled("The service is busy.", next_step="Wait.") from ValueError(SECRET)

    with pytest.raises(TracekeeperError, match="The service is busy") as caught:
        in_background("it", lambda: make_rig().services, work)
    assert "sesame" not in shown(caught.value)


def test_services_that_cannot_be_built_are_a_failure() -> None:
    def provide() -> Services:
        raise ValueError(SECRET)

    with pytest.raises(TracekeeperError, match="ValueError"):
        in_background("it", provide, lambda services: services.watch.tick())
