"""The same person or not: from embeddings to probabilities, fitted to each set.

A fixed distance (dlib's own 0.6, or 0.5) does not carry over from one footage to another. Here the reference
photographs only start the search: faces surely of that person become references themselves, each face's score becomes
its mean distance to the nearest few of them, and a two-part mixture of those scores says what "near" means in this set.

Without references the largest group of *clear* faces is taken. Counting every face finds the wrong group where most
crops are blurred or no faces at all: these lie near one another in the embedding, whoever they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Identity", "PersonGroup", "TwoParts", "fit_two_parts", "match", "person_groups"]

Floats = NDArray[np.float64]

NEAREST = 5
"""A face's score is its mean distance to this many of the nearest sure faces."""
ROUNDS = 5
SURE = 0.8
FARTHEST_SEED = 0.55
"""No face further than this from what is known of the person becomes a reference, whatever the mixture says."""
GROUP_DISTANCE = 0.5
"""Average-linkage distance below which two groups of clear faces are one person."""
_START_MEANS = (0.35, 0.75)
_START_SPREAD = 0.08
_LEAST_SPREAD = 0.05
_PSEUDO_FACES = 3.0
_DOUBT = 0.002
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class TwoParts:
    """A mixture of two normal distributions of scores: the person's (index 0) and everybody else's (index 1)."""

    means: tuple[float, float]
    spreads: tuple[float, float]
    share: float

    def posterior(self, scores: Floats) -> Floats:
        """Probability of the near part, float64 as `scores`; never surer than 0.998, and falling with the score."""
        (near, far), (narrow, wide) = self.means, self.spreads
        odds = (
            np.log(max(self.share, 1e-3) / max(1 - self.share, 1e-3))
            + np.log(wide / narrow)
            - 0.5 * ((scores - near) / narrow) ** 2
            + 0.5 * ((scores - far) / wide) ** 2
        )
        # Two bells of unlike width cross twice; beyond either mean the nearer part is right.
        odds = np.where(scores <= near, np.maximum(odds, 6.0), np.where(scores >= far, np.minimum(odds, -6.0), odds))
        return np.asarray(_DOUBT + (1 - 2 * _DOUBT) / (1 + np.exp(-np.clip(odds, -40, 40))), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Identity:
    """How each face compares with the person.

    `distance` float64 (n,): to the nearest reference photograph or starting face. `score`: mean distance to the
    nearest sure faces. `p_same`: probability of being the person. `seeds`: indices of the sure faces.
    """

    distance: Floats
    score: Floats
    p_same: Floats
    seeds: NDArray[np.intp]
    mixture: TwoParts


@dataclass(frozen=True, slots=True)
class PersonGroup:
    """Clear faces that look like one person. `members` are indices, the most central first; `weight` is their share
    of all clear faces."""

    members: NDArray[np.intp]
    weight: float


def fit_two_parts(scores: Floats) -> TwoParts:
    """Fit the mixture by expectation–maximisation with a weak prior, so that one part may be empty.

    The prior counts as three faces at 0.35 (the person) and three at 0.75 (others), dlib's own usual distances.
    """
    means, spreads = np.array(_START_MEANS), np.array([_START_SPREAD, _START_SPREAD])
    shares = np.array([0.5, 0.5])
    for _ in range(100):
        density = shares * np.exp(-0.5 * ((scores[:, None] - means) / spreads) ** 2) / spreads + 1e-12
        weights = density / density.sum(axis=1, keepdims=True)
        mass = weights.sum(axis=0)
        start = np.array(_START_MEANS)
        new = ((weights * scores[:, None]).sum(axis=0) + _PSEUDO_FACES * start) / (mass + _PSEUDO_FACES)
        scatter = (weights * (scores[:, None] - new) ** 2).sum(axis=0) + _PSEUDO_FACES * _START_SPREAD**2
        spreads = np.maximum(np.sqrt(scatter / (mass + _PSEUDO_FACES)), _LEAST_SPREAD)
        shares = (mass + 1) / (mass.sum() + 2)
        moved = float(np.abs(new - means).max())
        means = new
        if moved < 1e-5:
            break
    return TwoParts((float(means[0]), float(means[1])), (float(spreads[0]), float(spreads[1])), float(shares[0]))


def match(vectors: NDArray[np.float32], references: NDArray[np.float32], clear: NDArray[np.bool_]) -> Identity:
    """Compare every face with the person shown by `references`.

    `vectors` float32 (n, d), `references` float32 (r, d) with r ≥ 1, `clear` bool (n,): only clear faces may become
    references themselves. Deterministic; the order of faces does not matter.
    """
    references = np.asarray(references, dtype=np.float32).reshape(-1, vectors.shape[1])
    distance = _nearest(vectors, references, np.full(len(vectors), -1), 1)
    score, seeds = distance, np.empty(0, dtype=np.intp)
    mixture = fit_two_parts(score[clear] if clear.any() else score)
    for _ in range(ROUNDS):
        found = np.flatnonzero((mixture.posterior(score) > SURE) & (score < FARTHEST_SEED) & clear)
        if np.array_equal(found, seeds):
            break
        seeds = found
        own = np.full(len(vectors), -1)
        own[seeds] = len(references) + np.arange(len(seeds))
        score = _nearest(vectors, np.concatenate([references, vectors[seeds]]), own, NEAREST)
        mixture = fit_two_parts(score[clear] if clear.any() else score)
    return Identity(distance, score, mixture.posterior(score), seeds, mixture)


def person_groups(vectors: NDArray[np.float32], clear: NDArray[np.bool_], limit: int = 4000) -> list[PersonGroup]:
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
    if len(chosen) == 1:
        return [PersonGroup(chosen, 1.0)]
    labels = fcluster(linkage(pdist(vectors[chosen]), "average"), GROUP_DISTANCE, "distance")
    groups = []
    for label in np.unique(labels):
        members = chosen[labels == label]
        centre = vectors[members].mean(axis=0)
        order = np.argsort(np.linalg.norm(vectors[members] - centre, axis=1), kind="stable")
        groups.append(PersonGroup(members[order], len(members) / len(chosen)))
    return sorted(groups, key=lambda group: (-len(group.members), int(group.members.min())))


def _nearest(
    vectors: NDArray[np.float32], references: NDArray[np.float32], own: NDArray[np.intp], count: int
) -> Floats:
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
