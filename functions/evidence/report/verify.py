"""Writes the chapter that tells a person how to check the bundle without trusting who made it. Pure."""

from functions.evidence.packing.bundle import MANIFEST, SIGNATURE_DER, TAG_MANIFEST, TOP, payload_names
from functions.evidence.report.html import Html, code, definitions, joined, paragraph, section, text

_FILES = {
    "data/report.html": "this report",
    "data/traces.otlp.jsonl": "each trace, one a line, as OpenTelemetry's OTLP/JSON",
    "data/spans.csv": "the same rows as a table, for a spreadsheet",
    "data/controls.csv": "each run and each control: pass, fail or not evaluable, and why",
    "data/request.json": "what was asked, why, and every query that read the telemetry",
    "data/completeness.json": "rows at the source and rows here, slice by slice; what is missing",
    "data/coverage.json": "what each check evaluated of that time, and what it could not see",
    "data/redactions.json": "what was removed, counted by rule; the policy's SHA-256",
    "data/population.txt": "the runs that the sample was drawn from",
    "data/content.jsonl": "what people and models said, masked",
}


def verify(profile: str, key_id: str | None, published: str, *, complete: bool, sampled: bool) -> Html:
    """Return the chapter.

    Args:
        profile: Of the bundle.
        key_id: Thumbprint of the key that signs it; None where nothing is signed.
        published: Where the public key is published; "" where nobody has said.
        complete: Whether it may be called complete.
        sampled: Whether its traces are a sample.
    """
    archive = f"bundle-{profile}{'' if complete else '-INCOMPLETE'}.zip"
    names = payload_names(profile) | ({"data/population.txt"} if sampled else set())
    return section(
        "verify",
        "How to verify",
        paragraph(
            "None of this needs our software. In a terminal, where the download and the public key lie:"
        ),
        _commands(
            f"unzip {archive} && cd {TOP}",
            f"sha256sum --check {MANIFEST}",
            f"sha256sum --check {TAG_MANIFEST}",
        ),
        paragraph(
            "These show damage: each file is what the manifests say. <code>bagit.py --validate .</code> also "
            "shows a file that was added under <code>data/</code>. Only a signature shows a forger who wrote "
            "files and manifests anew:"
        ),
        _signature(key_id, published),
        paragraph(
            "<code>tracekeeper verify</code> with the downloaded file and <code>--key pub.pem</code> does "
            "all of it, and looks for files that no manifest lists and for counts that disagree."
        ),
        definitions((name, text(what)) for name, what in _FILES.items() if name in names),
    )


def _signature(key_id: str | None, published: str) -> Html:
    if key_id is None:
        return paragraph(
            "<strong>This bundle is not signed.</strong> Whoever could write it could have written anything: "
            "rely on where you got it from."
        )
    where = (
        f"The public key is published here: {text(published, 300)}."
        if published
        else "Ask those who answer for this system for it, not the person who gave you the bundle."
    )
    return joined(
        (
            _commands(
                "openssl dgst -sha256 -verify ../pub.pem \\",
                f"  -signature {SIGNATURE_DER} {TAG_MANIFEST}",
            ),
            paragraph(
                "The public key <code>pub.pem</code> is not in the bundle: a forger would put in his own.",
                where,
                f"The key that signs has the thumbprint (RFC 7638) {code(key_id)}.",
            ),
        )
    )


def _commands(*lines: str) -> Html:
    return Html("<pre><code>" + "\n".join(text(line) for line in lines) + "</code></pre>")
