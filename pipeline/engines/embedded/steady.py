"""Landmarks smoothed over time without lag: dlib's points tremble from frame to frame where the face does not.

Each face is followed through consecutive frames, and its points are fitted by a parabola over the frames around
(Savitzky and Golay 1964): both sides count alike, so nothing lags behind and steady acceleration passes unchanged.
Nothing is smoothed across a cut, a gap or a jump, nothing where that would move the face as a whole, and no eyes that
it would open or close: lids may be shut for one frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter

from ....curation.faceset.png.types import FaceAlignment
from .shape import EYES

__all__ = ["steadied"]

Floats = NDArray[np.float32]

_MOVED = 0.005
"""Smoothing that moves a face as a whole by more than twice this share of its size is left out."""
INNER, JAW = 5, 9
"""Frames that count for brows, eyes, nose and mouth, and for the jaw: a blink lasts four frames at 30 a second, a jaw
turns with the head."""
_BLINK = 0.05
"""Smoothing that opens or closes an eye by less than this share of its width is done, by twice that left out."""
_JUMP = 0.5
"""A face further from where it was than so much of its size is another one, or the picture was cut."""


def steadied(frames: Mapping[int, Sequence[FaceAlignment]]) -> dict[int, list[FaceAlignment]]:
    """The faces of frames by number, in the same order, with smoothed landmarks; all else as it was."""
    found = {number: list(faces) for number, faces in frames.items()}
    for track in _tracks(frames):
        points = np.stack([frames[number][place].landmarks for number, place in track])
        for (number, place), smooth in zip(track, _smoothed(points), strict=True):
            found[number][place] = replace(frames[number][place], landmarks=smooth)
    return found


def _tracks(frames: Mapping[int, Sequence[FaceAlignment]]) -> list[list[tuple[int, int]]]:
    """Faces that follow each other frame by frame, as (number, place) each."""
    done: list[list[tuple[int, int]]] = []
    running: list[list[tuple[int, int]]] = []
    for number in sorted(frames):
        going: list[list[tuple[int, int]]] = []
        free = set(range(len(frames[number])))
        for track in running:
            before, place = track[-1]
            near = _nearest(frames[before][place], frames[number], free) if before == number - 1 else None
            if near is None:
                done.append(track)
                continue
            free.discard(near)
            going.append([*track, (number, near)])
        running = going + [[(number, place)] for place in sorted(free)]
    return done + running


def _nearest(face: FaceAlignment, others: Sequence[FaceAlignment], free: set[int]) -> int | None:
    """Which of the free faces is this one a frame later, None where none is near."""
    size = float(np.ptp(face.landmarks, axis=0).max())
    apart = {place: float(np.abs(others[place].landmarks - face.landmarks).mean()) for place in sorted(free)}
    best = min(apart, key=lambda place: apart[place], default=None)
    return best if best is not None and apart[best] < _JUMP * size else None


def _smoothed(points: Floats) -> Floats:
    """A track's landmarks (n, 68, 2); tracks shorter than a window get a shorter window."""
    smooth = points.astype(np.float64)
    for part, window in ((slice(0, 17), JAW), (slice(17, 68), INNER)):
        window = min(window, len(points) - (len(points) + 1) % 2)
        if window >= 5:
            smooth[:, part] = savgol_filter(points[:, part].astype(np.float64), window, 2, axis=0, mode="interp")
    trust = np.array([_trust(raw, new) for raw, new in zip(points.astype(np.float64), smooth, strict=True)])
    shares = np.repeat(trust[:, None], points.shape[1], axis=1)
    for eye in EYES:
        shares[:, eye] *= _still(points[:, eye].astype(np.float64), smooth[:, eye])[:, None]
    return (points + shares[..., None] * (smooth - points)).astype(np.float32)


def _still(raw: NDArray[np.float64], smooth: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 where smoothing leaves an eye (n, 6, 2) as open as it is, 0 where it would open or close it, (n,)."""
    high = [np.linalg.norm(eye[:, 4:6].mean(axis=1) - eye[:, 1:3].mean(axis=1), axis=1) for eye in (raw, smooth)]
    width = np.maximum(np.linalg.norm(smooth[:, 3] - smooth[:, 0], axis=1), 1e-9)
    return np.asarray(np.clip(2 - np.abs(high[1] - high[0]) / (_BLINK * width), 0, 1), np.float64)


def _trust(raw: NDArray[np.float64], smooth: NDArray[np.float64]) -> float:
    """1 where smoothing leaves the face where it is, 0 where it would move it as a whole: a jerk is no trembling."""
    known = np.column_stack([raw, np.ones(len(raw))])
    moved = known @ np.linalg.lstsq(known, smooth - raw, rcond=None)[0]
    size = float(np.ptp(raw, axis=0).max())
    return float(np.clip(2 - np.sqrt((moved**2).sum(axis=1).mean()) / (_MOVED * size), 0, 1))
