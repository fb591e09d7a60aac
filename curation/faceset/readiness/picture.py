"""The readiness picture: B's pose map under A's track, and A's timeline by coverage.

States differ in lightness and in pattern, so the picture reads in grey and by the colour-blind: covered is dark blue
and plain, thin is orange and striped, missing is white and crossed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log10

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ... import drawing
from ...drawing import Scale
from .values import STATES, Coverage, FacesetView, Readiness

__all__ = ["INKS", "readiness_svg"]

INKS = {"covered": "#00456b", "thin": "#e69f00", "missing": "#ffffff"}
_FILLS = {"covered": INKS["covered"], "thin": "url(#thin)", "missing": "url(#missing)"}
_TRIANGLE = ((0.0, -5.0), (5.0, 4.0), (-5.0, 4.0))
_CROSS = (
    (-5.0, -2.5), (-2.5, -5.0), (0.0, -2.5), (2.5, -5.0), (5.0, -2.5), (2.5, 0.0),
    (5.0, 2.5), (2.5, 5.0), (0.0, 2.5), (-2.5, 5.0), (-5.0, 2.5), (-2.5, 0.0),
)  # fmt: skip
_SEGMENTS = 240
_TRACK = 1500
"""Points of a line at most: a clip of hours stays a picture of some hundred kilobytes."""
_LEFT, _RIGHT, _TOP, _BELOW = 58.0, 14.0, 30.0, 46.0


@dataclass(frozen=True, slots=True)
class _Plot:
    """One area of the picture and its two scales."""

    across: Scale
    up: Scale

    def frame(self) -> Markup:
        left, right, bottom, top = self.across.start, self.across.end, self.up.start, self.up.end
        return drawing.rect(left, top, right - left, bottom - top, "none", ink="#888888")


def readiness_svg(faces: FacesetView, clip: FacesetView | None, found: Readiness, *, narrow: bool = False) -> str:
    """An SVG of the pose map and, with a clip, one timeline per source of it. `narrow` stacks for a phone's width."""
    coverage = found.coverage if clip is not None else None
    sources = sorted(set(clip.source)) if clip is not None and coverage is not None else []
    width, map_height, strip = (390.0, 330.0, 110.0) if narrow else (980.0, 520.0, 130.0)
    body = [drawing.hatch("thin", "#fff3dc", INKS["thin"]), drawing.hatch("missing", "#fff", "#555", crossed=True)]
    body += _pose_map(faces, clip, found, width, map_height, narrow)
    for place, source in enumerate(sources):
        assert clip is not None and coverage is not None
        top = _TOP + map_height + _BELOW + 16 + place * (strip + _BELOW + 8)
        body += _timeline(clip, coverage, source, found.thresholds.enough, (top, top + strip), width)
    height = _TOP + map_height + _BELOW + 16 + len(sources) * (strip + _BELOW + 8)
    return str(drawing.document(width, height, "Pose map and timeline", body))


def _pose_map(
    faces: FacesetView, clip: FacesetView | None, found: Readiness, width: float, height: float, narrow: bool
) -> Iterator[Markup]:
    cell = found.thresholds.cell
    xs = _edges(faces.yaw, clip.yaw if clip is not None else None, cell)
    ys = _edges(faces.pitch, clip.pitch if clip is not None else None, cell)
    plot = _Plot(Scale(xs[0], xs[-1], _LEFT, width - _RIGHT), Scale(ys[0], ys[-1], _TOP + height, _TOP))
    title = "Where side B has faces (number in each cell) and where side A's clip needs them"
    yield drawing.text(_LEFT, _TOP - 10, "Faces of B in each cell, A's on top" if narrow else title, size=12)
    counts = _counts(faces, xs, ys)
    yield from _cells(counts, xs, ys, plot)
    yield plot.frame()
    for value in drawing.ticks(xs[0], xs[-1], 5 if narrow else 9):
        yield drawing.text(plot.across(value), plot.up.start + 15, f"{value:g}", anchor="middle", size=10)
    for value in drawing.ticks(ys[0], ys[-1]):
        yield drawing.text(_LEFT - 6, plot.up(value) + 4, f"{value:g}", anchor="end", size=10)
    middle = (_LEFT + width - _RIGHT) / 2
    yield drawing.text(middle, plot.up.start + 33, "← turned left · yaw, degrees · turned right →", anchor="middle")
    words = drawing.text(0, 0, "← down · pitch, degrees · up →", anchor="middle")
    yield Markup('<g transform="translate(16 {:.1f}) rotate(-90)">{}</g>').format(_TOP + height / 2, words)
    if clip is not None and found.coverage is not None:
        yield from _track(clip, found.coverage, plot)
        yield from _numbers(counts, xs, ys, plot)
        yield from _key(found.coverage, plot)
    else:
        yield from _numbers(counts, xs, ys, plot)


