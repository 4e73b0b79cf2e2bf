from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from functions.cli import main
from functions.signing.signatures import read_public_key
from functions.signing.signing import PemSigner
from local.key_vault import keep_key


def test_it_shows_the_public_key_and_its_thumbprint_and_nothing_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "key.pem"
    keep_key(path)
    monkeypatch.setenv("SIGNING_KEY", str(path))
    assert main(["signing-key"]) == 0
    shown = capsys.readouterr().out
    pem, _, rest = shown.partition("Thumbprint: ")
    assert read_public_key(pem.encode()) == PemSigner(path).public_key()
    assert rest.strip() == ECKey.import_key(pem).thumbprint()
    assert "PRIVATE" not in shown


@pytest.mark.parametrize(("value", "said"), [("", "SIGNING_KEY is missing"), ("none.pem", "no private key")])
def test_without_a_key_it_says_what_to_do(
    value: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIGNING_KEY", value)
    assert main(["signing-key"]) == 1
    assert said in capsys.readouterr().err
