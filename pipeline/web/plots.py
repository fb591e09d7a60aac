"""Plots as inline SVG: no script, no style attribute, colours from the style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from ...mturk.marketplace.pages.words import numerals, said

__all__ = ["Line", "loss_plot", "losses_plot", "stacked_bar"]

_WIDTH, _HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 14, 34
_MOST_POINTS = 360

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A curve of a plot: its classes in the style sheet, what it is called, and its (x, y) pairs in order."""

    look: str
    name: str
    points: Sequence[Point]


def loss_plot(side_a: Sequence[Point], side_b: Sequence[Point]) -> Markup:
    """Losses over iterations, one line a side; (iteration, loss) pairs in order. Empty where there are none."""
    return losses_plot([Line("side-a", "side A", side_a), Line("side-b", "side B", side_b)])


def losses_plot(lines: Sequence[Line]) -> Markup:
    """Losses over iterations, over one another. Empty where there are none.

    Many points are drawn as the means of equal spans, so that the page stays small.
    """
    lines = [Line(line.look, line.name, thin(line.points)) for line in lines if line.points]
    every = [point for line in lines for point in line.points]
    if not every:
        return Markup("")
    last = max(x for x, _ in every)
    first = min(x for x, _ in every)
    top = _ceiling(max(y for _, y in every))

    def place(x: float, y: float) -> str:
        across = (x - first) / (last - first) if last > first else 0.5
        return (
            f"{_LEFT + across * (_WIDTH - _LEFT - _RIGHT):.1f},"
            f"{_HEIGHT - _BOTTOM - min(y, top) / top * (_HEIGHT - _TOP - _BOTTOM):.1f}"
        )

    parts = [_grid(top), _foot(first, last)]
    for line in lines:
        path = " ".join(place(x, y) for x, y in line.points)
        parts.append(f'<polyline class="line {line.look}" points="{path}"/>')
        if len(line.points) == 1:
            x, y = place(*line.points[0]).split(",")
            parts.append(f'<circle class="dot {line.look}" cx="{x}" cy="{y}" r="4"/>')
    now = ", ".join(f"{said(line.name)} {line.points[-1][1]:.4f}" for line in lines)
    return Markup(
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(said(f"Loss by iteration, now {now}"))}">{"".join(parts)}</svg>'
    )


def thin(points: Sequence[Point]) -> list[Point]:
    """At most 360 points: the means of equal spans."""
    if len(points) <= _MOST_POINTS:
        return list(points)
    size = math.ceil(len(points) / _MOST_POINTS)
    spans = [points[start : start + size] for start in range(0, len(points), size)]
    return [(sum(x for x, _ in span) / len(span), sum(y for _, y in span) / len(span)) for span in spans]


def _ceiling(value: float) -> float:
    """A round number at or above `value`."""
    if value < 1e-12:
        return 1.0
    scale = 10.0 ** math.floor(math.log10(value))
    return min(step * scale for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * scale >= value * (1 - 1e-9))


def _grid(top: float) -> str:
    parts = []
    for step in range(5):
        y = _HEIGHT - _BOTTOM - step / 4 * (_HEIGHT - _TOP - _BOTTOM)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="tick end" x="{_LEFT - 8}" y="{y + 4:.1f}">{numerals(f"{top * step / 4:.3g}")}</text>'
        )
    return "".join(parts)


def _foot(first: float, last: float) -> str:
    y = _HEIGHT - 12
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return (
        f'<text class="tick" x="{_LEFT}" y="{y}">{numerals(f"{first:,.0f}")}</text>'
        f'<text class="tick mid" x="{middle}" y="{y}">{said("iteration")}</text>'
        f'<text class="tick end" x="{_WIDTH - _RIGHT}" y="{y}">{numerals(f"{last:,.0f}")}</text>'
    )


def stacked_bar(counts: Sequence[tuple[str, int]]) -> Markup:
    """One bar of named shares, in the order given; the words beside it carry the numbers. Empty without any."""
    total = sum(count for _, count in counts)
    if not total:
        return Markup("")
    parts, x = [], 0.0
    for name, count in counts:
        width = 100 * count / total
        if width:
            parts.append(f'<rect class="share {name}" x="{x:.3f}" width="{width:.3f}" y="0" height="8"/>')
        x += width
    return Markup(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        + "".join(parts)
        + "</svg>"
    )
