"""The losses of a training run as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...curation import drawing
from ...curation.drawing import Scale

__all__ = ["finite", "losses_svg"]

_WIDTH, _HEIGHT = 800.0, 400.0
_POINTS = 1500
_SIDES = (("a", "#0b5fa5", ""), ("b", "#b3500f", "6 3"))


def finite(loss: object) -> float | None:
    """A loss as a number; None for one that became none (NaN) or was not told."""
    return float(loss) if isinstance(loss, (int, float)) and math.isfinite(loss) else None


def losses_svg(title: str, losses: Sequence[Mapping[str, Any]]) -> str:
    """An SVG of `loss_a` and `loss_b` by `iteration`; dashes tell the sides apart in grey. Long runs are thinned."""
    across = Scale(float(losses[0]["iteration"]), float(losses[-1]["iteration"]), 64, _WIDTH - 16)
    highest = max(float(event[f"loss_{side}"]) for event in losses for side, _, _ in _SIDES)
    up = Scale(0.0, highest or 1.0, _HEIGHT - 48, 36)
    body = [drawing.text(64, 22, title, size=13), drawing.rect(64, 36, _WIDTH - 80, _HEIGHT - 84, "none", ink="#888")]
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = up(part * up.high)
        body.append(drawing.line(64, y, _WIDTH - 16, y, ink="#ddd"))
        body.append(drawing.text(58, y + 4, f"{part * up.high:.3g}", anchor="end"))
    for value in drawing.ticks(across.low, across.high):
        body.append(drawing.text(across(value), _HEIGHT - 32, f"{value:g}", anchor="middle"))
    body.append(drawing.text(_WIDTH / 2, _HEIGHT - 12, "iteration", anchor="middle"))
    thinned = losses[:: -(-len(losses) // _POINTS)]
    for place, (side, ink, dash) in enumerate(_SIDES):
        points = [(across(float(event["iteration"])), up(float(event[f"loss_{side}"]))) for event in thinned]
        body.append(drawing.polyline(points, ink=ink, dash=dash))
        y = 54 + 18 * place
        body += [drawing.line(_WIDTH - 120, y, _WIDTH - 90, y, ink=ink, dash=dash, width=1.6)]
        body += [drawing.text(_WIDTH - 84, y + 4, f"side {side.upper()}")]
    return str(drawing.document(_WIDTH, _HEIGHT, title, body))
