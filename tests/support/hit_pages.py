"""A HIT page of coloured squares, published, accepted and open in a browser."""

from __future__ import annotations

from galloway.curation.types import Side
from galloway.mturk.requester.questions import html_question
from galloway.pipeline.asking.render import render_hit
from galloway.pipeline.asking.tasks import GridTask, PageKind, Picture, Tile
from playwright.sync_api import Frame, Page

from tests.support.sites import Site, picture
from tests.support.tasks import grid_task

__all__ = ["COLOURS", "TILES", "coloured_task", "open_task", "task_frame"]

COLOURS = ["red", "green", "blue", "grey", "black", "white"]
TILES = [Tile(f"t{n}", picture(colour), picture(colour, 400), group=1 + n // 3) for n, colour in enumerate(COLOURS)]


def coloured_task(page: PageKind, side: Side) -> GridTask:
    return grid_task(page, side, tiles=TILES, references=[Picture(picture("navy"), picture("navy", 400))])


def open_task(market: Site, page: Page, task: GridTask, name: str) -> str:
    hit_id = market.publish(html_question(render_hit(task)))
    market.join(page, name)
    market.accept(page, hit_id)
    return hit_id


def task_frame(page: Page) -> Frame:
    page.frame_locator("#task").locator("#grid").wait_for()
    frame = next(frame for frame in page.frames if "/frame/" in frame.url)
    frame.wait_for_load_state()
    return frame
