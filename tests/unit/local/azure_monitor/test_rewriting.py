"""What is asked of one stretch of time after the other is translated once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from functions.checks.question import question
from functions.checks.windows import due_windows
from functions.configuration import SHIPPED, load_configuration
from local.azure_monitor import rewriting

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_check_is_translated_once_however_often_it_asks() -> None:
    configuration = load_configuration(SHIPPED)
    shipped = next(check for check in configuration.checks if check.id == "slow_run")
    check = replace(shipped, query=f"{shipped.query}// no other test asks this\n")
    texts = set()
    translations = rewriting._translated.cache_info  # noqa: SLF001 - nothing else tells of it but time
    before = translations().misses
    for hours in range(3):
        now = NOON + timedelta(hours=hours)
        batch = due_windows(
            every=check.every, settle=check.settle, watermark=now - timedelta(hours=1), now=now
        )
        assert batch is not None
        asked = question(check, batch, configuration.agents, configuration.prices)
        texts.add(rewriting.translate(asked.kql))
    assert len(texts) == 3
    assert translations().misses == before + 1
