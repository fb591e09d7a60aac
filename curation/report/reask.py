"""Which tasks are worth another vote, and what it is expected to bring: a list to publish again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..truth import TaskStatus
from ..truth.adaptive import expected_gain
from .inputs import QuestionData

__all__ = ["Reask", "worth_another_vote"]

Floats = NDArray[np.float64]
_LEAST_GAIN = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Reask:
    """Task codes, most to gain first, and by how much another vote is expected to raise the chance of a right label."""

    tasks: NDArray[np.intp]
    gain: Floats


def worth_another_vote(data: QuestionData, skill: float) -> Reask:
    """The tasks that the crowd has not settled, and those decided ones where a vote gains a point or more.

    `skill` is the chance that the next vote is right. What a person or gold settled is never asked again.
    """
    outcome = data.outcome
    crowd = np.array([by == "crowd" for by in outcome.decided_by], dtype=bool)
    least = 1.0 / max(data.votes.n_labels, 2)
    gain = expected_gain(np.nan_to_num(outcome.posterior, nan=least), float(np.clip(skill, 0.55, 0.99)))
    open_ = data.open
    decided = outcome.status == TaskStatus.DECIDED
    tasks = np.flatnonzero(crowd & (open_ | (decided & (gain >= _LEAST_GAIN))))
    cast = np.bincount(data.votes.tasks, minlength=data.votes.n_tasks)
    tasks = tasks[np.lexsort((tasks, cast[tasks], -gain[tasks], ~open_[tasks]))]
    return Reask(tasks, gain[tasks])
