"""Workers are asked in their own language: no text of any page lacks its translation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files

import pytest
from galloway.curation.types import Side
from galloway.pipeline.asking.render import render_hit
from galloway.pipeline.asking.tasks import PageKind, Picture, Tile
from galloway.pipeline.asking.tongues import LANGUAGES, SAID_LATER, catalogue, texts_of, with_words
from galloway.pipeline.judging.pages import MomentTask, MomentTile, Page, render_moments

from tests.support.tasks import grid_task


def faces(kind: PageKind, side: Side, count: int, clear: str, seconds: int) -> str:
    tiles = [
        Tile(f"t{n}", "http://x.example/u", clear=clear, group=1 + n // 3 if kind.grouped else 0) for n in range(count)
    ]
    people = [Picture("http://x.example/u", clear=clear)] * 2 if kind.shows_person else []
    return render_hit(grid_task(kind, side, tiles=tiles, references=people, seconds=seconds))


def moments(page: Page, count: int, clear: tuple[str, ...]) -> str:
    tiles = [MomentTile(f"m{n}", ("http://x.example/a", "http://x.example/b"), clear) for n in range(count)]
    people = [Picture("http://x.example/u", clear="".join(clear[:1]))] * 2
    return render_moments(MomentTask(page, tiles, Decimal("0.15"), 60, people))


def every_page() -> Iterator[str]:
    for clear in ("", "http://x.example/c"):
        for kind in PageKind:
            for side in Side:
                yield from (faces(kind, side, count, clear, 60 * count) for count in (1, 6))
        for page in Page:
            yield from (moments(page, count, (clear, clear) if clear else ()) for count in (1, 2))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_any_page_lacks_its_translation(language: str) -> None:
    known = catalogue(language)
    assert {text for page in every_page() for text in texts_of(page)} - set(known) == set()
    assert set(SAID_LATER) - set(known) == set()
    assert [text for text, said in known.items() if text.count("#") != said.count("#")] == []


def test_what_scripts_say_is_in_the_list() -> None:
    scripts = "".join(
        files("galloway.templates.hit").joinpath(name).read_text("utf-8") for name in ("page.js", "moments.js")
    )
    said = re.findall(r"T\(([^;]*?)\)[;,)]", scripts)
    pieces = {piece for text in said for piece in re.findall(r"'((?:[A-Z1]| [a-z])[^']{3,})'", text)}
    assert len(pieces) > 8
    later = " | ".join(SAID_LATER)
    assert [piece for piece in pieces if piece.strip(" #1.").replace("1 face", "face") not in later] == []
    assert not re.findall(r"(?:textContent|alt) = '[A-Z]", scripts)


def test_a_page_brings_its_own_words_and_no_others() -> None:
    page = faces(PageKind.PAIR, Side.A, 6, "", 60)
    table = json.loads(page.split('id="words">')[1].split("</script>")[0])
    assert table["de"]["Same person"] == "Dieselbe Person" and "Blurred" not in table["de"]


def test_a_page_that_would_be_too_long_stays_english() -> None:
    page = "<main>Keep</main>"
    assert 'id="words"' in with_words(page)
    assert with_words(page + "x" * 64_500) == page + "x" * 64_500