def _counts(faces: FacesetView, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> NDArray[np.float64]:
    """The faces of B in each cell of yaw and pitch."""
    known = np.isfinite(faces.yaw) & np.isfinite(faces.pitch)
    return np.asarray(np.histogram2d(faces.yaw[known], faces.pitch[known], bins=(xs, ys))[0])


def _cells(
    counts: NDArray[np.float64], xs: NDArray[np.float64], ys: NDArray[np.float64], plot: _Plot
) -> Iterator[Markup]:
    """The cells that have faces: the more, the darker."""
    most = max(float(counts.max()), 1.0)
    for i, j in np.argwhere(counts > 0).tolist():
        left, right = plot.across(xs[i]), plot.across(xs[i + 1])
        bottom, top = plot.up(ys[j]), plot.up(ys[j + 1])
        shade = round(232 - 96 * float(counts[i, j]) / most)
        yield drawing.rect(left, top, right - left, bottom - top, f"rgb({shade},{shade},{shade})", ink="#ccc")


def _numbers(
    counts: NDArray[np.float64], xs: NDArray[np.float64], ys: NDArray[np.float64], plot: _Plot
) -> Iterator[Markup]:
    """How many faces a cell has, over everything else."""
    for i, j in np.argwhere(counts > 0).tolist():
        x, y = plot.across((xs[i] + xs[i + 1]) / 2), plot.up((ys[j] + ys[j + 1]) / 2)
        yield drawing.text(x, y + 3, f"{int(counts[i, j])}", anchor="middle", size=10, halo=True)


def _track(clip: FacesetView, coverage: Coverage, plot: _Plot) -> Iterator[Markup]:
    yaw, pitch = clip.yaw[coverage.order], clip.pitch[coverage.order]
    known = np.isfinite(yaw) & np.isfinite(pitch)
    xs = [plot.across(value) for value in yaw[known].tolist()]
    ys = [plot.up(value) for value in pitch[known].tolist()]
    points = list(zip(xs, ys, strict=True))
    yield drawing.polyline(points[:: -(-len(points) // _TRACK) or 1], ink="#777777", width=0.5)
    states = coverage.state[known].tolist()
    for state in reversed(STATES):
        # Marks on the same pixels are one mark: a long clip passes through every pose thousands of times.
        here = {
            (round(x / 2), round(y / 2)): (x, y)
            for (x, y), value in zip(points, states, strict=True)
            if value == STATES.index(state)
        }
        yield from (_mark(state, x, y) for x, y in here.values())


def _mark(state: str, x: float, y: float) -> Markup:
    if state == "covered":
        return drawing.dot(x, y, 3.2, INKS[state])
    return drawing.outline(x, y, _TRIANGLE if state == "thin" else _CROSS, INKS[state])


def _key(coverage: Coverage, plot: _Plot) -> Iterator[Markup]:
    shown = [state for state in reversed(STATES) if coverage.share(state) > 0]
    left, top = plot.across.start + 8, plot.up.end + 8
    yield drawing.rect(left, top, 128, 24 + 17 * len(shown), "#fff", ink="#bbb")
    yield drawing.text(left + 8, top + 15, "the clip's faces", size=10)
    for place, state in enumerate(shown):
        y = top + 30 + 17 * place
        yield _mark(state, left + 14, y - 3)
        yield drawing.text(left + 26, y, f"{state} {coverage.share(state):.0%}", size=10)


def _timeline(
    clip: FacesetView, coverage: Coverage, source: str, enough: int, between: tuple[float, float], width: float
) -> Iterator[Markup]:
    """How many near faces of B each frame of a source has, over a strip that shows the state."""
    rows = np.array([clip.source[i] == source for i in coverage.order])
    frames, state, near = clip.frame[coverage.order][rows], coverage.state[rows], coverage.near[rows]
    top, bottom = between
    last = max(int(frames.max()), int(frames.min()) + 1)
    across = Scale(float(frames.min()), float(last), _LEFT, width - _RIGHT)
    plot = _Plot(across, Scale(0.0, _level(max(float(near.max()), enough) * 2.0), bottom - 34, top))
    for which, start, end in _segments(frames, state):
        left, right = max(across(start), across.start), min(across(end), across.end)
        yield drawing.rect(left, bottom - 26, right - left, 26, _FILLS[STATES[which]], ink="#333", stroke=0.3)
    yield plot.frame()
    wanted = plot.up(_level(enough))
    yield drawing.line(across.start, wanted, across.end, wanted, ink="#888", dash="5 3")
    for count in [0, enough, *(10**power for power in range(1, 7) if enough < 10**power <= near.max() * 2)]:
        yield drawing.text(_LEFT - 6, plot.up(_level(count)) + 4, f"{count:,}", anchor="end", size=10)
    points = [(across(f), plot.up(_level(n))) for f, n in zip(frames.tolist(), near.tolist(), strict=True)]
    yield drawing.polyline(_lowest(points), ink="#000")
    yield drawing.text(_LEFT, top - 6, "near faces of B (dashed: enough)", size=10)
    for value in drawing.ticks(across.low, across.high, 6):
        yield drawing.text(across(value), bottom + 14, f"{value:g}", anchor="middle", size=10)
    yield drawing.text(_LEFT, bottom + 28, f"frame of {source}", size=10)
    yield drawing.text(_LEFT, bottom + 41, "dark: covered, striped: thin, crossed: missing", size=10)


def _level(value: float) -> float:
    """The height of a count: linear up to 10, a decade as high as that beyond."""
    return value / 10 if value <= 10 else 1 + log10(value / 10)


def _lowest(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points, or of a line with more than _TRACK the worst (largest y) of each stretch."""
    stretch = -(-len(points) // _TRACK) or 1
    return [
        max(points[start : start + stretch], key=lambda point: point[1]) for start in range(0, len(points), stretch)
    ]


def _segments(frames: NDArray[np.int64], state: NDArray[np.int64]) -> Sequence[tuple[int, float, float]]:
    """Runs of one state as (state, from, to); a clip longer than the picture is wide shows each stretch's worst."""
    if len(frames) > _SEGMENTS:
        bins = np.linspace(frames.min(), frames.max() + 1, _SEGMENTS + 1)
        where = np.digitize(frames, bins) - 1
        worst = np.array([state[where == b].min() if (where == b).any() else -1 for b in range(_SEGMENTS)])
        edges, values = bins, worst
    else:
        middle = (frames[1:] + frames[:-1]) / 2 if len(frames) > 1 else np.empty(0)
        edges = np.concatenate([[frames[0] - 0.5], middle, [frames[-1] + 0.5]])
        values = state
    runs: list[tuple[int, float, float]] = []
    for value, start, end in zip(values.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if runs and runs[-1][0] == value:
            runs[-1] = (value, runs[-1][1], end)
        elif value >= 0:
            runs.append((value, start, end))
    return runs


def _edges(one: NDArray[np.float64], other: NDArray[np.float64] | None, cell: float) -> NDArray[np.float64]:
    """Edges of cells centred on multiples of `cell` that hold all angles but the wildest, 2 cells at least each way."""
    values = one[np.isfinite(one)]
    if other is not None:
        values = np.concatenate([values, other[np.isfinite(other)]])
    reach = 2.0 * cell if not len(values) else max(2.0 * cell, float(np.percentile(np.abs(values), 99.5)))
    steps = int(min(np.ceil(reach / cell - 0.5), 6))
    return np.asarray((np.arange(-steps, steps + 2) - 0.5) * cell, dtype=np.float64)
