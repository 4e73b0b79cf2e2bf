"""Runs checkov on the templates: `make checkov`.

Its parser does not know the statement `extension`, and leaves out a whole file for it. So it reads a copy in
which that line is a comment. We also fail where it could not read a file or fell over a check.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

INFRA = Path(__file__).parents[1]
CHECKOV = INFRA.parent / ".venv-checkov" / "bin" / "checkov"
_EXTENSION = re.compile(r"^extension ", re.MULTILINE)
_SUMMARY = re.compile(
    r"^Passed checks: (\d+), Failed checks: (\d+), Skipped checks: \d+(?:, Parsing errors: (\d+))?",
    re.MULTILINE,
)


def main(arguments: Sequence[str]) -> int:
    """Check this folder, or another; return 1 for a failed check, a file not read or a check that broke."""
    with tempfile.TemporaryDirectory(prefix="checkov-") as folder:
        copy = Path(folder) / "infra"
        shutil.copytree(arguments[0] if arguments else INFRA, copy)
        for path in copy.rglob("*.bicep"):
            text = path.read_text(encoding="utf-8")
            path.write_text(_EXTENSION.sub("// extension ", text), encoding="utf-8")
        done = subprocess.run(
            [CHECKOV, "--config-file", INFRA / "checkov" / "reasons.yaml", "--directory", copy],
            capture_output=True,
            text=True,
            check=False,
        )
    print(done.stdout.strip())
    if not (summary := _SUMMARY.search(done.stdout)):
        print(done.stderr.strip(), file=sys.stderr)
        return 1
    passed, failed, unread = (int(number or 0) for number in summary.groups())
    broke = done.stderr.count("Traceback")
    if broke:
        print(done.stderr.strip(), file=sys.stderr)
    print(f"checkov: {passed} passed, {failed} failed, {unread} files not read, {broke} checks broke")
    return int(bool(failed or unread or broke or not passed or done.returncode))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
