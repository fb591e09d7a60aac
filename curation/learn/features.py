"""What a set's faces are known by: the numbers that the set's own model learns from.

The identity embedding, the distances to the reference photographs, and everything measured on the crop: sharpness,
light, pose, how well landmarks settle. All of it is put on the set's own scale, so that nothing is carried over from
other footage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..screen.observe import Observation
from ..screen.twins import twin_leaders

__all__ = ["Features", "features_of"]

Floats = NDArray[np.float64]

_FARTHEST = 4.0
"""No measure counts for more than so many deviations: one black picture must not set the scale."""
_EMBEDDING_SHARE = np.sqrt(8.0)
"""128 numbers that each say little stand beside a dozen measures: they are scaled down by this."""
_TRACK_BITS, _TRACK_WINDOW = 12, 30


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """`matrix` float64 (faces, features), on the set's scale, a kilobyte a face: what was kept in a file is `read` from
    there whenever it is asked for. `measures` are those of its columns that say how good a
    picture is, signed so that more is worse. `distance` (faces,) is that to the nearest reference photograph, None
    without one. `groups` int (faces,): the same for the same face a moment later, whose answers are likely the same.
    """

    read: Floats | Callable[[], Floats]
    measures: Floats
    distance: Floats | None
    groups: NDArray[np.intp]

    @property
    def matrix(self) -> Floats:
        """All features of all faces."""
        return self.read if isinstance(self.read, np.ndarray) else self.read()

    def __len__(self) -> int:
        return len(self.groups)

    def part(self, rows: NDArray[np.intp]) -> Features:
        """The features of these faces, still on the scale of all."""
        distance = None if self.distance is None else self.distance[rows]
        return Features(self.matrix[rows], self.measures[rows], distance, self.groups[rows])

    def compared(self, distance: Floats) -> Features:
        """The same features with other distances to the person, in the place of those of `features_of`."""
        matrix = np.hstack([self.matrix[:, :-1], _scaled(distance[:, None])])
        return Features(matrix, self.measures, distance, self.groups)


def features_of(observations: Sequence[Observation], references: NDArray[np.float32] | None = None) -> Features:
    """The features of a set. `references` float32 (r, 128) are embeddings of the person that is wanted.

    Without embeddings, or where some are missing, the measures alone are left.
    """
    measures = _scaled(np.array([_measures(item) for item in observations], dtype=np.float64).reshape(-1, 12))
    columns, distance = [measures], None
    vectors = [item.vector for item in observations]
    known = [vector for vector in vectors if vector is not None]
    if known and len(known) == len(vectors):
        embedded = np.stack(known).astype(np.float64)
        columns.append(_scaled(embedded) / _EMBEDDING_SHARE)
        if references is not None and len(references):
            gaps = [np.linalg.norm(embedded - reference.astype(np.float64), axis=1) for reference in references]
            distance = np.min(gaps, axis=0)
            columns.append(_scaled(distance[:, None]))
    groups = twin_leaders(
        [item.measures.phash for item in observations],
        [item.source for item in observations],
        [item.frame for item in observations],
        np.array([item.measures.sharpness for item in observations]),
        bits=_TRACK_BITS,
        window=_TRACK_WINDOW,
    )
    return Features(np.hstack(columns), _worse(measures), distance, groups)


def _measures(item: Observation) -> list[float]:
    seen = item.measures
    jitter = float(np.log(max(item.jitter, 0.0) + 1e-3)) if np.isfinite(item.jitter) else 0.0
    pose = [value if np.isfinite(value) else 0.0 for value in (item.yaw, item.pitch, item.roll, item.misfit)]
    return [
        *(seen.sharpness, seen.brightness, seen.contrast, seen.clipped, seen.light, float(np.log(max(item.size, 1.0)))),
        *(pose[0], abs(pose[0]), pose[1], pose[2], pose[3], jitter),
    ]


def _worse(scaled: Floats) -> Floats:
    """Signed so that more is worse: blur, dim, flat, clipped, small, turned, unlike a face, unsettled."""
    return np.stack(
        [
            -scaled[:, 0],
            -scaled[:, 1],
            -scaled[:, 2],
            scaled[:, 3],
            -scaled[:, 5],
            scaled[:, 7],
            scaled[:, 10],
            scaled[:, 11],
        ],
        axis=1,
    )


def _scaled(values: Floats) -> Floats:
    """Centred, one deviation each, clipped."""
    if not len(values):
        return values
    spread = np.maximum(values.std(axis=0), 1e-9)
    return np.asarray(np.clip((values - values.mean(axis=0)) / spread, -_FARTHEST, _FARTHEST))
