"""Where in the clip the swap is likely to fail: stretches of frames whose pose side B hardly ever shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .values import STATES, Coverage, FacesetView

__all__ = ["Stretch", "stretches"]

_TOGETHER = 6
"""Stretches so few frames apart are one: nobody leaves out frames one by one."""
_SHORTEST = 3
_SHARE = 0.5
"""A stretch of which more is covered than this is none: single frames lack, not the pose."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames `first` to `last` of `source`, `missing` of which side B hardly shows; `yaw` and `pitch` of those."""

    source: str
    first: int
    last: int
    missing: int
    yaw: tuple[float, float]
    pitch: tuple[float, float]

    def __str__(self) -> str:
        turned = f"yaw {self.yaw[0]:+.0f}° to {self.yaw[1]:+.0f}°, pitch {self.pitch[0]:+.0f}° to {self.pitch[1]:+.0f}°"
        return f"{self.source} frames {self.first}-{self.last} ({turned})"


def stretches(clip: FacesetView, coverage: Coverage) -> list[Stretch]:
    """The clip's stretches that are likely to fail, longest first; photographs have none."""
    missing: dict[str, list[int]] = {}
    for place, row in enumerate(coverage.order.tolist()):
        lacks = coverage.state[place] == STATES.index("missing")
        if lacks and clip.frame[row] >= 0 and np.isfinite(clip.yaw[row]) and np.isfinite(clip.pitch[row]):
            missing.setdefault(clip.source[row], []).append(row)
    found = [_stretch(clip, run) for rows in missing.values() for run in _runs(clip, rows)]
    whole = [item for item in found if item.missing >= max(_SHORTEST, _SHARE * (item.last - item.first + 1))]
    return sorted(whole, key=lambda item: (-item.missing, item.source, item.first))


def _runs(clip: FacesetView, rows: list[int]) -> list[list[int]]:
    """Rows in the order of their frames, cut where more than _TOGETHER frames lie between."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and clip.frame[row] - clip.frame[runs[-1][-1]] <= _TOGETHER:
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _stretch(clip: FacesetView, rows: list[int]) -> Stretch:
    yaw, pitch = clip.yaw[rows], clip.pitch[rows]
    return Stretch(
        clip.source[rows[0]],
        int(clip.frame[rows[0]]),
        int(clip.frame[rows[-1]]),
        len(rows),
        (float(yaw.min()), float(yaw.max())),
        (float(pitch.min()), float(pitch.max())),
    )
