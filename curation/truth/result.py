"""What a method returns: posteriors, labels, statuses, worker skills and the state to start from next time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .votes import Codes, VotesTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Blend", "State", "TaskStatus", "Truth", "WorkerSkills", "settle"]

Floats = NDArray[np.float64]
_TIE = 1e-9


class TaskStatus(IntEnum):
    """What the votes on a task amount to; `str()` gives the word."""

    DECIDED = 0
    DISPUTED = 1
    UNDECIDED = 2

    def __str__(self) -> str:
        return self.name.lower()


_WORDS = np.array([str(status) for status in TaskStatus])


@dataclass(frozen=True, slots=True, eq=False)
class WorkerSkills:
    """What is believed about each worker.

    `confusion[w, truth, answer]` is a probability, float64 (workers, labels, labels), rows sum to 1. `accuracy` is the
    chance of a right answer under the estimated class shares. `evidence[w, truth, answer]` are the expected counts
    behind it: Dirichlet pseudo-counts for credible intervals are `evidence + 1`.
    """

    names: tuple[str, ...]
    confusion: Floats
    accuracy: Floats
    votes: Codes
    evidence: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """How `auto` came to its posteriors: the weight of two kinds per label, of plain counting, the model's sharpness.

    For a warm start, `models` holds kinds, expected answers (workers, answer, label·kind) and sizes (label·kind,) of
    the models without communities, `communities` the same and the members (workers, communities) of those with.
    """

    two_kinds: float
    counting: float
    sharpness: float
    worker_names: tuple[str, ...]
    models: tuple[tuple[int, Floats, Floats], ...]
    communities: tuple[tuple[int, Floats, Floats, Floats], ...]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Where a later run starts: skills by worker name, so that new workers and tasks may have come in between."""

    method: str
    label_names: tuple[str, ...]
    class_prior: Floats
    skills: WorkerSkills
    blend: Blend | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Posteriors and what follows from them.

    `posterior` is float64 (tasks, labels), rows sum to 1. `label` is the most probable label's code, -1 for a tie or a
    task without votes. `confidence` is the largest posterior. `voters` counts votes per task. `blend` says how `auto`
    decided.
    """

    method: str
    votes: VotesTable
    posterior: Floats
    label: Codes
    confidence: Floats
    voters: Codes
    status_codes: NDArray[np.int8]
    workers: WorkerSkills
    state: State
    iterations: int = 0
    blend: Blend | None = None

    @property
    def status(self) -> NDArray[np.str_]:
        """decided, disputed or undecided, per task."""
        return _WORDS[self.status_codes]

    @property
    def asked(self) -> Codes:
        """How many voters were asked per task, those who could not tell among them."""
        return self.voters if self.votes.abstained is None else self.voters + self.votes.abstained

    @property
    def expected_error(self) -> float:
        """The expected share of wrong labels among decided tasks, by the posteriors; NaN when none is decided."""
        return self.expected_error_of(np.ones(len(self.confidence), dtype=bool))

    def expected_error_of(self, tasks: NDArray[np.bool_]) -> float:
        """As `expected_error`, of the decided among `tasks` (a mask)."""
        decided = (self.status_codes == TaskStatus.DECIDED) & tasks
        return float(1.0 - self.confidence[decided].mean()) if decided.any() else float("nan")

    def labels(self) -> dict[str, str | None]:
        """Task name → label name; None for a tie or no votes."""
        names = self.votes.label_names
        return {
            task: names[code] if code >= 0 else None
            for task, code in zip(self.votes.task_names, self.label.tolist(), strict=True)
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per task: task, label (missing for a tie or no votes), posterior, votes and status."""
        import pandas as pd

        labels = np.array([*self.votes.label_names, None], dtype=object)
        return pd.DataFrame(
            {
                "task": np.array(self.votes.task_names, dtype=object),
                "label": labels[self.label],
                "posterior": self.confidence,
                "votes": self.voters,
                "status": self.status,
            }
        )


def settle(
    posterior: Floats,
    counts: Floats,
    gold: Codes,
    decide_at: float,
    abstained: Codes | None = None,
    *,
    may_decide: bool = True,
) -> tuple[Codes, Floats, NDArray[np.int8]]:
    """Labels, confidences and statuses of posteriors.

    A tie has no label. A task is disputed when two or more, and no fewer than voted, could not tell; decided when it
    has a label whose posterior reaches `decide_at`, if votes `may_decide` at all; otherwise disputed when its voters
    contradict each other, and undecided when there is too little evidence. Gold is decided.
    """
    if not len(posterior):
        empty = np.empty(0)
        return empty.astype(np.int32), empty, empty.astype(np.int8)
    label = posterior.argmax(axis=1).astype(np.int32)
    confidence = posterior.max(axis=1)
    tied = (posterior >= confidence[:, None] - _TIE).sum(axis=1) > 1
    voted = counts.sum(axis=1) > 0
    label[(tied | ~voted) & (gold < 0)] = -1
    unclear = np.zeros(len(label), dtype=bool)
    if abstained is not None:
        unclear = (abstained >= 2) & (abstained >= counts.sum(axis=1))
    contradicted = (counts > 0).sum(axis=1) > 1
    status = np.where(contradicted | unclear, TaskStatus.DISPUTED, TaskStatus.UNDECIDED).astype(np.int8)
    decided = ~tied & voted & ~unclear & (confidence >= decide_at) & may_decide
    status[decided | (gold >= 0)] = TaskStatus.DECIDED
    return label, confidence, status
