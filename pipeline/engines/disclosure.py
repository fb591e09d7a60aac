"""What every swapped video says of itself, whichever engine made it."""

from __future__ import annotations

__all__ = ["METADATA"]

METADATA = {"comment": "Face swap: the faces in this video were replaced by a computer.", "synthetic": "face swap"}
"""Tags of every converted mp4, under what the request adds."""
