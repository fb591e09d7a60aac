"""Sub-labels: why a task got its label, from the reasons of those who gave it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .result import Truth

__all__ = ["aggregate_reasons"]

_NONE = -1


def aggregate_reasons(
    truth: Truth, reasons: Sequence[str | None], *, names: Sequence[str]
) -> tuple[list[str | None], NDArray[np.float64]]:
    """Per task the most likely reason for its label, and its probability; None and NaN where there is none or a tie.

    `reasons` runs along the rows of `truth.votes`; only votes for the task's own label count, weighted by what is
    believed of the worker: each vote is a one-coin answer among `names` with the worker's accuracy on the label.
    """
    votes = truth.votes
    code = {name: place for place, name in enumerate(names)}
    given = np.array([code.get(reason or "", _NONE) for reason in reasons], dtype=np.int64)
    counted = (given >= 0) & (votes.labels == truth.label[votes.tasks])
    chosen: list[str | None] = [None] * votes.n_tasks
    probability = np.full(votes.n_tasks, np.nan)
    if not counted.any():
        return chosen, probability
    accuracy = np.clip(truth.workers.accuracy[votes.workers[counted]], 1 / len(names) + 0.05, 0.95)
    weight = np.log(accuracy / (1 - accuracy) * max(len(names) - 1, 1))
    key = votes.tasks[counted].astype(np.int64) * len(names) + given[counted]
    scores = np.bincount(key, weights=weight, minlength=votes.n_tasks * len(names)).reshape(-1, len(names))
    posterior = np.exp(scores - scores.max(axis=1, keepdims=True))
    posterior /= posterior.sum(axis=1, keepdims=True)
    ordered = np.sort(posterior, axis=1)
    clear = ordered[:, -1] - (ordered[:, -2] if len(names) > 1 else 0.0) > 1e-9
    for task in np.flatnonzero(clear).tolist():
        chosen[task] = names[int(posterior[task].argmax())]
        probability[task] = posterior[task].max()
    return chosen, probability
