"""What a look at a side's faces gives to find them by: how sharp and how turned each is, who it shows, where it lies on
a map on which like faces lie together; and which faces are most like one.

The map is the plane in which the side's embeddings differ most (their two first principal components; the measures'
where there are no embeddings). It is made once, with the look, and goes when the embeddings go.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...curation.screen.identity import GROUP_DISTANCE
from ...curation.screen.observe import Observation
from ...curation.shown import LookedAt
from ...curation.types import Face, FaceId
from .crowd import PersonFound
from .screening import features_path

if TYPE_CHECKING:
    from ..app import App

__all__ = ["alike", "looked_at"]

Floats = NDArray[np.float64]

_TAIL = 0.5
"""So many percent of the faces on each side of the map are put at its edge: a few odd ones must not make it empty."""
_AT_ONCE = 4096


def looked_at(
    faces: Sequence[Face], looked: Sequence[Observation], matrix: Floats, persons: Sequence[PersonFound]
) -> list[LookedAt]:
    """What the look found of each face. `matrix` float64 (faces, features) are the side's features."""
    vectors = [item.vector for item in looked if item.vector is not None]
    embedded = np.stack(vectors) if vectors and len(vectors) == len(looked) else None
    ids = [face.face_id for face in faces]
    sharp = _ranks(np.array([item.measures.sharpness for item in looked]))
    places = on_map(matrix if embedded is None else embedded.astype(np.float64))
    who = np.zeros(len(ids), dtype=np.intp) if embedded is None else _who(ids, embedded, persons)
    yaw = [item.yaw if np.isfinite(item.yaw) else 0.0 for item in looked]
    rows = zip(ids, sharp.tolist(), yaw, who.tolist(), places.tolist(), strict=True)
    return [LookedAt(face, round(s, 6), round(y, 2), p, round(x, 5), round(z, 5)) for face, s, y, p, (x, z) in rows]


def on_map(values: Floats) -> Floats:
    """float64 (faces, 2), 0 to 1: the plane in which the values (faces, n) differ most, each axis filled."""
    if len(values) < 2:
        return np.full((len(values), 2), 0.5)
    centred = values - values.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    plane = vectors[:, -1:-3:-1]
    plane = plane * np.where(
        plane[np.abs(plane).argmax(axis=0), range(plane.shape[1])] < 0, -1.0, 1.0
    )  # same each time
    placed = centred @ plane
    low, high = np.percentile(placed, [_TAIL, 100 - _TAIL], axis=0)
    return np.asarray(np.clip((placed - low) / np.maximum(high - low, 1e-9), 0.0, 1.0))


def _ranks(values: Floats) -> Floats:
    """The share of the others that are less, 0 to 1."""
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return np.asarray(order / max(len(values) - 1, 1), dtype=np.float64)


def _who(ids: Sequence[FaceId], vectors: NDArray[np.float32], persons: Sequence[PersonFound]) -> NDArray[np.intp]:
    """The number of the person that each face shows: its group's where it is in one, else that of the nearest group
    that is near enough; 0 for none."""
    place = {face: number for number, face in enumerate(ids)}
    members = [[place[face] for face in person.members if face in place] for person in persons]
    known = [(person.number, rows) for person, rows in zip(persons, members, strict=True) if rows]
    found = np.zeros(len(ids), dtype=np.intp)
    if not known:
        return found
    numbers = np.array([number for number, _ in known])
    centres = np.stack([vectors[rows].mean(axis=0) for _, rows in known])
    for start in range(0, len(ids), _AT_ONCE):
        gaps = _gaps(vectors[start : start + _AT_ONCE], centres)
        nearest = gaps.argmin(axis=1)
        near = gaps[np.arange(len(gaps)), nearest] < GROUP_DISTANCE
        found[start : start + _AT_ONCE] = np.where(near, numbers[nearest], 0)
    for number, rows in known:
        found[rows] = number
    return found


def _gaps(ones: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Distances (ones, others)."""
    squares = (ones**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None, :] - 2.0 * ones @ others.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def alike(app: App, face: Face, most: int) -> list[tuple[FaceId, float]]:
    """The faces of its side that are most like one, itself first, with their distances; empty where nobody looked."""
    path = features_path(app, face.side)
    if not path.is_file():
        return []
    known = _known(path, path.stat().st_mtime_ns)
    at = known.places.get(str(face.face_id))
    if at is None:
        return []
    own = known.rows[at]
    gaps = np.sqrt(np.maximum(known.squares + known.squares[at] - 2.0 * (known.rows @ own), 0.0))
    gaps[at] = -1.0
    nearest = np.argpartition(gaps, min(most, len(gaps)) - 1)[:most]
    near = nearest[np.argsort(gaps[nearest])].tolist()
    return [(FaceId(known.names[row]), max(0.0, float(gaps[row]))) for row in near]


class _Known(NamedTuple):
    """What a side's faces are compared by: the row of each face; its name, float32 embedding (faces, n), or features
    without any, and the sum of their squares, by row."""

    places: dict[str, int]
    names: list[str]
    rows: NDArray[np.float32]
    squares: NDArray[np.float32]


@lru_cache(maxsize=2)
def _known(path: Path, _mtime: int) -> _Known:
    with np.load(path) as kept:
        names: list[str] = kept["faces"].tolist()
        rows = kept["vectors"]
        rows = (rows if len(rows) else kept["matrix"]).astype(np.float32, copy=False)
    return _Known({face: number for number, face in enumerate(names)}, names, rows, np.einsum("ij,ij->i", rows, rows))
