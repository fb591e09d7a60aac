"""As good as a majority of R votes on every task, for fewer of them: when may a round be the last?

An absolute error target asks for what nobody promised: where the crowd itself is divided, no number of votes reaches
it. What a requester would have bought otherwise is the majority of R votes. So the question is what these labels would
still lose against it if all R votes were bought. The missing votes are drawn from what is known of each task and of the
crowd; where the majority then says otherwise than the present label, two judges say what that costs. The vote shares:
little where the crowd is divided anyway, much where a clear majority would turn the label. And the model, which knows
that a small lead among good workers means much, and that the majority of bad ones means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.truth.em import posterior_of
from curation.truth.result import Truth
from curation.truth.votes import vote_counts

__all__ = ["FIRST_SHARE", "LAST_SHARE", "LOST_RIGHT", "LOST_VOTES", "STEP", "Loss", "expected_loss", "votes_next"]

Floats = NDArray[np.float64]

FIRST_SHARE = 0.45
"""Before this share of R votes per task is spent, nothing stops: the estimate is too good while votes are few."""
LAST_SHARE = 0.70
"""After this share everything stops; what is left to gain by then was not worth its price on any set."""
LOST_VOTES = 0.02
"""Vote share that may be lost against the majority of R votes, on average over the tasks."""
LOST_RIGHT = 0.01
"""Share of right labels that may be lost against it, as the model and the votes together judge."""
STEP = 0.04
"""A round asks for this share of all R votes, on at most a quarter of the tasks: later rounds know more."""

_OWN_VOTES = 1.5
_DRAWS = 20_000


@dataclass(frozen=True, slots=True)
class Loss:
    """What present labels are expected to lose against the majority of R votes, per task.

    `votes` is the share of votes by which the majority's label would lead; `right` the chance to be right, which is
    negative where the labels are expected to be better than the majority.
    """

    votes: float
    right: float

    @property
    def small(self) -> bool:
        return self.votes <= LOST_VOTES and self.right <= LOST_RIGHT


def expected_loss(truth: Truth, majority_of: float, *, counted: NDArray[np.bool_] | None = None) -> Loss:
    """The loss of `truth`'s labels against the majority of `majority_of` votes on each task.

    The next answers to a task follow a Pólya urn: its votes so far, and one and a half votes by the crowd's confusion
    matrix under its posterior. A crowd that is divided on a task thus stays divided. `right` is judged by vote shares,
    two parts, and by the posterior that these answers of an average worker would make, one. `counted` masks the tasks.
    """
    counts, posterior = vote_counts(truth.votes), truth.posterior
    if counted is not None:
        counts, posterior = counts[counted], posterior[counted]
    if not len(counts):
        return Loss(0.0, 0.0)
    generator = np.random.default_rng(0)
    draws = max(16, _DRAWS // len(counts))
    crowd = _crowd(truth)
    urn = counts + _OWN_VOTES * (posterior @ crowd)
    ours = posterior.argmax(axis=1)
    missing = np.maximum(round(majority_of) - counts.sum(axis=1), 0).astype(np.int64)
    rows = np.arange(len(counts))
    votes = right = 0.0
    for _ in range(draws):
        weights = generator.standard_gamma(urn)
        weights /= weights.sum(axis=1, keepdims=True)
        more = generator.multinomial(missing, weights)
        total = counts + more
        share = total / (total.sum(axis=1, keepdims=True) + 1.0)
        leading = total >= total.max(axis=1, keepdims=True)
        leading = leading / leading.sum(axis=1, keepdims=True)
        later = posterior_of(np.log(np.maximum(posterior, 1e-9)) + more @ np.log(crowd).T)[0]
        votes += float((share.max(axis=1) - share[rows, ours]).mean())
        for judge, weight in ((share, 2 / 3), (later, 1 / 3)):
            right += weight * float(((judge * leading).sum(axis=1) - judge[rows, ours]).mean())
    return Loss(votes / draws, right / draws)


def _crowd(truth: Truth) -> Floats:
    """(truth, answer): what the crowd as a whole answers, four pseudo-votes a row centred on three right of four."""
    evidence = truth.workers.evidence.sum(axis=0)
    n_labels = len(evidence)
    pseudo = np.full_like(evidence, 1.0 / max(n_labels - 1, 1))
    np.fill_diagonal(pseudo, 3.0)
    return np.asarray((evidence + pseudo) / (evidence + pseudo).sum(axis=1, keepdims=True))


def votes_next(truth: Truth, majority_of: float, counted: NDArray[np.bool_]) -> tuple[int, Loss]:
    """How many votes the next round asks for, 0 when it is time to stop, and the expected loss."""
    loss = expected_loss(truth, majority_of, counted=counted)
    tasks = int(counted.sum())
    whole = tasks * majority_of
    spent = int(truth.voters[counted].sum())
    step = max(1, min(round(STEP * whole), (tasks + 3) // 4))
    first = int(np.ceil(FIRST_SHARE * whole))
    if spent < first:
        return min(step, first - spent), loss
    if loss.small or spent >= LAST_SHARE * whole:
        return 0, loss
    return step, loss
