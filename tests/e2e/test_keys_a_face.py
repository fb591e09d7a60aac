"""Keys a face on every kind of page, counted in a browser, and what the keystroke-level model makes of them.

The figures of docs/worker-site.md ("How fast") come from here; the test fails where the page needs more keys than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import pytest
from galloway.curation.types import PageKind, Side
from galloway.pipeline.asking.render import render_hit
from galloway.pipeline.asking.tasks import Picture, Tile, parse_answers
from playwright.sync_api import Browser, Page, Route

from tests.support.keystrokes import GLANCE, Typed, faces_a_minute
from tests.support.sites import picture
from tests.support.tasks import grid_task

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TABLE = (Path(__file__).parents[2] / "docs" / "worker-site.md").read_text(encoding="utf-8")
FACES = 48
ODD = 2
"""Of 48 faces, so many do not fit: one in 24, about what is left of a track after detection."""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


def sent_with(page: Page, kind: PageKind, keys: Sequence[str], group: int = 12) -> list[tuple[str, str]]:
    """Open a page of that kind, press the keys, and give what arrived for its faces: (value, how it was given)."""
    colours = cycle(["red", "green", "blue", "grey"])
    tiles = [Tile(f"t{n:02d}", picture(next(colours)), group=1 + n // group) for n in range(FACES)]
    references = [Picture(picture("navy"))] if kind.shows_person else []
    task = grid_task(kind, Side.B, tiles=tiles, references=references)
    sent: list[dict[str, str]] = []

    def host(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(dict(route.request.post_data_json or {}))
            route.fulfill(body="<p>thank you</p>", content_type="text/html")
        else:
            route.fulfill(body=render_hit(task), content_type="text/html")

    page.route("https://*.test/**", host)
    page.goto("https://content.test/hit?assignmentId=3REAL&turkSubmitTo=https%3A%2F%2Fwww.mturk.test")
    for key in keys:
        page.keyboard.press(key)
    page.get_by_text("thank you").wait_for()
    return [(item.value, item.by) for item in parse_answers(task, sent[0])]


def row(what: str, typed: Typed) -> str:
    """The line of the table in the docs."""
    slow, quick = sorted(round(faces_a_minute(typed, glance)) for glance in GLANCE)
    minute = f"{slow} to {quick}" if slow != quick else f"{quick}"
    return f"| {what} | {typed.keys} | {typed.keys_a_face:.2f} | {minute} |"


def test_groups_of_twelve_all_alike(page: Page) -> None:
    keys = ["r", "Enter"]
    found = sent_with(page, PageKind.CLUSTER, keys)
    assert found == [("keep", "rest")] * FACES
    typed = Typed(FACES, len(keys))
    assert row("`cluster`, four groups of twelve, all kept", typed) in TABLE
    assert typed.keys_a_face <= 0.05
    assert faces_a_minute(typed, GLANCE[0]) >= 300


def test_groups_of_twelve_each_with_an_answer_of_its_own(page: Page) -> None:
    keys = ["1", "3", "2", "1", "Enter"]
    found = sent_with(page, PageKind.CLUSTER, keys)
    assert [value for value, _ in found[::12]] == ["keep", "reject:another_person", "reject:not_a_face", "keep"]
    typed = Typed(FACES, len(keys))
    assert row("`cluster`, each of the four groups answered for itself", typed) in TABLE
    assert typed.keys_a_face <= 0.11
    assert faces_a_minute(typed, GLANCE[0]) >= 280


def test_groups_with_odd_ones(page: Page) -> None:
    """The third face of the first group and the last of the second do not fit."""
    keys = ["ArrowRight", "ArrowRight", "ArrowRight", "3", "Escape", "ArrowDown", "ArrowLeft", "4", "r", "Enter"]
    found = sent_with(page, PageKind.CLUSTER, keys)
    assert [n for n, (value, _) in enumerate(found) if value != "keep"] == [2, 23]
    typed = Typed(FACES, len(keys), single=ODD)
    assert row("`cluster`, two odd faces among them", typed) in TABLE
    assert typed.keys_a_face <= 0.21


def test_a_grid_with_odd_ones(page: Page) -> None:
    """One look for both questions: two marks, the rest confirmed."""
    keys = [*["ArrowRight"] * 2, "3", *["ArrowRight"] * 9, "4", "r", "Enter"]
    found = sent_with(page, PageKind.BOTH, keys)
    assert [n for n, (value, _) in enumerate(found) if value != "keep"] == [2, 12]
    typed = Typed(FACES, len(keys), single=ODD)
    assert row("`both`, grid, two odd faces", typed) in TABLE
    assert typed.keys_a_face <= 0.35


@pytest.mark.parametrize("kind", [PageKind.BOTH, PageKind.PAIR, PageKind.IDENTITY, PageKind.QUALITY])
def test_one_by_one(page: Page, kind: PageKind) -> None:
    """Each face alone and large: Z, one key a face, Enter."""
    keys = ["z", *["1", "2"] * (FACES // 2), "Enter"]
    found = sent_with(page, kind, keys)
    assert len(found) == FACES
    typed = Typed(FACES, len(keys), single=FACES)
    assert row(f"`{kind}`, one by one", typed) in TABLE
    assert typed.keys == FACES + 2
    assert faces_a_minute(typed, GLANCE[0]) >= 80
