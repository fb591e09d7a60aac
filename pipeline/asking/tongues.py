"""A page for workers in their own languages: its words ride along, and its script puts them in.

The page stands alone and is frozen when it is published, so it brings every language with it: of each catalogue
(`templates/hit/<language>.po`) what the page says, numbers as `#`. Which one is shown is decided where it is read: by
the market's page around it, else by the browser. Without scripts a page is English.
"""

from __future__ import annotations

import json
import re
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files

from babel.messages.pofile import read_po

__all__ = ["LANGUAGES", "SAID_LATER", "catalogue", "texts_of", "with_words"]

LANGUAGES = ("de",)
"""The languages beside English."""
SAID_LATER = (
    "# of # marked",
    "Face #, blurred: tap it to see it",
    "Face #, large",
    "Face # of #",
    "The person, large",
    "Photograph #",
    "Face # large",
    "This picture did not load. You can skip it.",
    "This is a preview. Accept the task to answer it.",
    "# face is not marked yet. Say what shall happen to it, or go on marking.",
    "Your keys, each for the usual one:",
    "# faces are not marked yet. Say what shall happen to them, or go on marking.",
    "This is a preview. Accept the HIT to send answers.",
)
"""What the pages' scripts say while they are answered."""
_NUMBER = re.compile(r"\d[\d.,]*\d|\d")
_MOST = 64_500
"""Bytes of a page with all its words; one that would have more stays English. A question has 65,535."""
_ATTRIBUTES = ("alt", "aria-label", "title")


@cache
def catalogue(language: str) -> dict[str, str]:
    """What the pages say in that language, by the English words with numbers as `#`."""
    with files("galloway.templates.hit").joinpath(f"{language}.po").open("rb") as file:
        found = read_po(file, locale=language)
    return {str(item.id): str(item.string) for item in found if item.id and item.string and not item.fuzzy}


class _Texts(HTMLParser):
    """The texts of a page in its order, as the page's own script sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within = [tag] if tag in ("script", "style", "textarea") else []
        for name, value in attrs:
            if name in _ATTRIBUTES and value:
                self._add(value)

    def handle_endtag(self, tag: str) -> None:
        self._within = []

    def handle_data(self, data: str) -> None:
        if not self._within:
            self._add(data)

    def _add(self, text: str) -> None:
        key = _NUMBER.sub("#", " ".join(text.split()))
        if re.search(r"[A-Za-z]{2}", key):
            self.found[key] = None


def texts_of(html: str) -> list[str]:
    """Everything that a page says to people, each once, numbers as `#`."""
    reader = _Texts()
    reader.feed(html)
    reader.close()
    return list(reader.found)


def with_words(html: str) -> str:
    """The page with its words in every language, where they fit in."""
    asked = [*texts_of(html), *SAID_LATER]
    known = {name: {text: catalogue(name)[text] for text in asked if text in catalogue(name)} for name in LANGUAGES}
    table = json.dumps(known, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    whole = html.replace("</main>", f'</main>\n<script type="application/json" id="words">{table}</script>', 1)
    return whole if len(whole.encode()) <= _MOST else html
