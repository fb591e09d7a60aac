"""The words of all pages in each language, the workers' and the requester's: gettext catalogues, read as they were
written (.po).

English is the key; `locale/<language>.po` holds the others. Sentences that code says (refusals, what a job brought,
what comes next) stand in the same catalogue, what is filled in as `%s`: they are made in English, for logs and
terminals, and turned where a page shows them.
"""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache, partial
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Any

from babel.dates import format_date, format_datetime
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol, get_group_symbol
from flask import Flask, g, has_app_context
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

__all__ = ["LANGUAGES", "Spoken", "as_filter", "catalogue", "moment", "numerals", "said", "speak"]

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""Code → what its speakers call it."""
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_WRITTEN = re.compile(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+)(?![\w.]*\w)")
"""A number with a sign that languages write differently: no version, no address, no file's name."""
_DATE = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(month_name[1:])}) (\d{{4}})\b")
"""A day as sentences of the code say it."""
_LITTLE, _FEW = 12, 3
"""A sentence with less than so many letters of its own would fit anything: it is filled with few words at a time."""
_COUNTED = re.compile(r"%s [a-z ]+\.?")
"""A number and what there are so many of."""
_ENDS = re.compile(r"(?<=[.!?])( )(?=[A-Z“\d])")
_LINES = re.compile(r"(\n)")
_HEAD = re.compile(r"(?<=:)( )")
_JOINTS = (_LINES, _ENDS, re.compile(r"(; )"), re.compile(r"(, )"), _HEAD)
"""Where lines, sentences, the items of a list, and a name or a heading and what is said of it meet."""
_CODES = frozenset(
    ("approved", "rejected", "disputed", "undecided", "keep", "reject", "same", "different", "none", "look", "decide",
     "spend", "made", "changed", "publishing", "collecting", "merging", "undoing", "cancelling", "settling", "blocking",
     "screening", "looking", "reviewing", "training", "converting", "extracting", "measuring", "usable", "identity")
)  # fmt: skip
"""Single words that are filled in and are no names."""
_KEPT, _MOST = 4096, 2000
"""So many sentences are remembered, of at most so many letters; a page says some dozens, most of them again."""


