"""FormattedContent made safe: an allow-list over a requester's XHTML.

Elements and attributes follow MTurk's FormattedContent article (a subset of XHTML 1.0 without scripts, forms, frames
or outside styles). What is not on the list is dropped; its text stays, except for scripts and styles.
"""

from __future__ import annotations

from html import escape

from markupsafe import Markup

from .markup import MarkupParser

__all__ = ["safe_url", "sanitize"]

_VOID = frozenset({"br", "hr", "img", "wbr", "col"})
_ALLOWED = _VOID | frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "address",
        "b",
        "bdo",
        "big",
        "blockquote",
        "caption",
        "center",
        "cite",
        "code",
        "colgroup",
        "dd",
        "del",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "i",
        "ins",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
    ]
)
_SILENT = frozenset({"script", "style", "iframe", "object", "template", "noscript", "title", "svg", "math"})
_ATTRIBUTES = frozenset(
    [
        "abbr",
        "align",
        "alt",
        "bgcolor",
        "border",
        "cellpadding",
        "cellspacing",
        "cite",
        "class",
        "colspan",
        "color",
        "datetime",
        "dir",
        "face",
        "headers",
        "height",
        "href",
        "lang",
        "longdesc",
        "noshade",
        "nowrap",
        "rowspan",
        "rules",
        "scope",
        "size",
        "span",
        "src",
        "start",
        "summary",
        "title",
        "type",
        "valign",
        "value",
        "width",
    ]
)
_LINKS = frozenset({"href", "src", "cite", "longdesc"})


def safe_url(url: str) -> str:
    """The address if it is http(s), else ""."""
    cleaned = "".join(character for character in url if character > " ")
    return cleaned if cleaned.lower().startswith(("https://", "http://")) else ""


def sanitize(xhtml: str) -> Markup:
    """Markup that can be put into our own page."""
    cleaner = _Cleaner()
    cleaner.feed(xhtml.replace("\x00", ""))
    cleaner.close()
    return Markup("".join(cleaner.parts) + "".join(f"</{tag}>" for tag in reversed(cleaner.open)))


class _Cleaner(MarkupParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.open: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        if self._silent or tag not in _ALLOWED:
            return
        self.parts.append(f"<{tag}{''.join(self._attributes(tag, attrs))}>")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _SILENT:
            self.handle_starttag(tag, attrs)
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.pop()
            return
        if tag in self.open:
            while self.open:
                closed = self.open.pop()
                self.parts.append(f"</{closed}>")
                if closed == tag:
                    break

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(escape(data))

    def _attributes(self, tag: str, attrs: list[tuple[str, str | None]]) -> list[str]:
        kept = []
        for name, value in attrs:
            value = value or ""
            if name not in _ATTRIBUTES or (name in _LINKS and not (value := safe_url(value))):
                continue
            kept.append(f' {name}="{escape(value, quote=True)}"')
        if tag == "a":
            kept.append(' rel="noopener noreferrer" target="_blank"')
        return kept
