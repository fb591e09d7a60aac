"""Builders for HIT tasks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from galloway.curation.types import Question, Side
from galloway.pipeline.asking.tasks import GridTask

__all__ = ["grid_task"]


def grid_task(question: Question = Question.USABLE, side: Side = Side.A, faces: int = 4, **changes: Any) -> GridTask:
    """A task of `faces` tiles with keys `t00`, `t01`, …"""
    values: dict[str, Any] = {
        "question": question,
        "side": side,
        "tiles": [(f"t{number:02d}", f"http://127.0.0.1:9/i/{number}") for number in range(faces)],
        "reward": Decimal("0.15"),
        "seconds": 60,
        "references": ["http://127.0.0.1:9/i/r1"],
    }
    return GridTask(**(values | changes))
