"""The words of the worker's pages in each language: gettext catalogues, read as they were written (.po).

English is the key; `locale/<language>.po` holds the others. Sentences that the market's rules say (`WorkError`) stand
in the same catalogue, their numbers as `%s`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g
from markupsafe import Markup

__all__ = ["LANGUAGES", "catalogue", "said", "speak"]

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""Code → what its speakers call it."""
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


@cache
def catalogue(language: str) -> NullTranslations:
    """The translations of a language; English translates to itself."""
    if language not in LANGUAGES or language == "en":
        return NullTranslations()
    with files(__package__).joinpath("locale", f"{language}.po").open("rb") as file:
        found = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, found)
    compiled.seek(0)
    return GNUTranslations(compiled)


def _language() -> str:
    return str(g.get("language", "en"))


def said(sentence: str) -> str:
    """A sentence of the rules in the reader's language; one that the catalogue lacks stays as it is."""
    words = catalogue(_language())
    if (whole := words.gettext(sentence)) != sentence:
        return whole
    numbers = _NUMBER.findall(sentence)
    pattern = _NUMBER.sub("%s", sentence.replace("%", "%%"))
    found = words.gettext(pattern)
    return sentence if found == pattern or found.count("%s") != len(numbers) else found % tuple(numbers)


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
    value = value.astimezone(UTC)
    told = format_datetime(value, "d MMM yyyy, HH:mm", locale=_language())
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(timespec="seconds"), f"{told} UTC")


def speak(app: Flask) -> None:
    """Give an app's templates the catalogue (`_`, `ngettext`, `trans`) and the filters that speak: said, span, when.
    The language of a request is `g.language`."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: catalogue(_language()).gettext(text),
        lambda one, many, count: catalogue(_language()).ngettext(one, many, count),
        newstyle=True,
    )
    app.add_template_filter(said)
    app.add_template_filter(_span, "span")
    app.add_template_filter(_when, "when")
    app.context_processor(lambda: {"language": _language(), "languages": LANGUAGES})
