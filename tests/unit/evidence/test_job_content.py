"""Exports of the profile content, over both routings of content."""

import io
import zipfile
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson
import pytest

from functions.evidence.exports.export import Export, State
from functions.evidence.packing.bundle import CONTENT, TOP
from functions.evidence.selection.selection import Selection, TraceIds
from functions.evidence.verification.verification import Verified, verify_bundle
from functions.traces.source import Rows
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import AGENT, OTHER, TRACE, envelopes
from tests.unit.evidence.rig import ASKER, Rig

SAID = "Where is my parcel? Write to ada.lovelace@example.org."
MESSAGES = orjson.dumps([{"role": "user", "parts": [{"type": "text", "content": SAID}]}]).decode()


def telemetry(routing: Literal["table", "inline"]) -> Telemetry:
    """Return two traces, in one of which somebody says something."""
    spoken = envelopes(TRACE)
    spoken[1]["data"]["baseData"]["properties"]["gen_ai.input.messages"] = MESSAGES
    found = Telemetry(content_routing=routing)
    found.ingest(spoken + envelopes(OTHER), delay=timedelta(seconds=2))
    return found


class NotAllowed(TelemetrySource):
    """Finds no rows in the table that is protected, as the service has it: and says nothing of it."""

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        found = super().query(kql, since=since, until=until)
        return Rows(found.columns, ()) if "AppGenAIContent" in kql else found


def exported(rig: Rig) -> Export:
    selection = Selection(TraceIds((OTHER, TRACE)), "content", "a claim is disputed", "CASE-7")
    export_id = rig.exports.request(selection, requester=ASKER).id
    rig.run(export_id)
    export = rig.exports.get(export_id)
    assert export.state is State.DONE, export.failure
    return export


def files_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.removeprefix(f"{TOP}/"): archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("routing", ["table", "inline"])
def test_what_was_said_is_in_the_bundle_masked(routing: Literal["table", "inline"], tmp_path: Any) -> None:
    rig = Rig()
    rig.source = TelemetrySource(telemetry(routing))
    export = exported(rig)
    data = rig.bundle(export.id)
    files = files_of(data)
    lines = list(map(orjson.loads, files[CONTENT].splitlines()))
    (line,) = (line for line in lines if line["kind"] == "gen_ai.input.messages")
    assert (line["trace_id"], line["span_id"], line["role"]) == (TRACE, AGENT, "user")
    assert line["text"].startswith("Where is my parcel? Write to ")
    assert b"ada.lovelace" not in b"".join(files.values())
    assert export.counts is not None
    assert export.counts.complete
    (tmp_path / "bundle.zip").write_bytes(data)
    assert isinstance(verify_bundle(tmp_path / "bundle.zip"), Verified)
    assert orjson.loads(files["data/redactions.json"])["content"]["parts"] == len(lines)


def test_both_routings_give_the_same_content() -> None:
    found = []
    for routing in ("table", "inline"):
        rig = Rig()
        rig.source = TelemetrySource(telemetry(routing))  # type: ignore[arg-type]  # one of its two literals
        found.append(files_of(rig.bundle(exported(rig).id))[CONTENT])
    assert found[0] == found[1]


def test_moved_content_that_may_not_be_read_makes_the_export_incomplete(tmp_path: Any) -> None:
    rig = Rig()
    rig.source = NotAllowed(telemetry("table"))
    export = exported(rig)
    assert export.counts is not None
    assert export.bundle is not None
    assert not export.counts.complete
    assert export.bundle.object_name.endswith("bundle-content-INCOMPLETE.zip")
    data = rig.bundle(export.id)
    content = orjson.loads(files_of(data)["data/completeness.json"])["content"]
    assert (content["rows_pointing_there"], content["rows_here"], content["complete"]) == (1, 0, False)
    (tmp_path / "bundle.zip").write_bytes(data)
    verified = verify_bundle(tmp_path / "bundle.zip")
    assert isinstance(verified, Verified), verified
    assert not verified.payload.complete


def test_the_profile_metadata_reads_no_content() -> None:
    source = TelemetrySource(telemetry("table"))
    rig = Rig()
    rig.source = source
    rig.run(rig.requested())
    assert not [kql for kql in source.asked if "AppGenAIContent" in kql]
