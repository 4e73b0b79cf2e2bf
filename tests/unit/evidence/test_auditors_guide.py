"""docs/evidence.md promises an auditor what commands print: they are run as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from functions.evidence.packing.bundle import SIGNATURES, TAG_MANIFEST, TAGS, payload_names
from functions.evidence.selection.sampling import POPULATION
from functions.signing.signatures import public_pem
from tests.unit.evidence.sound import SIGNER, sound_bundle
from tests.unit.evidence.test_tampering import ATTACKS

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/evidence.md").read_text(encoding="utf-8")
TOOLS = ("bash", "unzip", "sha256sum", "openssl")


def sessions() -> list[tuple[str, str]]:
    """Return each command of the guide with the output that stands below it, in order."""
    lines = "".join(re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL))
    return [
        (command, output)
        for command, output in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", lines, re.MULTILINE)
    ]


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="a tool of the guide is not here")
def test_an_auditor_sees_what_the_guide_shows(tmp_path: Path) -> None:
    (tmp_path / "bundle-metadata.zip").write_bytes(sound_bundle())
    (tmp_path / "pub.pem").write_text(public_pem(SIGNER.public_key()))
    told = sessions()
    assert len(told) >= 9
    script = ["set -u"]
    for command, _ in told:
        # The command of ours is called from where the bundle was downloaded.
        back = "cd .. && " if command.startswith("tracekeeper") else ""
        script += [f"{back}{command}", "echo '---'"]
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, call in (("bagit.py", "-W ignore -m bagit"), ("tracekeeper", "-m functions.cli")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {call} "$@"\n')
        (tools / name).chmod(0o755)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split("---\n")[:-1] == [output for _, output in told]


def test_the_guide_says_of_each_attack_what_its_test_found() -> None:
    table = GUIDE.partition("## Who catches what")[2].partition("##")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "|" in line
    ]
    told = {row[0]: row[1:] for row in rows[2:]}
    assert told.keys() == ATTACKS.keys()
    for name, (_, caught) in ATTACKS.items():
        found = (caught.sha256sum, caught.bagit, caught.openssl, caught.without_key, True)
        assert [word == "caught" for word in told[name]] == list(found), name


def test_the_guide_explains_each_file_of_a_bundle() -> None:
    table = GUIDE.partition("## What is in a bundle")[2].partition("## ")[0]
    named = set(
        re.findall(r"`([^`\n]+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line))
    )
    assert named == payload_names("content") | {POPULATION} | TAGS | {TAG_MANIFEST} | SIGNATURES
