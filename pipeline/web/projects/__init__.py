"""Projects in the browser: what `galloway project` does, page by page."""

from __future__ import annotations

from . import answers, making, pages, sending
from .room import blueprint

__all__ = ["blueprint"]

_ROUTES = (pages, making, sending, answers)
"""The modules whose import gives the blueprint its routes."""
