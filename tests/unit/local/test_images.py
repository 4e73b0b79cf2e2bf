"""What the documentation shows is what `make images` makes; a page that shows an error makes no picture."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from local.images.__main__ import find_faults
from local.images.camera import MOST_BYTES, PictureError, View, picture
from local.images.linked import IMAGES, linked
from local.render_card import browser, find_browser


@pytest.fixture(scope="module")
def opened() -> Browser:
    try:
        find_browser()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    with browser() as started:
        yield started


def test_each_picture_that_docs_show_is_made_and_each_that_is_made_is_shown() -> None:
    assert find_faults() == []


def test_pictures_are_found_however_a_page_names_them(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text('<img src="docs/images/a.png" width="2"> ![x](docs/images/b/c.png)\n')
    (tmp_path / "docs" / "page.md").write_text("[card](images/d.png), ![y](../elsewhere/e.png)\n")
    assert linked(tmp_path) == {"a.png", "b/c.png", "d.png", "../../elsewhere/e.png"}


@pytest.mark.parametrize("path", sorted(IMAGES.rglob("*.png")), ids=lambda path: path.stem)
def test_a_picture_loads_quickly(path: Path) -> None:
    assert path.stat().st_size <= MOST_BYTES


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<section class="refused" role="alert">The service answered 502.</section>', "answered 502"),
        ("<h1>No such page</h1>", "No such page"),
        ("<script>console.error('broken')</script>", "broken"),
        ("<script>throw new Error('thrown')</script>", "thrown"),
    ],
)
def test_a_page_that_shows_or_says_an_error_makes_no_picture(
    opened: Browser, tmp_path: Path, body: str, said: str
) -> None:
    (tmp_path / "page.html").write_text(f"<!doctype html><p>well</p>{body}")
    with pytest.raises(PictureError, match=said):
        picture(opened, View((tmp_path / "page.html").as_uri()))


def test_a_picture_is_sharp_unless_it_would_be_large(opened: Browser, tmp_path: Path) -> None:
    (tmp_path / "calm.html").write_text("<!doctype html><p>well</p>")
    noise = "for (let n = 0; n < 9e4; n += 1) { const [x, y] = [n % 300, n / 300]; "
    noise += "at.fillStyle = `hsl(${Math.random() * 360} 90% 50%)`; at.fillRect(x, y, 1, 1); }"
    (tmp_path / "noisy.html").write_text(
        "<!doctype html><canvas id=c width=300 height=300></canvas>"
        f"<script>const at = document.getElementById('c').getContext('2d'); {noise}</script>"
    )
    for name, scale in (("calm", 2), ("noisy", 1)):
        png = picture(opened, View((tmp_path / f"{name}.html").as_uri(), width=320, height=320))
        assert int.from_bytes(png[16:20]) == 320 * scale
