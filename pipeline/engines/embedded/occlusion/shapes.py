"""Outlines of things that get between a camera and a face: made, never photographed, no two alike.

A thing is a list of parts from back to front, each a mask float32 (s, s) in 0 … 1 on the face's canvas; parts shade one
another, so that fingers are told apart. `shape` are the face's landmarks (68, 2) on the canvas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

__all__ = ["KINDS", "Part", "drawn"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Part = Floats

_FINE = 3
"""Outlines are drawn so many times as large, for soft edges."""


def drawn(size: int, *, polygons: Sequence[Doubles] = (), lines: Sequence[tuple[Doubles, float]] = ()) -> Part:
    """One part: filled outlines (k, 2), and lines of a width in pixels with round ends."""
    canvas = Image.new("L", (size * _FINE, size * _FINE), 0)
    pen = ImageDraw.Draw(canvas)
    for outline in polygons:
        pen.polygon([(float(x), float(y)) for x, y in (outline + 0.5) * _FINE], fill=255)
    for points, width in lines:
        at = [(float(x), float(y)) for x, y in (points + 0.5) * _FINE]
        pen.line(at, fill=255, width=max(1, round(width * _FINE)), joint="curve")
        for x, y in (at[0], at[-1]):
            radius = width * _FINE / 2
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(canvas.resize((size, size), Image.Resampling.BOX), np.float32) / np.float32(255)


def _place(shape: Doubles, chance: np.random.Generator) -> tuple[Doubles, float]:
    """Somewhere over the face, and the face's width."""
    width = float(np.ptp(shape[:, 0]))
    onto = shape[chance.integers(0, 68)] * 0.5 + shape[[8, 27, 30]][chance.integers(0, 3)] * 0.5
    return onto + chance.normal(0, 0.22 * width, 2), width


def _turned(points: Doubles, angle: float) -> Doubles:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(points @ np.array([[cos, sin], [-sin, cos]]), np.float64)


def _ellipse(middle: Doubles, across: float, down: float, angle: float = 0.0) -> Doubles:
    round_ = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return middle + _turned(np.column_stack([across * np.cos(round_), down * np.sin(round_)]), angle)


def blob(shape: Doubles, size: int, chance: np.random.Generator) -> list[Part]:
    """Something round and uneven: fruit, a fist, another head."""
    middle, width = _place(shape, chance)
    round_ = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    waves = sum(
        chance.normal(0, 0.25 / order) * np.cos(order * round_ + chance.uniform(0, 6.3)) for order in range(2, 7)
    )
    radius = chance.uniform(0.12, 0.5) * width * np.clip(1 + np.asarray(waves), 0.3, 2)
    outline = np.column_stack([np.cos(round_), np.sin(round_) * chance.uniform(0.5, 1.0)]) * radius[:, None]
    return [drawn(size, polygons=[middle + _turned(outline, chance.uniform(0, 6.3))])]


def sheet(shape: Doubles, size: int, chance: np.random.Generator) -> list[Part]:
    """Something with straight edges: a telephone, a book, a picture, a sign."""
    middle, width = _place(shape, chance)
    half = chance.uniform(0.12, 0.5, 2) * width
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half + chance.normal(0, 0.04 * width, (4, 2))
    parts = [drawn(size, polygons=[middle + _turned(corners, angle := chance.uniform(-0.8, 0.8))])]
    if chance.random() < 0.5:
        inner = corners * chance.uniform(0.4, 0.85, 2) + chance.normal(0, 0.05 * width, 2)
        parts.append(np.minimum(parts[0], drawn(size, polygons=[middle + _turned(inner, angle)])))
    return parts


def stick(shape: Doubles, size: int, chance: np.random.Generator) -> list[Part]:
    """A bar or cable that comes in from the border."""
    end, width = _place(shape, chance)
    start = end + _turned(np.array([[0, 2.5 * width]]), chance.uniform(0, 6.3))[0]
    middle = (start + end) / 2 + chance.normal(0, 0.15 * width, 2) * (chance.random() < 0.5)
    return [drawn(size, lines=[(np.stack([start, middle, end]), chance.uniform(0.02, 0.22) * width)])]


def microphone(shape: Doubles, size: int, chance: np.random.Generator) -> list[Part]:
    """A ball on a stick, mostly before the mouth, sometimes in a fist."""
    width = float(np.ptp(shape[:, 0]))
    end = shape[48:60].mean(axis=0) + chance.normal(0, 0.18 * width, 2)
    angle = chance.uniform(-1.2, 1.2)
    start = end + _turned(np.array([[0, 2.5 * width]]), angle)[0]
    ball, handle = chance.uniform(0.08, 0.2) * width, chance.uniform(0.08, 0.2) * width
    parts = [
        drawn(size, lines=[(np.stack([start, end]), min(handle, 1.6 * ball))]),
        drawn(size, polygons=[_ellipse(end, ball, ball * chance.uniform(1, 1.3), angle)]),
    ]
    if chance.random() < 0.6:
        parts += _fingers(
            end + _turned(np.array([[0, chance.uniform(0.2, 0.6) * width]]), angle)[0], width, size, chance
        )
    return parts


