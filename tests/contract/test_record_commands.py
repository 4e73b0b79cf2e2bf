"""The commands that read the watch's record do so on real storage, as whoever is signed in."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import NAMESPACE_DNS, uuid5

import pytest
from azure.identity import ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient

from functions.alerts.announcement import Announcement
from functions.alerts.announcements import NAME, announcements_from_json, announcements_to_json
from functions.alerts.answer import Accepted
from functions.alerts.outbox import Response, settle
from functions.alerts.state import PREFIX, CheckState, LastEvaluation, state_to_json
from functions.checks.asking import AskingRecord
from functions.checks.coverage import Coverage, Interval
from functions.cli import main
from functions.configuration import SHIPPED, load_configuration
from functions.storage.blob import BlobDocuments
from functions.traces.source import AskingCost
from local.azurite import Azurite
from local.serving import Certificates
from tests.contract.conftest import CLIENT_ID

OBJECT_ID = str(uuid5(NAMESPACE_DNS, CLIENT_ID))
"""The stand-in's identity has no name but this in its tokens."""
CHECKS = [check.id for check in load_configuration(SHIPPED).checks]


@pytest.fixture
def signed_in(
    azurite: Azurite,
    certificates: Certificates,
    credential: ManagedIdentityCredential,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STORAGE_BLOB_ENDPOINT", azurite.blob_endpoint)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))


@pytest.fixture
def kept(blob_service: BlobServiceClient) -> Iterator[BlobDocuments]:
    """The container `state`, in which every check is up to date and has asked once."""
    container = blob_service.create_container("state")
    now = datetime.now(UTC)
    state = CheckState(
        watermark=now,
        last_evaluation=LastEvaluation(now, ok=True, windows=1, rows=1, unjudged=0, error=None),
        coverage=Coverage((Interval(now - timedelta(hours=3), now, rows=1),)),
        asking=AskingRecord().after(AskingCost(rows=7, seconds=1.5), now),
    )
    documents = BlobDocuments(container)
    for check_id in CHECKS:
        documents.write(PREFIX + check_id, state_to_json(state), version=None)
    yield documents
    container.delete_container()


@pytest.mark.usefixtures("signed_in")
def test_coverage_is_read_from_storage(kept: BlobDocuments, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage"]) == 0
    assert "No gaps, and no check is blind or behind." in capsys.readouterr().out
    held = kept.read(PREFIX + CHECKS[0])
    assert held is not None
    kept.write(PREFIX + CHECKS[0], state_to_json(CheckState()), version=held.version)
    assert main(["coverage", CHECKS[0]]) == 1
    assert f"{CHECKS[0]}: It was never evaluated." in capsys.readouterr().out


@pytest.mark.usefixtures("signed_in", "kept")
def test_what_asking_costs_is_read_from_storage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks", "cost"]) == 0
    shown = capsys.readouterr().out
    # Each check asks and sweeps; duplicate_retrieval may have to ask for content apart, both times.
    assert f"one tick asks at most {2 * (len(CHECKS) + 1)} questions" in shown
    assert "the engine works" in shown


@pytest.mark.usefixtures("signed_in")
def test_a_test_is_announced_in_storage_in_the_name_of_who_asked(
    kept: BlobDocuments, capsys: pytest.CaptureFixture[str]
) -> None:
    """The app is played by a thread that accepts what waits."""

    def app() -> Announcement | None:
        for _ in range(200):
            held = kept.read(NAME)
            if held is not None:
                outbox = announcements_from_json(held.body)
                (entry,) = outbox.waiting
                came = {entry.key: Response(Accepted(202), datetime.now(UTC))}
                after = settle(outbox, entry.destination, came, jitter=0.0)
                kept.write(NAME, announcements_to_json(after), version=held.version)
                return cast("Announcement", entry.notice)
            time.sleep(0.1)
        return None

    with ThreadPoolExecutor() as threads:
        sent = threads.submit(app)
        assert main(["alerts", "test", "teams", "--wait", "1"]) == 0
        news = sent.result()
    assert news is not None
    assert (news.kind, news.destinations, news.body["asked_by"]) == ("test", ("teams",), OBJECT_ID)
    assert f"The code is {news.body['code']}." in capsys.readouterr().out


@pytest.mark.usefixtures("signed_in")
def test_a_container_that_is_not_there_is_told_from_one_that_is_empty(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["coverage"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "404" in shown.err
    assert "Storage Blob Data Reader" in shown.err