@cache
def catalogue(language: str) -> NullTranslations:
    """The translations of a language; English translates to itself."""
    if language not in LANGUAGES or language == "en":
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, _written(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _written(language: str) -> Catalog:
    with files(__package__).joinpath("locale", f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A sentence that is filled in: what stands between, and its translation."""

    parts: tuple[str, ...]
    translated: str
    counted: bool

    @property
    def own(self) -> int:
        """How many letters it says itself."""
        return sum(map(len, self.parts))

    def filled(self, sentence: str) -> list[str] | None:
        """What a sentence of this shape is filled with; None for any other. Each part is looked for once."""
        first, *between, last = self.parts
        if not sentence.startswith(first) or not sentence.endswith(last):
            return None
        found, at = [], len(first)
        for part in between:
            place = sentence.find(part, at + 1)
            if place < 0:
                return None
            found.append(sentence[at:place])
            at = place + len(part)
        found.append(sentence[at : len(sentence) - len(last)])
        return found if all(found) and self._may_be(found) else None

    def _may_be(self, found: list[str]) -> bool:
        if self.counted and (found[0][0].isdigit() or self.own < _LITTLE or not self.parts[-1].endswith(".")):
            return found[0][0].isdigit() and ", " not in found[0] and len(found[0].split()) < _FEW
        if self.own < _LITTLE:
            return all(len(one.split()) <= _FEW for one in found)
        # Nothing but the last word holds another sentence, such as why something failed.
        return not any(_ENDS.search(one) for one in (found if self.parts[-1] else found[:-1]))


@cache
def _shapes(language: str) -> tuple[_Shape, ...]:
    """All sentences that are filled in; the ones that say most come first."""
    found = []
    for item in _written(language):
        if isinstance(item.id, str) and "%s" in item.id and item.string and not item.fuzzy:
            parts = tuple(part.replace("%%", "%") for part in item.id.split("%s"))
            found.append(_Shape(parts, str(item.string), _COUNTED.fullmatch(item.id) is not None))
    return tuple(sorted(found, key=lambda shape: -shape.own))


def _language() -> str:
    return str(g.get("language", "en")) if has_app_context() else "en"


def said(sentence: str | None) -> str:
    """A sentence of the code in the reader's language; one that the catalogue lacks stays as it is."""
    language = _language()
    return sentence or "" if language == "en" or not sentence else _said(language, sentence)


@lru_cache(maxsize=_KEPT)
def _said(language: str, sentence: str) -> str:
    words = catalogue(language)
    if (whole := words.gettext(sentence)) != sentence:
        return whole
    numbers = _NUMBER.findall(sentence)
    pattern = _NUMBER.sub("%s", sentence.replace("%", "%%"))
    found = words.gettext(pattern)
    if found != pattern and found.count("%s") == len(numbers):
        return found % tuple(numerals(number, language) for number in numbers)
    if len(sentence) > _MOST:
        return sentence
    for shape in _shapes(language):
        filled = shape.filled(sentence)
        if filled is not None:
            return shape.translated % tuple(_filled(language, part) for part in filled)
    for joint in _JOINTS:
        if joint.search(sentence):
            pieces = joint.split(sentence, maxsplit=joint is _HEAD)
            turned = [piece if place % 2 else _said(language, piece) for place, piece in enumerate(pieces)]
            # Half a sentence in each language is no sentence.
            half = any(" " in piece and piece == same for piece, same in zip(pieces[::2], turned[::2], strict=True))
            if joint in (_LINES, _ENDS) or not half:
                return "".join(turned)
    return numerals(sentence, language)


def _filled(language: str, part: str) -> str:
    """What is filled in: counted things and whole sentences are turned too, a single word is somebody's name."""
    return _said(language, part) if " " in part or part in _CODES else numerals(part, language)


def numerals(text: str, language: str = "") -> str:
    """The numbers and days of a text as the reader's language writes them: 1,200.5 is 1.200,5 in German, and 9 May 2026
    is 9. Mai 2026."""
    language = language or _language()
    if language == "en":
        return text
    signs = str.maketrans({",": _sign(get_group_symbol, language), ".": _sign(get_decimal_symbol, language)})
    return _DATE.sub(partial(_day, language), _WRITTEN.sub(lambda number: number[0].translate(signs), text))


def _day(language: str, found: re.Match[str]) -> str:
    try:
        day = date(int(found[3]), list(month_name).index(found[2]), int(found[1]))
    except ValueError:
        return found[0]
    return format_date(day, "long", locale=language)


@cache
def _sign(which: Callable[[str], str], language: str) -> str:
    return which(language)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A language for documents that are made outside of any request."""

    language: str

    def gettext(self, text: str) -> str:
        return catalogue(self.language).gettext(text)

    def ngettext(self, one: str, many: str, count: int) -> str:
        return catalogue(self.language).ngettext(one, many, count)

    def said(self, sentence: str) -> str:
        """A sentence of the code; one that the catalogue lacks stays as it is."""
        return sentence if self.language == "en" or not sentence else _said(self.language, sentence)

    def numerals(self, text: str) -> str:
        return numerals(text, self.language)


def _span(value: timedelta | float | None) -> str:
    """How long, in one unit."""
    if value is None:
        return "–"
    words = catalogue(_language())
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    units: tuple[tuple[int, Callable[[int], str]], ...] = (
        (86400, lambda count: words.ngettext("%(num)s day", "%(num)s days", count)),
        (3600, lambda count: words.ngettext("%(num)s hour", "%(num)s hours", count)),
        (60, lambda count: words.ngettext("%(num)s minute", "%(num)s minutes", count)),
    )
    for size, name in units:
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            count = round(seconds / size)
            return name(count) % {"num": count}
    return words.ngettext("%(num)s second", "%(num)s seconds", seconds) % {"num": seconds}


def _when(value: datetime | None) -> Markup | str:
    """A moment for people, with the exact one for scripts."""
    if value is None:
        return "–"
    exact = value.astimezone(UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}">{}</time>').format(exact, f"{moment(value)} UTC")


def moment(value: datetime) -> str:
    """A moment in UTC, to the minute, as the reader's language writes it."""
    language = _language()
    day = "d MMM yyyy" if language == "en" else "d. MMM yyyy"
    return format_datetime(value.astimezone(UTC), f"{day}, HH:mm", locale=language)


def _number(value: float, places: int = 0) -> str:
    """A number with its thousands apart."""
    return numerals(f"{value:,.{places}f}")


def _decimals(value: float, places: int) -> str:
    return numerals(f"{value:.{places}f}")


def as_filter(turn: Callable[..., str]) -> Callable[..., str]:
    """A filter that answers in the language of each request. Of a constant Jinja would compute a plain one once, when
    it compiles the template, and keep the language of whoever came first."""

    @pass_context
    def turned(_context: Context, *values: Any) -> str:
        return turn(*values)

    return turned


def speak(app: Flask) -> None:
    """Give an app's templates the catalogue (`_`, `ngettext`, `trans`) and the filters that speak: said, span, when,
    number, decimals. The language of a request is `g.language`."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: catalogue(_language()).gettext(text),
        lambda one, many, count: catalogue(_language()).ngettext(one, many, count),
        newstyle=True,
    )
    turns: dict[str, Callable[..., str]] = {
        "said": said, "span": _span, "when": _when, "number": _number, "decimals": _decimals,
    }  # fmt: skip
    for name, turn in turns.items():
        app.add_template_filter(as_filter(turn), name)
    app.context_processor(lambda: {"language": _language(), "languages": LANGUAGES})
