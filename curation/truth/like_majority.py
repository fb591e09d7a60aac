"""As good as a majority of R votes on every task, for fewer of them: when may a round be the last?

An absolute error target asks for what nobody promised: where the crowd itself is divided, no number of votes reaches
it. What a requester would have bought otherwise is the majority of R votes. So the question is how often that majority
would be right where the present labels are wrong, less how often it would be wrong where they are right. The missing
votes are drawn from what is known of each task and of the crowd; where their majority says otherwise than the present
label, both are judged alike: by the vote shares, which see that a crowd is divided, two parts, and by the model, one.
Whatever is wrong with that judge is wrong for both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .models.canonical import hash_order
from .models.em import posterior_of
from .result import Truth
from .votes import vote_counts

__all__ = ["BY_SHARES", "FIRST_SHARE", "LAST_SHARE", "LOSS", "STEP", "expected_loss", "votes_next"]

Floats = NDArray[np.float64]

FIRST_SHARE = 0.44
"""Before this share of R votes per task is spent, nothing stops: the estimate is too good while votes are few."""
LAST_SHARE = 0.64
"""After this share everything stops; what is left to gain by then was not worth its price on any set."""
LOSS = 0.0075
"""The share of right labels that may be lost against the majority of R votes, by that estimate. What less and more
of it did on public sets is in docs/truth.md."""
STEP = 0.04
"""A round asks for this share of all R votes, on at most a quarter of the tasks: later rounds know more."""

BY_SHARES = 2.0 / 3.0
"""How much of the judge is what vote shares say of a label; the rest is the model's word. More of it buys votes where
workers differ and the model already weighs them; less of it stops too soon where many are careless."""

_OWN_VOTES = 1.5
_DRAWS = 20_000


def expected_loss(truth: Truth, majority_of: float, *, counted: NDArray[np.bool_] | None = None) -> float:
    """By how much the majority of `majority_of` votes on each task is expected to be right more often than `truth`.

    Negative where the present labels are expected to be better. The next answers to a task follow a Pólya urn: its
    votes so far, and one and a half votes by the crowd's confusion matrix under its posterior. A crowd that is divided
    on a task thus stays divided. The model judges as if an average worker had given them. `counted` masks the tasks.
    """
    order = hash_order(truth.votes.task_names)  # so that the draws belong to the tasks, not to their rows
    rows = order if counted is None else order[counted[order]]
    counts, posterior = vote_counts(truth.votes)[rows], truth.posterior[rows]
    if not len(counts):
        return 0.0
    generator = np.random.default_rng(0)
    draws = max(16, _DRAWS // len(counts))
    crowd = _crowd(truth)
    urn = counts + _OWN_VOTES * (posterior @ crowd)
    ours = posterior.argmax(axis=1)
    missing = np.maximum(round(majority_of) - counts.sum(axis=1), 0).astype(np.int64)
    rows = np.arange(len(counts))
    loss = 0.0
    for _ in range(draws):
        weights = generator.standard_gamma(urn)
        weights /= weights.sum(axis=1, keepdims=True)
        more = generator.multinomial(missing, weights)
        total = counts + more
        leading = total >= total.max(axis=1, keepdims=True)
        leading = leading / leading.sum(axis=1, keepdims=True)
        share = total / (total.sum(axis=1, keepdims=True) + 1.0)
        model = posterior_of(np.log(np.maximum(posterior, 1e-9)) + more @ np.log(crowd).T)[0]
        judge = BY_SHARES * share + (1.0 - BY_SHARES) * model
        loss += float(((judge * leading).sum(axis=1) - judge[rows, ours]).mean())
    return loss / draws


def _crowd(truth: Truth) -> Floats:
    """(truth, answer): what the crowd as a whole answers, four pseudo-votes a row centred on three right of four."""
    # In one order of the workers: a sum of floats has as many last digits as there are orders.
    evidence = truth.workers.evidence[hash_order(truth.votes.worker_names)].sum(axis=0)
    n_labels = len(evidence)
    pseudo = np.full_like(evidence, 1.0 / max(n_labels - 1, 1))
    np.fill_diagonal(pseudo, 3.0)
    return np.asarray((evidence + pseudo) / (evidence + pseudo).sum(axis=1, keepdims=True))


def votes_next(
    truth: Truth, majority_of: float, counted: NDArray[np.bool_], *, allowed: float = LOSS
) -> tuple[int, float]:
    """How many votes the next round asks for, 0 when it is time to stop, and the expected loss."""
    loss = expected_loss(truth, majority_of, counted=counted)
    tasks = int(counted.sum())
    whole = tasks * majority_of
    spent = int(truth.asked[counted].sum())
    step = max(1, min(round(STEP * whole), (tasks + 3) // 4))
    first = int(np.ceil(FIRST_SHARE * whole))
    if spent < first:
        return min(step, first - spent), loss
    if loss <= allowed or spent >= LAST_SHARE * whole:
        return 0, loss
    return step, loss
