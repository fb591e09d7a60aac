"""FormattedContent made safe: an allow-list over a requester's XHTML, kept by `nh3` (ammonia on html5ever).

Elements and attributes follow MTurk's FormattedContent article (a subset of XHTML 1.0 without scripts, forms, frames
or outside styles). What is not on the list is dropped; its text stays, except for scripts and styles.
"""

from __future__ import annotations

import re

import nh3
from markupsafe import Markup

__all__ = ["safe_url", "sanitize"]

_VOID = frozenset({"br", "hr", "img", "wbr", "col"})
_ELEMENTS = (
    "a abbr acronym address b bdo big blockquote caption center cite code colgroup dd del dfn div dl dt em font h1 h2 "
    "h3 h4 h5 h6 i ins kbd li ol p pre q s samp small span strike strong sub sup table tbody td tfoot th thead tr tt "
    "u ul var"
)
_SILENT = frozenset({"script", "style", "iframe", "object", "template", "noscript", "title", "svg", "math"})
_ATTRIBUTES = (
    "abbr align alt bgcolor border cellpadding cellspacing cite class color colspan datetime dir face headers height "
    "href lang longdesc noshade nowrap rowspan rules scope size span src start summary title type valign value width"
)
_LINKS = frozenset({"href", "src", "cite", "longdesc"})
_EMPTY = re.compile(r"<([A-Za-z][A-Za-z0-9]*)((?:\s[^<>]*)?)/>")


def safe_url(url: str) -> str:
    """The address if it is http(s), else ""."""
    cleaned = "".join(character for character in url if character > " ")
    return cleaned if cleaned.lower().startswith(("https://", "http://")) else ""


def sanitize(xhtml: str) -> Markup:
    """Markup that can be put into our own page."""
    return Markup(_CLEANER.clean(_EMPTY.sub(_closed, xhtml.replace("\x00", ""))))


def _closed(element: re.Match[str]) -> str:
    """`<b/>` as `<b></b>`: XHTML ends it there, HTML would make everything after it bold."""
    tag, attributes = element[1], element[2]
    return element[0] if tag.lower() in _VOID else f"<{tag}{attributes}></{tag}>"


def _kept(_tag: str, name: str, value: str) -> str | None:
    """An attribute's value as it is written; None drops the attribute."""
    return (safe_url(value) or None) if name in _LINKS else value


_CLEANER = nh3.Cleaner(
    tags={*_VOID, *_ELEMENTS.split()},
    clean_content_tags=set(_SILENT),
    attributes={"*": set(_ATTRIBUTES.split())},
    attribute_filter=_kept,
    url_schemes={"http", "https"},
    link_rel="noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
