"""The page on which faces are painted: what was painted is there after a reload, and no page without a mark is sent."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.pipeline.judging.pages import MomentTask, MomentTile, mask_of, parse_moments, render_moments
from galloway.pipeline.judging.verdicts import MARKED
from galloway.pipeline.judging.verdicts import Page as Kind
from playwright.sync_api import FrameLocator, Page, expect

from tests.support.marketplace import html_question
from tests.support.sites import Site, picture

pytestmark = pytest.mark.browser

ONE, TWO = "a" * 12, "b" * 12
_PAINTED = """(canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
  .filter((value, place) => place % 4 == 3 && value).length"""


def stroke(worker: Page, frame: FrameLocator, place: int) -> None:
    """One stroke of the brush over a face."""
    canvas = frame.locator("canvas").nth(place)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    worker.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    worker.mouse.down()
    worker.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"], steps=6)
    worker.mouse.up()


def test_what_was_painted_outlives_a_reload_and_a_mark_takes_paint(market: Site, worker: Page) -> None:
    tiles = [MomentTile(key, (picture("navy", 96),)) for key in (ONE, TWO)]
    hit = market.publish(html_question(render_moments(MomentTask(Kind.SCRIBBLE, tiles, seconds=30))), title="Paint")
    market.accept(worker, hit)
    frame = worker.frame_locator("#task")
    with worker.expect_response(lambda answer: answer.url.endswith("/mturk/draft")):
        stroke(worker, frame, 0)
    painted = frame.locator("canvas").first.evaluate(_PAINTED)
    mask = frame.locator(f'[name="mask.{ONE}"]').input_value()
    assert painted == mask_of(mask).sum() > 20
    worker.reload()
    assert frame.locator("canvas").first.evaluate(_PAINTED) == painted, "the marks are seen"
    assert frame.locator(f'[name="mask.{ONE}"]').input_value() == mask
    marked = frame.get_by_label("I marked it")
    expect(marked.first).to_be_checked()
    marked.nth(1).check(force=True)
    frame.get_by_role("button", name="Send answers").click()
    said = "(e) => e.validationMessage"
    assert marked.nth(1).evaluate(said) == "Paint over what covers the face first, or choose another answer."
    assert market.answers(hit) == []
    stroke(worker, frame, 1)
    assert [item.evaluate(said) for item in marked.all()] == ["", ""]
    frame.get_by_role("button", name="Start over").nth(1).click()
    assert marked.nth(1).evaluate(said) != ""
    frame.get_by_label("Nothing covers it").nth(1).check(force=True)
    frame.get_by_role("button", name="Send answers").click()
    expect(worker.get_by_text("Sent").first).to_be_visible()
    (answers,) = market.answers(hit)
    one, two = parse_moments(Kind.SCRIBBLE, [ONE, TWO], answers)
    assert (one.label, one.mask) == (MARKED, mask)
    assert two.label == MARKED and not np.any(mask_of(two.mask))
