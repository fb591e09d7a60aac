"""An HTML parser that takes whatever requesters send, as browsers do."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["MarkupParser"]


class MarkupParser(HTMLParser):
    """`HTMLParser`, but an unknown `<![…` is a comment up to the next ">" and not an AssertionError."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def parse_html_declaration(self, i: int) -> int:
        try:
            return super().parse_html_declaration(i)
        except AssertionError:
            return self.parse_bogus_comment(i)
