"""People from a panel in the browser: what `galloway recruit` does, page by page."""

from __future__ import annotations

from . import people, studies
from .room import blueprint

__all__ = ["blueprint"]

_ROUTES = (studies, people)
"""The modules whose import gives the blueprint its routes."""
