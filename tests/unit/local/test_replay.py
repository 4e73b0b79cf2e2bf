"""What can't be replayed is said in one line, with file and rule, and nothing is started."""

from pathlib import Path

import pytest

from local.replay import main


@pytest.mark.parametrize(
    ("envelopes", "prices", "over", "said"),
    [
        ("not json\n", None, "24h", "line 1: not JSON"),
        (None, None, "24h", "No such file"),
        ("", "id: x\n", "24h", "prices.yaml, line 1"),
        ("", None, "banana", "24h or 7d"),
        ("", None, "0h", "24h or 7d"),
    ],
)
def test_what_can_not_be_replayed_is_refused_in_a_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    envelopes: str | None,
    prices: str | None,
    over: str,
    said: str,
) -> None:
    file, site = tmp_path / "envelopes.jsonl", tmp_path / "site"
    site.mkdir()
    if envelopes is not None:
        file.write_text(envelopes)
    if prices is not None:
        (site / "prices.yaml").write_text(prices)
    with pytest.raises(SystemExit) as ended:
        main([str(file), "--over", over, "--config", str(site), "--out", str(tmp_path / "out")])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
