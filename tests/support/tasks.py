"""Builders for HIT tasks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from galloway.curation.types import Side
from galloway.pipeline.asking.tasks import GridTask, PageKind, Picture, Tile

__all__ = ["grid_task"]


def grid_task(page: PageKind = PageKind.BOTH, side: Side = Side.A, faces: int = 4, **changes: Any) -> GridTask:
    """A task of `faces` tiles with keys `t00`, `t01`, …, on pages of groups three to a group."""
    values: dict[str, Any] = {
        "page": page,
        "side": side,
        "tiles": [
            Tile(f"t{number:02d}", f"http://127.0.0.1:9/i/{number}", group=1 + number // 3 if page.grouped else 0)
            for number in range(faces)
        ],
        "reward": Decimal("0.15"),
        "seconds": 60,
        "references": [Picture("http://127.0.0.1:9/i/r1")] if page.shows_person else [],
    }
    return GridTask(**(values | changes))
