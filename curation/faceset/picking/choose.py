"""Which faces to train on: the best so many that cover the poses, mouths and lights of the clip to be swapped.

DeepFaceLab's `final` sorts by pose and sharpness alone; here a cell is pose × mouth × light, and cells get faces by how
many of the clip's frames lie in them (by the square root, so that rare ones are not starved; highest averages, d'Hondt
1878). Frames of a cell in which there is no face count for the nearest one in which there are some. Pure functions of
the columns of a readiness report; the seed decides between faces that are alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from ..readiness.values import LIGHTS, MOUTHS, FacesetView, Thresholds, light_class, mouth_class

__all__ = ["Cell", "Picked", "lacking", "pick"]

_NOT_ASKED = 0.25
"""What a cell counts that no frame of the clip lies in, in frames: last, but before nothing."""


@dataclass(frozen=True, order=True, slots=True)
class Cell:
    """Faces that can stand for each other: yaw and pitch in degrees (the middle), mouth and light by their classes."""

    yaw: int
    pitch: int
    mouth: str
    light: str

    def __str__(self) -> str:
        return f"yaw {self.yaw:+d}°, pitch {self.pitch:+d}°, {self.mouth}, {self.light}"


@dataclass(frozen=True, slots=True)
class Picked:
    """One face by its row, and why: its cell, its place in it, how many of the clip's frames lie in that cell, and how
    many lie in cells without a face to which this one is the nearest."""

    row: int
    cell: Cell
    place: int
    needed: int
    instead: int = 0

    @property
    def reason(self) -> str:
        """In words."""
        need = f"{self.needed} of the clip's frames are like that" if self.needed else "the clip has no such frame"
        if self.instead:
            need += f", {self.instead} have none that is nearer"
        return f"{self.cell}: number {self.place} by sharpness; {need}"


def pick(
    faces: FacesetView, count: int, *, clip: FacesetView | None = None, seed: int = 1, limits: Thresholds | None = None
) -> list[Picked]:
    """The best `count` faces, in the order in which they were taken. Faces of unknown pose, and those unlike the main
    person where embeddings were looked at, are never taken; near-copies of a sharper one only after all others."""
    limits = limits or Thresholds()
    needs = Counter(cell for cell in _cells(clip if clip is not None else faces, limits) if cell is not None)
    queues = _queues(faces, limits, np.random.default_rng(seed))
    instead = _instead(needs, sorted(queues), limits)
    taken: Counter[Cell] = Counter()
    found: list[Picked] = []
    for twins in (False, True):
        left = {cell: [row for row in rows if bool(faces.twin[row]) is twins] for cell, rows in queues.items()}
        while len(found) < count and any(left.values()):
            cell = max(
                (c for c in sorted(left) if left[c]), key=lambda c: _claim(needs[c] + instead[c]) / (taken[c] + 1)
            )
            taken[cell] += 1
            found.append(Picked(left[cell].pop(0), cell, taken[cell], needs[cell], instead[cell]))
    return found


def lacking(faces: FacesetView, clip: FacesetView, limits: Thresholds | None = None) -> list[tuple[Cell, int]]:
    """The clip's cells in which the faceset has no face, with how many of its frames lie in them, most first."""
    limits = limits or Thresholds()
    needs = Counter(cell for cell in _cells(clip, limits) if cell is not None)
    had = set(_cells(faces, limits))
    return sorted(((cell, n) for cell, n in needs.items() if cell not in had), key=lambda pair: (-pair[1], pair[0]))


def _instead(needs: Counter[Cell], there: list[Cell], limits: Thresholds) -> Counter[Cell]:
    """How many frames each cell stands in for: those of the cells without a face to which it is the nearest."""
    found: Counter[Cell] = Counter()
    for cell, frames in needs.items():
        if there and cell not in there:
            found[min(there, key=lambda other: _apart(cell, other, limits))] += frames
    return found


def _apart(one: Cell, other: Cell, limits: Thresholds) -> float:
    """Cells between two: a class of mouth or light is as far as a cell's width of pose."""
    turn = float(np.hypot(one.yaw - other.yaw, one.pitch - other.pitch)) / limits.cell
    mouth = abs(MOUTHS.index(one.mouth) - MOUTHS.index(other.mouth))
    return turn + mouth + abs(LIGHTS.index(one.light) - LIGHTS.index(other.light))


def _claim(frames: int) -> float:
    return float(np.sqrt(frames)) if frames else _NOT_ASKED


def _queues(faces: FacesetView, limits: Thresholds, chance: np.random.Generator) -> dict[Cell, list[int]]:
    """The rows of each cell, sharpest first."""
    draw = chance.random(len(faces))
    sharp = np.nan_to_num(faces.sharpness, nan=-np.inf)
    queues: dict[Cell, list[int]] = defaultdict(list)
    for row, cell in enumerate(_cells(faces, limits)):
        if cell is not None and not (faces.stranger is not None and faces.stranger[row]):
            queues[cell].append(row)
    return {cell: sorted(rows, key=lambda row: (-sharp[row], draw[row])) for cell, rows in queues.items()}


def _cells(view: FacesetView, limits: Thresholds) -> list[Cell | None]:
    mouths, lights = mouth_class(view.mouth, limits), light_class(view.light, limits)
    found: list[Cell | None] = []
    for row in range(len(view)):
        yaw, pitch = float(view.yaw[row]), float(view.pitch[row])
        if not (np.isfinite(yaw) and np.isfinite(pitch)):
            found.append(None)
            continue
        turned, nodded = (round(round(angle / limits.cell) * limits.cell) for angle in (yaw, pitch))
        found.append(Cell(turned, nodded, MOUTHS[int(mouths[row])], LIGHTS[int(lights[row])]))
    return found
