"""The language in which a document speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["ENGLISH", "Speech"]


class Speech(Protocol):
    """What turns a document's English into its reader's language; one value a language, equal to its like."""

    @property
    def language(self) -> str: ...

    def __hash__(self) -> int: ...

    def gettext(self, text: str) -> str: ...

    def ngettext(self, one: str, many: str, count: int) -> str: ...

    def said(self, sentence: str) -> str:
        """A sentence that code made, with what is filled in."""
        ...

    def numerals(self, text: str) -> str:
        """The numbers in a text as the language writes them."""
        ...


@dataclass(frozen=True, slots=True)
class _English:
    language: str = "en"

    def gettext(self, text: str) -> str:
        return text

    def ngettext(self, one: str, many: str, count: int) -> str:
        return one if count == 1 else many

    def said(self, sentence: str) -> str:
        return sentence

    def numerals(self, text: str) -> str:
        return text


ENGLISH: Speech = _English()
