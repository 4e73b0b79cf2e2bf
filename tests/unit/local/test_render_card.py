import json
from pathlib import Path

import pytest

from local.render_card import find_browser, main

CARD = {
    "type": "AdaptiveCard",
    "version": "1.5",
    "body": [{"type": "TextBlock", "text": "**stale** <img src=x>", "wrap": True}],
}


def test_a_missing_browser_is_told_with_the_way_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    card = tmp_path / "card.json"
    card.write_text("{}")
    assert main([str(card), "--into", str(tmp_path)]) == 1
    assert "apt-get install chromium" in capsys.readouterr().err


def test_a_card_becomes_a_picture_at_the_width_of_a_phone(tmp_path: Path) -> None:
    try:
        find_browser()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    card = tmp_path / "stale.json"
    card.write_text(json.dumps(CARD))
    assert main([str(card), "--into", str(tmp_path)]) == 0
    data = (tmp_path / "stale.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert 2 * 380 < int.from_bytes(data[16:20]) <= 2 * 420
