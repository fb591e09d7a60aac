"""A film beside its original: what is seen under the wipe is the frame that the page names, from either side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from galloway.pipeline.workspace.films import found_beside
from playwright.sync_api import Browser, Page, expect

from tests.support.judged import FRAMES, film_app
from tests.support.patience import PATIENCE
from tests.support.served import served
from tests.support.sites import PHONE

pytestmark = pytest.mark.browser

_BAR = """() => {
  const canvas = document.querySelector("#wipe canvas"), pen = canvas.getContext("2d");
  const row = pen.getImageData(0, 42, canvas.width, 1).data;
  const white = [...Array(canvas.width).keys()].filter((x) => row[4 * x] > 225 && row[4 * x + 1] > 225);
  const face = pen.getImageData(64, 60, 1, 1).data;
  return [white[0], face[0] > face[2] || face[1] > face[2] ? "swap" : "original"];
}"""
"""Where the white bar begins that moves by a pixel a frame, and whose face is seen left of the middle."""


def seen(page: Page, number: int) -> str:
    """Wait until the page names that frame and shows it; whose face."""
    expect(page.locator("[data-where]")).to_contain_text(f"frame {number} of {FRAMES}")
    page.wait_for_function(f"(at) => Math.abs(({_BAR})()[0] - at) <= 1", arg=60 + number % 30, polling=50)
    return str(page.evaluate(_BAR)[1])


def test_every_frame_under_the_wipe_is_the_one_that_is_named(browser: Browser, tmp_path: Path) -> None:
    app, film = film_app(tmp_path / "ws")
    record = json.loads(found_beside(film.path).record.read_text())
    record |= {"swapped_frames": [[1, FRAMES]], "settings": {}, "skip": []}
    found_beside(film.path).record.write_text(json.dumps(record))
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    with served(app.workspace) as (link, _server):
        page.goto(link)
        page.goto(f"{link.partition('?')[0]}judge/{film.name}")
        page.locator("#wipe:not([hidden])").wait_for()
        assert seen(page, 1) == "original", "left of the line"
        for _ in range(7):
            page.keyboard.press(".")
        seen(page, 8)
        page.keyboard.press(",")
        seen(page, 7)
        page.keyboard.press("i")
        share = page.get_by_label("Wipe: so much of the original")
        share.focus()
        share.press("Home")
        assert seen(page, 7) == "swap"
        page.get_by_role("link", name="frames 38 to 53: jitter").press("Enter")
        seen(page, 38)
        strip = page.locator(".timeline-box")
        strip.click(position={"x": strip.evaluate("(e) => e.clientWidth") * 20.5 / FRAMES, "y": 60})
        seen(page, 21)
        page.keyboard.press("o")
        expect(page.get_by_label("Frames", exact=True)).to_have_value("7-21")
        picture = page.locator("#wipe canvas").bounding_box()
        assert picture is not None
        page.mouse.click(picture["x"] + 0.9 * picture["width"], picture["y"] + 9)
        assert seen(page, 21) == "original"
        page.get_by_role("button", name="Play").press("Space")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.get_by_role("button", name="Pause").press("Space")
        for theme, size in (("light", {"width": 1280, "height": 900}), ("dark", PHONE)):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            page.set_viewport_size(size)  # type: ignore[arg-type]
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
    context.close()
