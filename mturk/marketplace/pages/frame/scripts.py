"""Our own scripts for requesters' documents, as text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["script"]

_STATIC = Path(__file__).parent.parent / "static"
_CROWD = ("base", "fields", "choices", "layout", "drawing", "entities", "form")


@cache
def script(name: str) -> str:
    """One of them; `crowd.js`, the stand-in for Crowd HTML Elements, is made of the files of its folder."""
    if name != "crowd.js":
        return (_STATIC / name).read_text(encoding="utf-8")
    parts = [(_STATIC / "crowd" / f"{part}.js").read_text(encoding="utf-8") for part in _CROWD]
    return "\n".join(["(function () {", "'use strict';", *parts, "})();", ""])
