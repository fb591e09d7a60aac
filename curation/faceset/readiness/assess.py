"""Is a faceset ready to train on, and does side B cover what side A's clip needs, frame by frame? Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import checks as checked
from .values import (
    EYES,
    LIGHTS,
    MOUTHS,
    Coverage,
    Demand,
    FacesetView,
    Readiness,
    Thresholds,
    eyes_class,
    light_class,
    mouth_class,
)

__all__ = ["assess", "cover"]

_BLOCK = 512


def assess(faces: FacesetView, clip: FacesetView | None = None, thresholds: Thresholds | None = None) -> Readiness:
    """Judge a faceset by itself and, where `clip` (side A's faces) is given, by what that clip needs."""
    limits = thresholds or Thresholds()
    checks = [
        checked.count(faces, limits),
        checked.sources(faces, limits),
        checked.variety(faces, limits),
        checked.expression(faces, limits),
        checked.light(faces),
        checked.sharp(faces, limits),
        checked.size(faces, limits),
        checked.crops(faces),
        checked.twins(faces, limits),
        checked.one_person(faces, limits),
    ]
    coverage = None
    demands: list[Demand] = []
    if clip is not None and len(clip):
        coverage = cover(faces, clip, limits)
        checks.insert(0, checked.covered(coverage, limits))
        demands = _demands(faces, clip, coverage, limits)
    known = [check.state for check in checks if check.state != "unknown"]
    worst = next((state for state in ("poor", "fair") if state in known), "good")
    return Readiness(worst, tuple(checks), coverage, tuple(demands), limits)


def cover(faces: FacesetView, clip: FacesetView, limits: Thresholds) -> Coverage:
    """Count, for each face of the clip, B's faces in the same pose; then those alike in mouth and light too.

    Faces without a pose cover nothing and count as missing. Time is len(clip) x len(faces), memory bounded.
    """
    order = np.array(sorted(range(len(clip)), key=lambda i: (clip.source[i], clip.frame[i], i)), dtype=np.intp)
    near = np.zeros(len(order), dtype=np.int64)
    mouth, light, eyes = near.copy(), near.copy(), near.copy()
    mouth_b, light_b = mouth_class(faces.mouth, limits), light_class(faces.light, limits)
    mouth_a, light_a = mouth_class(clip.mouth, limits), light_class(clip.light, limits)
    eyes_a, eyes_b = eyes_class(clip, limits), eyes_class(faces, limits)
    for start in range(0, len(order), _BLOCK):
        rows = order[start : start + _BLOCK]
        gap = np.hypot(clip.yaw[rows, None] - faces.yaw, clip.pitch[rows, None] - faces.pitch)
        gap = np.nan_to_num(gap, nan=np.inf)
        near[start : start + len(rows)] = (gap <= limits.near).sum(axis=1)
        like = gap <= limits.like_near
        mouth[start : start + len(rows)] = (like & (mouth_a[rows, None] == mouth_b)).sum(axis=1)
        light[start : start + len(rows)] = (like & (light_a[rows, None] == light_b)).sum(axis=1)
        eyes[start : start + len(rows)] = (like & (eyes_a[rows, None] == eyes_b)).sum(axis=1)
    state = np.where(near >= limits.enough, 2, np.where(near >= limits.some, 1, 0))
    return Coverage(order, near, state, mouth, light, eyes)


def _demands(faces: FacesetView, clip: FacesetView, coverage: Coverage, limits: Thresholds) -> list[Demand]:
    """What to collect, most frames first: poses that lack; mouths, eyes and lights that lack where the pose does
    not."""
    rows = coverage.order
    lacking = coverage.state < 2
    found = _cells(clip, coverage, lacking, [""] * len(rows), coverage.near, limits.enough, limits)
    mouths = [MOUTHS[i] for i in mouth_class(clip.mouth, limits)[rows]]
    few = ~lacking & (coverage.like_mouth < limits.like_enough)
    found += _cells(clip, coverage, few, mouths, coverage.like_mouth, limits.like_enough, limits)
    eyes = eyes_class(clip, limits)[rows]
    if faces.gaze is not None and clip.gaze is not None:
        few = ~lacking & (eyes >= 0) & (coverage.like_eyes < limits.like_enough)
        found += _cells(clip, coverage, few, [EYES[i] for i in eyes], coverage.like_eyes, limits.like_enough, limits)
    if np.isfinite(clip.light).any() and np.isfinite(faces.light).any():
        lights = [LIGHTS[i] for i in light_class(clip.light, limits)[rows]]
        few = ~lacking & (coverage.like_light < limits.like_enough)
        found += _cells(clip, coverage, few, lights, coverage.like_light, limits.like_enough, limits)
    return sorted(found, key=lambda demand: (-demand.frames, str(demand)))


def _cells(
    clip: FacesetView,
    coverage: Coverage,
    chosen: NDArray[np.bool_],
    what: Sequence[str],
    has: NDArray[np.int64],
    wants: int,
    limits: Thresholds,
) -> list[Demand]:
    groups: dict[tuple[int, int, str], list[int]] = {}
    for place in np.flatnonzero(chosen).tolist():
        row = coverage.order[place]
        if np.isfinite(clip.yaw[row]) and np.isfinite(clip.pitch[row]):
            cell = (round(float(clip.yaw[row]) / limits.cell), round(float(clip.pitch[row]) / limits.cell))
            groups.setdefault((*cell, what[place]), []).append(place)
    demands = []
    for (across, up, kind), places in groups.items():
        first, rows = int(coverage.order[places[0]]), coverage.order[places]
        half = limits.cell / 2
        demands.append(
            Demand(
                yaw=(across * limits.cell - half, across * limits.cell + half),
                pitch=(up * limits.cell - half, up * limits.cell + half),
                seen_yaw=(float(clip.yaw[rows].min()), float(clip.yaw[rows].max())),
                seen_pitch=(float(clip.pitch[rows].min()), float(clip.pitch[rows].max())),
                what=kind,
                frames=len(places),
                first=(clip.source[first], int(clip.frame[first])),
                has=int(np.median(has[places])),
                wants=wants,
            )
        )
    return demands
