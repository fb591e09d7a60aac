"""The words of a review: what a moment of a film can be, and the pages that ask."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["CANNOT_TELL", "FINE", "MARKED", "SECONDS", "VERDICTS", "Page"]

FINE = "fine"
CANNOT_TELL = "cannot_tell"
MARKED = "marked"
"""The label of an answer that says by a mask what covers the face."""

VERDICTS: Mapping[str, tuple[str, str]] = {
    FINE: ("Fine", "You would not notice that the face was changed."),
    "person": ("Wrong person", "The face is not the person on the photographs, or looks like two people mixed."),
    "edge": ("Edge", "The border of the face shows: a seam, a patch of another colour, a slab in the cheek."),
    "covered": ("Covered", "Something before the face (a hand, a cup, hair) was painted over or smeared."),
    "mouth": ("Mouth or eyes", "Mouth, eyes or expression do not do what they do in the original."),
    "flicker": ("Flicker", "The face shakes, jumps or changes its brightness."),
    CANNOT_TELL: ("Cannot tell", "The face is too small, dark or turned to say."),
}
"""Value → name and meaning, in the order in which they are offered."""


class Page(StrEnum):
    """The kinds of pages: two pictures, a loop of both films, and marking what covers the face."""

    COMPARE = "compare"
    CLIP = "clip"
    SCRIBBLE = "scribble"


SECONDS: Mapping[Page, int] = {Page.COMPARE: 7, Page.CLIP: 9, Page.SCRIBBLE: 30}
"""How long a moment takes on a page. Ours, measured on ourselves: a loop is seen three times."""
