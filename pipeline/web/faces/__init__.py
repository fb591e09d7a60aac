"""Looking at faces: all of them as one grid, on a map, one by one; a person's decisions and taking them back."""

from __future__ import annotations

from . import deciding, grid, mapped, one, pictures
from .room import blueprint

__all__ = ["blueprint", "deciding", "grid", "mapped", "one", "pictures"]
