"""Workers who hand in the same answers: found by the odd answers they share, and counted as one voice.

A worker model takes voters for independent. Three who copy from one another then look like the three best workers there
are, and the model learns their answers. So answers that both give against most others are compared with what chance and
hard tasks explain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import pdtrc

from ..votes import VotesTable, vote_counts

__all__ = ["Pair", "copy_pairs", "copy_weights"]

Floats = NDArray[np.float64]

_MOST_WORKERS = 1500
_CHANCE = 0.001
_SAME_VOICE = 0.99
_SAME_VOICE_SHARED = 30


@dataclass(frozen=True, slots=True)
class Pair:
    """Two workers who gave the same odd answers: `shared` of `odd` ones, where others would share `expected`."""

    left: int
    right: int
    shared: int
    odd: int
    expected: float
    chance: float


def copy_pairs(votes: VotesTable, *, share: float = 0.8, least: int = 5) -> tuple[Pair, ...]:
    """Pairs who share `share` of their odd answers, at least `least`, and more than chance explains; strongest first.

    An answer is odd when another label has more votes, the voter's own left out. For each odd answer of one worker the
    chance that the other gives it too is the share of the remaining voters who gave it; the sum of these is what is
    expected. Difficult tasks, on which many err alike, thus expect much. With more than 1,500 workers nothing is found.
    """
    if votes.n_workers < 2 or votes.n_workers > _MOST_WORKERS or not len(votes):
        return ()
    counts = vote_counts(votes)
    own = counts[votes.tasks, votes.labels]
    rivals = counts[votes.tasks]
    rivals[np.arange(len(votes)), votes.labels] = 0
    odd = own - 1 < rivals.max(axis=1)
    # Leave the pair itself out; half a vote of smoothing keeps a lone pair from expecting nothing.
    rest = np.maximum(counts.sum(axis=1)[votes.tasks] - 2, 0)
    expected = (np.maximum(own - 2, 0) + 0.5) / (rest + 1.0)
    column = votes.tasks.astype(np.int64) * votes.n_labels + votes.labels
    shape = (votes.n_workers, votes.n_tasks * votes.n_labels)
    answers = sparse.csr_array((np.ones(int(odd.sum())), (votes.workers[odd], column[odd])), shape=shape)
    shared = (answers @ answers.T).toarray()
    met = sparse.csr_array((np.ones(len(votes)), (votes.workers, votes.tasks)), shape=(votes.n_workers, votes.n_tasks))
    rows = (votes.workers[odd], votes.tasks[odd])
    odd_met = (sparse.csr_array((np.ones(int(odd.sum())), rows), shape=met.shape) @ met.T).toarray()
    would = (sparse.csr_array((expected[odd], rows), shape=met.shape) @ met.T).toarray()
    return _significant(
        votes.n_workers, shared, np.minimum(odd_met, odd_met.T), np.minimum(would, would.T), share, least
    )


def _significant(
    n_workers: int, shared: Floats, odd: Floats, would: Floats, share: float, least: int
) -> tuple[Pair, ...]:
    left, right = np.nonzero(np.triu((shared >= least) & (shared >= share * odd) & (shared > 2 * would), k=1))
    chance = pdtrc(shared[left, right] - 1, would[left, right]) * (n_workers * (n_workers - 1) / 2)
    pairs = [
        Pair(one, other, int(shared[one, other]), int(odd[one, other]), float(would[one, other]), float(luck))
        for one, other, luck in zip(left.tolist(), right.tolist(), chance.tolist(), strict=True)
        if luck < _CHANCE
    ]
    return tuple(sorted(pairs, key=lambda pair: (pair.chance, -pair.shared, pair.left, pair.right)))


def copy_weights(votes: VotesTable) -> Floats | None:
    """A weight per vote that makes workers of one voice count once per task; None when there are none.

    One voice is stricter than alike: thirty odd answers or more, 99 % of them the same. Workers of one school, who hold
    the same wrong belief, agree less perfectly than copies do, and are left to the worker models.
    """
    from scipy.sparse.csgraph import connected_components

    pairs = copy_pairs(votes, share=_SAME_VOICE, least=_SAME_VOICE_SHARED)
    if not pairs:
        return None
    ends = (np.array([pair.left for pair in pairs]), np.array([pair.right for pair in pairs]))
    links = sparse.csr_array((np.ones(len(pairs)), ends), shape=(votes.n_workers, votes.n_workers))
    n_voices, voice = connected_components(links, directed=False)
    key = votes.tasks.astype(np.int64) * n_voices + voice[votes.workers]
    _, place, size = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / size[place])
