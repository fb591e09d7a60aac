"""Which faces to ask about: where an answer is expected to change most for its price.

The first faces are chosen so that a model can be taught at all: the nearest to the reference photograph (where the
wanted person is rare, clusters alone miss them), some middling ones, the worst of the near ones by each measure, and
one of each cluster. Later ones are chosen by doubt, each face with what its answer would tell of its like, and no two
like ones in one round.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .features import Features
from .verdicts import Taught

__all__ = ["first_faces", "next_faces"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_NEAR_SHARE, _MIDDLING_SHARE = 0.25, 0.1
_LIKENESS = 0.5
"""How far likeness reaches, as a share of the median distance between faces."""
_MOST_COMPARED = 2000


def first_faces(features: Features, count: int) -> Codes:
    """At most `count` faces to begin with, none twice, the same for the same set."""
    total = len(features)
    if total <= count:
        return np.arange(total, dtype=np.intp)
    chosen: list[int] = []
    if features.distance is not None:
        order = np.argsort(features.distance, kind="stable")
        near = max(2, round(_NEAR_SHARE * count))
        chosen += _spread_over_groups(order, features.groups, near)
        middle = np.linspace(0.2 * total, 0.8 * total, max(1, round(_MIDDLING_SHARE * count)))
        chosen += order[middle.astype(np.intp)].tolist()
        likely = order[: max(near, total // 3)]
        worst = likely[np.argmax(features.measures[likely], axis=0)]
        chosen += worst.tolist()
    chosen = list(dict.fromkeys(chosen))[:count]
    chosen += _representatives(features.matrix, count - len(chosen))
    rest = _farthest(features.matrix, list(dict.fromkeys(chosen)), count)
    return np.array(rest, dtype=np.intp)


def next_faces(taught: Taught, features: Features, open_faces: Codes, count: int) -> Codes:
    """At most `count` of the `open_faces`, those whose answers are expected to change most, unlike one another.

    A face counts by its own doubt, and by that of the open faces like it, since the model passes its answer on.
    """
    if len(open_faces) <= count:
        return open_faces
    doubt = taught.doubt
    pool = open_faces[np.argsort(-doubt[open_faces], kind="stable")][: max(_MOST_COMPARED, count)]
    alike = _likeness(features.matrix[pool])
    left = doubt[pool].copy()
    chosen: list[int] = []
    for _ in range(count):
        gain = left + 0.5 * (alike @ left) / np.maximum(alike.sum(axis=1), 1.0)
        gain[chosen] = -1.0
        best = int(np.argmax(gain))
        chosen.append(best)
        left = left * (1.0 - 0.9 * alike[best])
    return np.asarray(pool[chosen], dtype=np.intp)


def _spread_over_groups(order: Codes, groups: Codes, count: int) -> list[int]:
    """The first `count` of an order, one of each group as long as there are others."""
    _, first = np.unique(groups[order], return_index=True)
    singles: list[int] = order[np.sort(first)][:count].tolist()
    return singles + [face for face in order.tolist() if face not in set(singles)][: count - len(singles)]


def _representatives(matrix: Floats, count: int) -> list[int]:
    """The most central face of each of `count` clusters."""
    if count < 1:
        return []
    from scipy.cluster.vq import kmeans2

    centres, labels = kmeans2(matrix, min(count, len(matrix)), seed=1, minit="++", missing="warn")
    found = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        gaps = np.linalg.norm(matrix[members] - centres[label], axis=1)
        found.append(int(members[np.argmin(gaps)]))
    return found


def _farthest(matrix: Floats, chosen: list[int], count: int) -> list[int]:
    """`chosen`, filled up to `count` with the faces farthest from all chosen ones."""
    gaps = np.full(len(matrix), np.inf)
    for face in chosen:
        gaps = np.minimum(gaps, np.linalg.norm(matrix - matrix[face], axis=1))
    while len(chosen) < count:
        face = int(np.argmax(gaps))
        chosen.append(face)
        gaps = np.minimum(gaps, np.linalg.norm(matrix - matrix[face], axis=1))
    return chosen[:count]


def _likeness(matrix: Floats) -> Floats:
    """1 for the same, falling with the squared distance (n, n)."""
    squares = (matrix**2).sum(axis=1)
    gaps = np.maximum(squares[:, None] + squares - 2 * matrix @ matrix.T, 0.0)
    middle = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 1.0
    return np.asarray(np.exp(-gaps / (_LIKENESS**2 * middle)))
