"""Before the app is uploaded: do its config files hold, and is in the package what belongs there alone?"""

import re
import sys
import tempfile
from pathlib import Path

from infra.hooks.console import Console
from infra.hooks.package import TOP, write_package
from infra.hooks.tools import ROOT, given, tracekeeper


def main() -> int:
    """Look at both; return the exit code."""
    console = Console()
    folders = ["config", *filter(None, [given("SITE_CONFIG_DIRECTORY")])]
    for folder in folders:
        _configuration(console, folder)
    _package(console)
    _requirements(console)
    return console.exit_code("predeploy")


def _configuration(console: Console, folder: str) -> None:
    answer = tracekeeper("config", "check", folder)
    if answer.ok:
        console.ok(f"the config files in {folder} hold")
    else:
        console.failed(f"the config files in {folder} don't hold", (answer.out + answer.trouble).strip())


def _package(console: Console) -> None:
    with tempfile.TemporaryDirectory(prefix="tracekeeper-") as folder:
        file = Path(folder) / "package.zip"
        paths = write_package(ROOT, file)
        size = file.stat().st_size
    tops = {path.parts[0] for path in paths}
    if tops == TOP:
        console.ok(f"the package has {len(paths)} files, {size:,} bytes compressed")
        return
    if absent := sorted(TOP - tops):
        console.failed(f"the package lacks {', '.join(absent)}", "Mend .funcignore.")
    if strange := sorted(tops - TOP):
        console.failed(
            f"the package has {', '.join(strange)}, which must not be deployed", "Mend .funcignore."
        )


def _requirements(console: Console) -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    loose = [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry]
    if entries and not loose:
        console.ok(f"{len(entries)} packages, each by version and hash")
    else:
        console.failed(
            f"packages without a hash in requirements.txt: {', '.join(loose) or 'all'}",
            "Write it with `uv pip compile --generate-hashes`.",
        )


if __name__ == "__main__":
    sys.exit(main())
