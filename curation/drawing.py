"""SVG drawn by hand: pieces of a chart as markup, with every text escaped; sizes are user units of the viewBox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

__all__ = ["INK", "Scale", "document", "dot", "hatch", "line", "outline", "polyline", "rect", "text", "ticks"]

INK = "#1b1b1b"
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values lie on a drawing: `low` at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / ((self.high - self.low) or 1.0) * (self.end - self.start)


def document(width: float, height: float, title: str, body: Iterable[Markup]) -> Markup:
    """A whole SVG file on white, with a title for people who hear it."""
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" '
        'font-family="system-ui, sans-serif" role="img"><title>{2}</title><rect width="100%" height="100%" '
        'fill="#fff"/>'
    ).format(width, height, title)
    return head + Markup("").join(body) + Markup("</svg>")


def text(
    x: float, y: float, words: str, *, anchor: str = "start", size: float = 11, fill: str = INK, halo: bool = False
) -> Markup:
    """One line of text; `y` is its base line. A halo keeps it readable on top of marks."""
    around = Markup(' paint-order="stroke" stroke="#fff" stroke-width="3"') if halo else Markup("")
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" font-size="{}" fill="{}"{}>{}</text>').format(
        x, y, anchor, size, fill, around, words
    )


def rect(x: float, y: float, width: float, height: float, fill: str, *, ink: str = INK, stroke: float = 0.7) -> Markup:
    """A rectangle; a negative width is none."""
    return Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}" stroke="{}" stroke-width="{}"/>'
    ).format(x, y, max(width, 0.0), height, fill, ink, stroke)


def line(x1: float, y1: float, x2: float, y2: float, *, ink: str = INK, dash: str = "", width: float = 1.0) -> Markup:
    """A straight line."""
    return Markup(
        '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}" stroke-width="{}" stroke-dasharray="{}"/>'
    ).format(x1, y1, x2, y2, ink, width, dash)


def polyline(points: Sequence[tuple[float, float]], *, ink: str, width: float = 1.2, dash: str = "") -> Markup:
    """A line through points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup('<polyline points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-dasharray="{}"/>').format(
        path, ink, width, dash
    )


def dot(x: float, y: float, radius: float, fill: str, *, ink: str = "#fff") -> Markup:
    """A circle with a thin rim."""
    return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" fill="{}" stroke="{}" stroke-width=".7"/>').format(
        x, y, radius, fill, ink
    )


def outline(x: float, y: float, corners: Sequence[tuple[float, float]], fill: str, *, ink: str = INK) -> Markup:
    """A closed shape of corners around a place."""
    path = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return Markup('<polygon points="{}" fill="{}" stroke="{}" stroke-width=".8"/>').format(path, fill, ink)


def hatch(name: str, ground: str, stroke: str, *, crossed: bool = False) -> Markup:
    """The definition of a hatched fill, referred to as `url(#name)`."""
    lines = "M0 0V7M0 0H7" if crossed else "M0 0V7"
    return Markup(
        '<defs><pattern id="{}" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="7" height="7" fill="{}"/><path d="{}" stroke="{}" stroke-width="2"/></pattern></defs>'
    ).format(name, ground, lines, stroke)


def ticks(low: float, high: float, most: int = 8) -> list[float]:
    """Round values between two bounds, at most `most`, evenly spaced."""
    span = high - low
    if not span > 0:
        return [low]
    power = 10.0 ** (len(str(int(max(span, 1)))) - 2)
    while True:
        for step in (power * factor for factor in _STEPS):
            if span / step <= most - 1:
                first = -(-low // step)
                return [round(step * (first + count), 10) for count in range(int((high - step * first) // step) + 1)]
        power *= 10