def hand(shape: Doubles, size: int, chance: np.random.Generator) -> list[Part]:
    """A palm with fingers that comes in from outside the face."""
    tip, width = _place(shape, chance)
    angle = chance.uniform(-2.2, 2.2)
    reach = chance.uniform(0.3, 0.6) * width
    palm = tip + _turned(np.array([[0, reach * 1.6]]), angle)[0]
    wrist = palm + _turned(np.array([[0, 2 * width]]), angle)[0]
    thick, parts = chance.uniform(0.09, 0.15) * width, []
    parts.append(drawn(size, lines=[(np.stack([wrist, palm]), thick * 2.8)]))
    parts.append(drawn(size, polygons=[_ellipse(palm, thick * 2.1, thick * 2.4, angle)]))
    spread, bend = chance.uniform(0.05, 0.35), chance.normal(0, 0.4)
    for number in range(int(chance.integers(2, 6))):
        side = (number - 2) * spread
        root = palm + _turned(np.array([[(number - 2) * thick, -thick * 1.2]]), angle)[0]
        length = reach * chance.uniform(0.7, 1.2)
        knee = root + _turned(np.array([[0, -length * 0.6]]), angle + side)[0]
        end = knee + _turned(np.array([[0, -length * 0.5]]), angle + side + bend)[0]
        parts.append(drawn(size, lines=[(np.stack([root, knee, end]), thick * chance.uniform(0.8, 1.1))]))
    return parts


def _fingers(middle: Doubles, width: float, size: int, chance: np.random.Generator) -> list[Part]:
    """A fist: short fingers beside each other."""
    thick, angle = chance.uniform(0.09, 0.15) * width, chance.normal(0, 0.4)
    parts = [drawn(size, polygons=[_ellipse(middle, thick * 2.2, thick * 2, angle)])]
    for number in range(4):
        across = np.array([[-1.2 * thick, (number - 1.5) * thick], [1.3 * thick, (number - 1.5) * thick]])
        parts.append(drawn(size, lines=[(middle + _turned(across, angle), thick)]))
    return parts


def cup(shape: Doubles, size: int, chance: np.random.Generator) -> list[Part]:
    """A vessel with a rim and mostly a handle, at the mouth or beside it."""
    width = float(np.ptp(shape[:, 0]))
    middle = shape[48:60].mean(axis=0) + chance.normal(0, 0.25 * width, 2)
    angle, half, tall = chance.normal(0, 0.35), chance.uniform(0.15, 0.4) * width, chance.uniform(0.2, 0.5) * width
    narrow = chance.uniform(0.6, 1.0)
    body = np.array([[-half, -tall], [half, -tall], [half * narrow, tall], [-half * narrow, tall]])
    rim = _ellipse(middle + _turned(np.array([[0, -tall]]), angle)[0], half, half * chance.uniform(0.15, 0.5), angle)
    parts = [drawn(size, polygons=[middle + _turned(body, angle)])]
    if chance.random() < 0.7:
        away = (half + 0.25 * tall) * (1 if chance.random() < 0.5 else -1)
        ring = _ellipse(middle + _turned(np.array([[away * 0.9, 0]]), angle)[0], 0.4 * tall, 0.55 * tall, angle)
        parts.insert(0, drawn(size, lines=[(np.concatenate([ring, ring[:1]]), chance.uniform(0.04, 0.08) * width)]))
    return [*parts, drawn(size, polygons=[rim])]


def glasses(shape: Doubles, size: int, chance: np.random.Generator) -> list[Part]:
    """Dark glasses on the eyes."""
    width = float(np.ptp(shape[:, 0]))
    eyes = [shape[36:42].mean(axis=0), shape[42:48].mean(axis=0)]
    tilt = float(np.arctan2(*(eyes[1] - eyes[0])[::-1]))
    across, down = chance.uniform(0.13, 0.2) * width, chance.uniform(0.08, 0.15) * width
    middles = [eye + np.array([0, 0.03 * width]) for eye in eyes]
    lenses = [_ellipse(middle, across, down, tilt) for middle in middles]
    if chance.random() < 0.4:
        box = np.array([[-1, -1], [1, -1], [0.8, 1], [-0.8, 1]]) * [across, down]
        lenses = [middle + _turned(box, tilt) for middle in middles]
    bar = chance.uniform(0.02, 0.05) * width
    ends = [shape[0], eyes[0], eyes[1], shape[16]]
    return [drawn(size, lines=[(np.stack(ends), bar)]), *(drawn(size, polygons=[lens]) for lens in lenses)]


def hair(shape: Doubles, size: int, chance: np.random.Generator) -> list[Part]:
    """Strands that hang into the face."""
    width, side = float(np.ptp(shape[:, 0])), int(chance.integers(0, 2))
    top = shape[17 + 9 * side] + [0, -0.35 * width]
    end = shape[[4, 12][side]] * chance.uniform(0.4, 1) + shape[30] * (1 - chance.uniform(0.4, 1))
    steps, lines = np.linspace(0, 1, 9)[:, None], []
    sway = chance.normal(0, 0.12 * width, 2)
    for _ in range(int(chance.integers(6, 26))):
        loose = chance.normal(0, 0.07 * width, (2, 2))
        path = top + loose[0] + (end + loose[1] - top - loose[0]) * steps + sway * np.sin(np.pi * steps)
        lines.append((path, chance.uniform(0.015, 0.05) * width))
    half = len(lines) // 2
    return [drawn(size, lines=lines[:half]), drawn(size, lines=lines[half:])]


Kind = Callable[[Doubles, int, np.random.Generator], list[Part]]

KINDS: dict[str, tuple[Kind, float]] = {
    "hand": (hand, 6),
    "microphone": (microphone, 4),
    "cup": (cup, 2),
    "glasses": (glasses, 1.5),
    "hair": (hair, 1.5),
    "sheet": (sheet, 3),
    "blob": (blob, 2.5),
    "stick": (stick, 2),
}
"""The kinds of things, and how often each comes."""
