"""Names that the eye takes for one another: letters of other scripts, digits as letters, invisible characters.

A small part of Unicode's confusables (UTS #39, skeleton): the letters that a Latin name is forged with.
"""

from __future__ import annotations

import unicodedata

__all__ = ["skeleton"]

_CAPITALS = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕЅІЈКМНОРСТУХ", "ABEZHIKMNOPTYXABESIJKMHOPCTYX")
_SMALL = str.maketrans(
    "авеѕіјкмнорстухԁԛԝӏһгүьαβγεηικνορτυχωϲϳıɑɡɩʏᴏѵօոսհզ0|ß",
    "abesijkmhopctyxdqwlhrybabyenikvoptuxwcjiagiyovonuhqolb",
)
_LINES = str.maketrans("i1", "ll")


def skeleton(name: str) -> str:
    """What the eye sees of a name: two names with one skeleton cannot be told apart on a list."""
    text = unicodedata.normalize("NFKC", name).translate(_CAPITALS).casefold()
    seen = "".join(letter for letter in text if unicodedata.category(letter) not in ("Cf", "Cc", "Mn", "Me"))
    looks = seen.translate(_SMALL).translate(_LINES)
    return " ".join(looks.replace("rn", "m").replace("vv", "w").split())
