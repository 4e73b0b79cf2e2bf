"""Every check fires where its fixtures say so, and stays quiet where they say so."""

from pathlib import Path

import pytest

from functions.configuration import SHIPPED, load_configuration
from tests.checks.bench import SITE
from tests.checks.expectations import walk
from tests.checks.fixtures import FIXTURES

CHECKS = {check.id: check for check in load_configuration(SHIPPED, SITE).checks}


@pytest.mark.parametrize("check_id", CHECKS)
def test_a_check_finds_what_its_fixtures_say_and_nothing_else(check_id: str, tmp_path: Path) -> None:
    assert walk(CHECKS[check_id], FIXTURES / check_id, tmp_path) == []


def test_every_folder_of_fixtures_belongs_to_a_check() -> None:
    folders = {path.parent.name for path in FIXTURES.glob("*/*.yaml")} - {SITE.name}
    assert folders <= set(CHECKS)
