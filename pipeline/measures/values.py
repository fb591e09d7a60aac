"""What was seen of a swapped film, and what it amounts to.

The measures go by the names of the papers that use them (DreamID-V's IDBench-V, arXiv 2601.01425; CanonSwap, arXiv
2507.02691), but the networks behind them are those that install with Galloway, so figures compare films measured here
with each other and with the floor and the ceiling measured beside them, not with a paper's table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NOTICEABLE", "SERIES", "Doubles", "Measured", "People", "SeenFace", "Surface"]

Doubles = NDArray[np.float64]

SERIES = {
    "identity": "how far from B towards A the face is in the embedding, in shares of the way: 0 as B's own",
    "pose error": "degrees between the head's angles before and after",
    "expression error": "distance of the inner landmarks' movements from A's, in distances between the eyes",
    "lip sync error": "distance of the mouth's opening from A's, each from its own mean, in shares of A's movement",
    "eye sync error": "the same of the eyes' opening",
    "jitter": "landmarks' acceleration that A's do not have, in distances between the eyes",
    "border colour": "colour difference (ΔE*ab) from A in the worst of 16 sectors along the mask's border",
    "border edge": "lightness steps (L* a pixel) that A does not have, in the worst of those sectors",
    "colour": "colour difference (ΔE*ab) between the means of the two faces",
    "flicker": "change of that colour difference from frame to frame (ΔE*ab)",
}
"""The measures that every frame has, by name; less is better."""

NOTICEABLE: Mapping[str, float] = {
    "identity": 0.5,
    "pose error": 8.0,
    "expression error": 0.06,
    "lip sync error": 0.5,
    "eye sync error": 1.0,
    "jitter": 0.03,
    "border colour": 10.0,
    "border edge": 4.0,
    "colour": 8.0,
    "flicker": 2.0,
}
"""From where on a frame is worth a look. Ours: about three times what dlib's landmarks tremble by on an untouched film
that was encoded again, and for colours what is plainly visible; chosen on drawn faults, not on films."""

_JUMP = 0.5
"""A face further from where it was than so much of its size is another one, or the picture was cut."""


@dataclass(frozen=True, slots=True)
class Surface:
    """What a swapped face's pixels say beside those it replaced; see SERIES. `shade` (3,) is the difference of the two
    faces' mean CIELAB."""

    border_colour: float
    border_edge: float
    shade: Doubles


@dataclass(frozen=True, slots=True)
class SeenFace:
    """One swapped face: the landmarks (68, 2) found before and after, its pixels, its embedding where it was looked at,
    and that of the face it replaced."""

    frame: int
    before: Doubles
    after: Doubles
    surface: Surface
    vector: Doubles | None = None
    vector_before: Doubles | None = None

    def follows(self, earlier: SeenFace) -> bool:
        """Whether this is the face of `earlier` one frame on: no cut, gap or jump lies between."""
        size = float(np.ptp(earlier.before, axis=0).max())
        near = float(np.abs(self.before - earlier.before).mean()) < _JUMP * size
        return near and self.frame == earlier.frame + 1


@dataclass(frozen=True, slots=True)
class People:
    """Embeddings (n, d) of the two people's own faces: A's of the film, B's of the approved faceset."""

    a: Doubles
    b: Doubles


@dataclass(frozen=True, slots=True)
class Measured:
    """`series` holds one number a face by the names of SERIES, NaN where it was not looked at; `frames` (n,) are their
    numbers. `whole` holds what only the whole film has, by name."""

    frames: NDArray[np.int64]
    series: Mapping[str, Doubles]
    whole: Mapping[str, float]

    def mean(self, name: str) -> float:
        """The mean over the film, NaN where nothing is known."""
        values = self.series[name][np.isfinite(self.series[name])]
        return float(values.mean()) if len(values) else float("nan")

    def worst(self, name: str) -> tuple[float, int]:
        """The worst value and its frame; (NaN, 0) where nothing is known."""
        values = self.series[name]
        if not np.isfinite(values).any():
            return float("nan"), 0
        place = int(np.nanargmax(values))
        return float(values[place]), int(self.frames[place])

    def doubt(self) -> Doubles:
        """How much each face is worth a look: its worst measure in shares of what is noticeable."""
        return np.asarray(self._shares().max(axis=0), np.float64)

    def worst_of_frames(self) -> list[str]:
        """The name of each face's worst measure, by what is noticeable."""
        names = list(SERIES)
        return [names[place] for place in self._shares().argmax(axis=0)]

    def _shares(self) -> Doubles:
        shares = np.stack([self.series[name] / NOTICEABLE[name] for name in SERIES])
        return np.nan_to_num(shares, nan=0.0)
