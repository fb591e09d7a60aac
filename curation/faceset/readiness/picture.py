"""The readiness picture: B's pose map under A's track, and A's timeline by coverage.

States differ in lightness and in pattern, so the picture reads in grey and by the colour-blind: covered is dark blue
and plain, thin is orange and striped, missing is white and crossed.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .values import STATES, Coverage, FacesetView, Readiness

__all__ = ["INKS", "readiness_png"]

INKS = {"covered": ("#00456b", ""), "thin": ("#e69f00", "////"), "missing": ("#ffffff", "xxxx")}
_MARKS = {"covered": ("o", 16), "thin": ("^", 26), "missing": ("X", 40)}
_SEGMENTS = 240


def readiness_png(faces: FacesetView, clip: FacesetView | None, found: Readiness, *, narrow: bool = False) -> bytes:
    """A PNG of the pose map and, with a clip, one timeline per source of it. `narrow` stacks for a phone's width."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sources = sorted(set(clip.source)) if clip is not None and found.coverage is not None else []
    width = 3.9 if narrow else 11.0
    map_height = 3.6 if narrow else 5.6
    figure = Figure(figsize=(width, map_height + 1.5 * len(sources)), dpi=200 if narrow else 110, layout="constrained")
    FigureCanvasAgg(figure)
    ratios = [map_height, *[1.4] * len(sources)]
    axes = figure.subplots(1 + len(sources), 1, height_ratios=ratios, squeeze=False)[:, 0]
    _pose_map(axes[0], faces, clip, found, narrow)
    for axis, source in zip(axes[1:], sources, strict=True):
        assert clip is not None and found.coverage is not None
        _timeline(axis, clip, found.coverage, source, found.thresholds.enough)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": "galloway"})
    return out.getvalue()


def _pose_map(axis: Any, faces: FacesetView, clip: FacesetView | None, found: Readiness, narrow: bool) -> None:
    cell = found.thresholds.cell
    xs, ys = (
        _edges(faces.yaw, clip.yaw if clip is not None else None, cell),
        _edges(faces.pitch, clip.pitch if clip is not None else None, cell),
    )
    known = np.isfinite(faces.yaw) & np.isfinite(faces.pitch)
    counts, _, _ = np.histogram2d(faces.yaw[known], faces.pitch[known], bins=(xs, ys))
    shown = np.ma.masked_equal(counts.T, 0)
    axis.set_facecolor("white")
    most = max(float(counts.max()), 1.0)
    mesh = axis.pcolormesh(xs, ys, shown, cmap="Greys", vmin=-0.4 * most, vmax=2.5 * most, edgecolors="#cccccc")
    mesh.set_linewidth(0.6)
    from matplotlib.patheffects import withStroke

    for i, j in np.argwhere(counts > 0):
        x, y = (xs[i] + xs[i + 1]) / 2, ys[j] + cell * 0.12
        axis.text(
            x, y, f"{int(counts[i, j])}", ha="center", va="center", fontsize=8, color="#222222", zorder=4,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )  # fmt: skip
    if clip is not None and found.coverage is not None:
        _track(axis, clip, found.coverage)
        axis.legend(loc="upper left", fontsize=8, framealpha=0.95, title="the clip's faces", title_fontsize=8)
    axis.set_xlim(xs[0], xs[-1])
    axis.set_ylim(ys[0], ys[-1])
    axis.set_xlabel("← turned left    yaw, degrees    turned right →", fontsize=8 if narrow else 10)
    axis.set_ylabel("← down    pitch, degrees    up →", fontsize=8 if narrow else 10)
    axis.tick_params(labelsize=8)
    title = "Where side B has faces (number in each cell) and where side A's clip needs them"
    axis.set_title(
        title if not narrow else "Faces of B in each cell, A's on top", fontsize=9 if narrow else 11, loc="left"
    )


def _track(axis: Any, clip: FacesetView, coverage: Coverage) -> None:
    yaw, pitch = clip.yaw[coverage.order], clip.pitch[coverage.order]
    axis.plot(yaw, pitch, color="#777777", linewidth=0.5, alpha=0.6, zorder=2)
    for state in reversed(STATES):
        here = coverage.state == STATES.index(state)
        if not here.any():
            continue
        mark, size = _MARKS[state]
        label = f"{state} {here.mean():.0%}"
        axis.scatter(
            yaw[here],
            pitch[here],
            marker=mark,
            s=size,
            facecolor=INKS[state][0],
            edgecolor="white" if state == "covered" else "black",
            linewidth=0.7,
            label=label,
            zorder=3,
        )


def _timeline(axis: Any, clip: FacesetView, coverage: Coverage, source: str, enough: int) -> None:
    rows = np.array([clip.source[i] == source for i in coverage.order])
    frames, state, near = clip.frame[coverage.order][rows], coverage.state[rows], coverage.near[rows]
    for state_index, start, end in _segments(frames, state):
        ink, hatch = INKS[STATES[state_index]]
        axis.axvspan(start, end, ymin=0, ymax=0.3, facecolor=ink, hatch=hatch, edgecolor="#333333", linewidth=0.0)
    axis.axhline(enough, color="#888888", linewidth=0.8, linestyle="--")
    axis.plot(frames, np.maximum(near, 0.5), color="black", linewidth=1.2)
    axis.set_yscale("symlog", linthresh=10)
    top = max(float(near.max()), enough) * 2.0
    axis.set_ylim(-top * 0.02 if top < 20 else -6, top)
    axis.set_xlim(frames.min(), max(int(frames.max()), int(frames.min()) + 1))
    axis.set_ylabel("near faces of B", fontsize=8)
    axis.tick_params(labelsize=8)
    axis.set_xlabel(f"frame of {source}\ndark: covered, striped: thin, crossed: missing", fontsize=8)


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
