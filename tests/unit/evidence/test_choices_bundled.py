"""What a selector chose, in the finished bundle: a sample that anybody draws again, and nothing personal."""

import subprocess
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.access.scope import EVERYTHING, Scope
from functions.errors import InvalidRequest
from functions.evidence.exports.export import State
from functions.evidence.selection.asking import asking_for
from functions.evidence.selection.drawing import Drawing
from functions.evidence.selection.resolving import SourceResolver
from functions.evidence.verification.verification import Verified, verify_bundle
from tests.fakes.signer import MemorySigner
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments
from tests.unit.evidence.choices import ASKED, ASKER, ATTRIBUTES, CASE_ATTRIBUTE, MONDAY, WEEK, run, source_of
from tests.unit.evidence.material import SOUND, protection
from tests.unit.evidence.rig import RememberingSource, Rig
from tests.unit.evidence.selection.test_drawing import recipe

PERSONAL = ("customer-of-ours", "conv-4711", "CL-2026-00017", "Ada Lovelace")
NAMED = {"app.claim_number": PERSONAL[2], "app.driver": PERSONAL[3]}


def rig() -> Rig:
    """Return exports of twelve runs of two agents, all of them of one customer and one conversation."""
    rig = Rig()
    runs = [
        run(
            number,
            "benefits" if number % 3 == 0 else "dispatcher",
            MONDAY,
            tenant=PERSONAL[0],
            conversation=PERSONAL[1],
            **NAMED,
        )
        for number in range(1, 13)
    ]
    rig.now, rig.source = ASKED, RememberingSource(source_of(*runs))
    found = protection()
    rig.asking = asking_for(ATTRIBUTES, found.policy, found.pseudonyms, case_attribute=CASE_ATTRIBUTE)
    drawing = Drawing(rig.documents, rig.work, rig.log, lambda: rig.now)
    rig.resolver = SourceResolver(rig.source, ATTRIBUTES, CASE_ATTRIBUTE, found, drawing, most_listed=0)
    return rig


def done(rig: Rig, selector: dict[str, Any], scope: Scope = EVERYTHING) -> str:
    selection = rig.exports.parse(SOUND | {"selector": selector}, scope=scope)
    export_id = rig.exports.request(selection, requester=ASKER).id
    rig.run(export_id)
    export = rig.exports.get(export_id)
    assert (export.state, export.failure) == (State.DONE, None)
    return export_id


def unpacked(rig: Rig, export_id: str, folder: Path) -> Path:
    path = folder / "bundle.zip"
    path.write_bytes(rig.bundle(export_id))
    verified = verify_bundle(path, key=MemorySigner().public_key())
    assert isinstance(verified, Verified), verified
    with zipfile.ZipFile(path) as bundle:
        bundle.extractall(folder)
    return next(folder.rglob("data"))


SAMPLE = {"sample": WEEK | {"size": 5, "stratum": "agent"}}


def test_a_bundle_alone_is_enough_to_draw_its_sample_again(tmp_path: Path) -> None:
    exports = rig()
    data = unpacked(exports, done(exports, SAMPLE), tmp_path)
    again = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", recipe()],
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert isinstance(exports.log, MemoryAppendLog)
    (begun,) = [one for one in exports.log.entries() if one["action"] == "exports.draw-begun"]
    asked = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "jq -cjS .selector data/request.json | sha256sum"],
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.split()[0] == begun["on"]["selector_sha256"]
    told = orjson.loads((data / "request.json").read_bytes())["resolved"]["sample"]
    drawn = {one["trace_id"] for stratum in told["strata"] for one in stratum["drawn"]}
    exported = {
        span["traceId"]
        for line in (data / "traces.otlp.jsonl").read_bytes().splitlines()
        for resource in orjson.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    }
    assert len(drawn) == 5
    assert exported == drawn
    assert told["population"]["runs"] == 12


@pytest.mark.parametrize(
    ("selector", "scope"),
    [
        ({"conversation_id": PERSONAL[1]}, EVERYTHING),
        ({"cases": [PERSONAL[2]]}, EVERYTHING),
        ({"window": WEEK | {"tenant": PERSONAL[0], "dimensions": {"driver": PERSONAL[3]}}}, EVERYTHING),
        ({"window": WEEK}, Scope(tenants=frozenset({PERSONAL[0]}))),
        ({"sample": WEEK | {"size": 3, "tenant": PERSONAL[0], "stratum": "driver"}}, EVERYTHING),
    ],
)
def test_nothing_personal_is_in_bundle_ledger_or_answer_nor_kept_once_it_is_over(
    selector: dict[str, Any], scope: Scope, tmp_path: Path
) -> None:
    exports = rig()
    export_id = done(exports, selector, scope)
    data = unpacked(exports, export_id, tmp_path)
    assert isinstance(exports.log, MemoryAppendLog)
    assert isinstance(exports.documents, MemoryDocuments)
    seen = {path.name: path.read_text("latin-1") for path in data.parent.rglob("*") if path.is_file()}
    seen["ledger"] = b"".join(exports.log.lines).decode()
    seen["answer"] = orjson.dumps(exports.exports.get(export_id).body()).decode()
    for name in exports.documents.names(""):
        document = exports.documents.read(name)
        assert document is not None
        stored = dict(document.body)
        stored.pop("scope", None)  # names the tenants of agents.yaml, and nobody of this request
        seen[name] = orjson.dumps(stored).decode()
    assert [(name, one) for name, text in seen.items() for one in PERSONAL if one in text] == []
    assert list(exports.work.names("")) == []
    counts = exports.exports.get(export_id).counts
    assert counts is not None
    assert counts.traces >= 3


def test_a_sample_with_a_seed_is_refused() -> None:
    body = SOUND | {"selector": {"sample": WEEK | {"size": 5, "seed": "7" * 64}}}
    with pytest.raises(InvalidRequest, match=r"selector\.sample\.seed must not be given"):
        rig().exports.parse(body)


def test_a_sample_that_can_t_be_drawn_says_why() -> None:
    exports = rig()
    selection = exports.exports.parse(
        SOUND | {"selector": {"sample": WEEK | {"size": 1, "stratum": "agent"}}}
    )
    export_id = exports.exports.request(selection, requester=ASKER).id
    exports.run(export_id)
    export = exports.exports.get(export_id)
    assert export.state is State.FAILED
    assert export.failure == (
        "The population has more strata than the sample has runs, or than a sample can have. "
        "Ask for more runs, or another stratum; at most 100 strata."
    )
