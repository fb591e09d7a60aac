"""The same person or not: from embeddings to probabilities, fitted to each set.

A fixed distance (dlib's own 0.6, or 0.5) does not carry over from one footage to another. Here clear faces are grouped
first; the reference photographs choose the person's groups by their centres, which are steadier than single faces; each
face's score is then its mean distance to the nearest of the person's faces, and what "near" means is measured on them.

Without references the largest group of *clear* faces is taken. Counting every face finds the wrong group where most
crops are blurred or no faces at all: these lie near one another in the embedding, whoever they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Identity", "PersonGroup", "TwoParts", "match", "match_members", "person_groups", "surely_person"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]

NEAREST, NEAREST_SHARE = 5, 0.15
"""A face's score is its mean distance to this many of the nearest sure faces, or this share of them where that is more:
a handful of crops of another person must not vouch for one another."""
ROUNDS = 4
SURE = 0.8
FARTHEST_SEED = 0.55
"""No face with a greater score joins the person's faces, whatever the mixture says."""
GROUP_DISTANCE = 0.45
"""Average-linkage distance below which two groups of clear faces are one person."""
SAME_CENTRE, CENTRE_SCALE = 0.44, 0.02
"""A reference this far from a group's centre shows its person with even odds; and how fast the odds change."""
_NEAR, _FAR = (0.35, 0.06), (0.75, 0.10)
"""Usual mean and spread of scores of the same and of other persons; they count as three faces each."""
_PSEUDO_FACES = 3.0
_EVEN_DISTANCE, _DISTANCE_SCALE = 0.48, 0.035
"""Where only a single distance is known: even odds, and how fast they change."""
_NEAR_SPREADS = (0.05, 0.075)
_FAR_OUT = 3.5
"""Spreads from the person's mean at which a face is as likely somebody not seen before."""
_DOUBT = 0.002
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class TwoParts:
    """Two normal distributions of scores: the person's (index 0) and everybody else's (index 1)."""

    means: tuple[float, float]
    spreads: tuple[float, float]
    share: float

    def posterior(self, scores: Floats) -> Floats:
        """Probability of the near part, float64 as `scores`; never surer than 0.998, and falling with the score."""
        (near, far), (narrow, wide) = self.means, self.spreads
        # Two bells of unlike width cross twice; beyond either mean little is learnt from going further.
        beyond, scores = scores - np.clip(scores, near, far), np.clip(scores, near, far)
        odds = (
            np.log(max(self.share, 1e-3) / max(1 - self.share, 1e-3))
            + np.log(wide / narrow)
            - 0.5 * ((scores - near) / narrow) ** 2
            + 0.5 * ((scores - far) / wide) ** 2
        )
        # Too far from the person is not the person, even where the others seen so far are further still.
        odds = np.minimum(odds, 6.0 * (_FAR_OUT - (scores - near) / narrow))
        odds = np.where(scores <= near, np.maximum(odds, 6.0), odds) - 5 * beyond
        return np.asarray(_DOUBT + (1 - 2 * _DOUBT) / (1 + np.exp(-np.clip(odds, -40, 40))), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Identity:
    """How each face compares with the person.

    `distance` float64 (n,): to the nearest reference photograph or starting face. `score`: mean distance to the
    nearest sure faces. `p_same`: probability of being the person. `seeds`: indices of the sure faces. `belief`:
    probability that these are the references' person at all.
    """

    distance: Floats
    score: Floats
    p_same: Floats
    seeds: Indices
    mixture: TwoParts
    belief: float


@dataclass(frozen=True, slots=True)
class PersonGroup:
    """Clear faces that look like one person. `members` are indices, the most central first; `weight` is their share
    of all clear faces; `centre` their mean vector."""

    members: Indices
    weight: float
    centre: NDArray[np.float32]


def match(
    vectors: NDArray[np.float32],
    references: NDArray[np.float32],
    clear: Bools,
    groups: Sequence[PersonGroup] | None = None,
) -> Identity:
    """Compare every face with the person shown by `references`.

    `vectors` float32 (n, d), `references` float32 (r, d) with r ≥ 1, `clear` bool (n,): only clear faces stand for the
    person; `groups` are theirs (default: `person_groups`). The order of faces does not matter. Where no group is surely
    the person, `belief` says how likely the nearest one is, and `p_same` leans as much on the plain distance.
    """
    references = np.asarray(references, dtype=np.float32).reshape(-1, vectors.shape[1])
    distance = _nearest(vectors, references, np.full(len(vectors), -1), 1)
    groups = person_groups(vectors, clear) if groups is None else groups
    gaps = [float(np.linalg.norm(references - group.centre, axis=1).min()) for group in groups]
    if not groups or min(gaps) > FARTHEST_SEED:
        mixture = TwoParts((_NEAR[0], _FAR[0]), (_NEAR[1], _FAR[1]), 1 / (len(vectors) + 2))
        p_same = np.clip(_by_distance(distance), _DOUBT, 1 - _DOUBT)
        return Identity(distance, distance, p_same, np.empty(0, dtype=np.intp), mixture, 0.0)
    chosen = [g.members for g, gap in zip(groups, gaps, strict=True) if gap <= max(SAME_CENTRE, min(gaps))]
    return _spread(vectors, np.concatenate(chosen), clear, distance, surely_person(min(gaps)))


def match_members(vectors: NDArray[np.float32], members: Indices, clear: Bools) -> Identity:
    """Compare every face with the person shown by the faces at `members`, taken to be the right one."""
    own = np.full(len(vectors), -1)
    own[members] = np.arange(len(members))
    distance = _nearest(vectors, vectors[members], own, 1)
    return _spread(vectors, members, clear, distance, 1.0)


def surely_person(gap: float) -> float:
    """Probability that a group whose centre lies `gap` from a reference shows the reference's person."""
    return float(1 / (1 + np.exp((gap - SAME_CENTRE) / CENTRE_SCALE)))


def person_groups(vectors: NDArray[np.float32], clear: Bools, limit: int = 4000) -> list[PersonGroup]:
    """Group the clear faces by person, the heaviest first.

    Average linkage is quadratic, so at most `limit` clear faces, evenly spread over the input, take part.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    chosen = np.flatnonzero(clear)
    if len(chosen) > limit:
        chosen = chosen[np.linspace(0, len(chosen) - 1, limit).astype(np.intp)]
    if len(chosen) == 0:
        return []
    labels = np.ones(1, dtype=np.intp)
    if len(chosen) > 1:
        labels = fcluster(linkage(pdist(vectors[chosen]), "average"), GROUP_DISTANCE, "distance")
    groups = []
    for label in np.unique(labels):
        members = chosen[labels == label]
        centre = vectors[members].mean(axis=0)
        order = np.argsort(np.linalg.norm(vectors[members] - centre, axis=1), kind="stable")
        groups.append(PersonGroup(members[order], len(members) / len(chosen), centre))
    return sorted(groups, key=lambda group: (-len(group.members), int(group.members.min())))


def _spread(vectors: NDArray[np.float32], seeds: Indices, clear: Bools, distance: Floats, belief: float) -> Identity:
    """From the person's first faces to everybody's probability; sure faces join them, at most `ROUNDS` times."""
    seeds = np.sort(seeds)
    for _ in range(ROUNDS):
        own = np.full(len(vectors), -1)
        own[seeds] = np.arange(len(seeds))
        count = max(NEAREST, round(NEAREST_SHARE * len(seeds)))
        score = _nearest(vectors, vectors[seeds], own, count)
        if len(seeds) == 1:
            score[seeds] = distance[seeds]
        mixture = _measure(score, seeds, clear)
        sure = (mixture.posterior(score) > SURE) & (score < FARTHEST_SEED) & clear
        sure[seeds] = True
        grown = np.flatnonzero(sure)
        if len(grown) == len(seeds):
            break
        seeds = grown
    p_same = belief * mixture.posterior(score) + (1 - belief) * _by_distance(distance)
    return Identity(distance, score, np.clip(p_same, _DOUBT, 1 - _DOUBT), seeds, mixture, belief)


def _by_distance(distance: Floats) -> Floats:
    """Probability of the same person from one distance alone, where the set teaches nothing."""
    return np.asarray(1 / (1 + np.exp((distance - _EVEN_DISTANCE) / _DISTANCE_SCALE)), dtype=np.float64)


def _measure(score: Floats, seeds: Indices, clear: Bools) -> TwoParts:
    """What near and far mean here: on the person's faces and on the other clear ones."""
    others = clear.copy()
    others[seeds] = False
    near, narrow = _moments(score[seeds], *_NEAR)
    far, wide = _moments(score[others], *_FAR)
    low, high = _NEAR_SPREADS
    return TwoParts(
        (near, max(far, near + 3 * low)),
        (min(max(narrow, low), high), max(wide, _FAR[1])),
        (len(seeds) + 1) / (int(clear.sum()) + 2),
    )


def _moments(values: Floats, mean: float, spread: float) -> tuple[float, float]:
    """Mean and spread of `values` with a few pseudo-faces at the usual ones."""
    mass = len(values) + _PSEUDO_FACES
    middle = (float(values.sum()) + _PSEUDO_FACES * mean) / mass
    centre = float(values.mean()) if len(values) else mean
    scatter = float(((values - centre) ** 2).sum()) + _PSEUDO_FACES * spread**2
    return middle, float(np.sqrt(scatter / mass))


def _nearest(vectors: NDArray[np.float32], references: NDArray[np.float32], own: Indices, count: int) -> Floats:
    """Mean distance to the `count` nearest references, leaving out each face's own row (`own`, -1: none)."""
    squares = (references.astype(np.float64) ** 2).sum(axis=1)
    result = np.empty(len(vectors), dtype=np.float64)
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK].astype(np.float64)
        gaps = (block**2).sum(axis=1)[:, None] + squares - 2 * block @ references.T.astype(np.float64)
        distances = np.sqrt(np.maximum(gaps, 0))
        mine = own[start : start + _BLOCK]
        rows = np.flatnonzero(mine >= 0)
        distances[rows, mine[rows]] = np.inf
        take = min(count, distances.shape[1])
        near = np.partition(distances, take - 1, axis=1)[:, :take]
        finite = np.isfinite(near)
        result[start : start + _BLOCK] = np.where(finite, near, 0).sum(axis=1) / np.maximum(finite.sum(axis=1), 1)
    return result
