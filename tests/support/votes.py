"""Builders of votes: small tables by hand, synthetic crowds, and hypothesis strategies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from curation.truth import VotesTable
from curation.types import AssignmentId, FaceId, Question, Vote, VoterKind, WorkerId

__all__ = ["Crowd", "make_crowd", "rows_strategy", "table", "vote"]


def table(*rows: str, labels: Sequence[str] = ()) -> VotesTable:
    """A table from "worker task label" strings."""
    return VotesTable.from_rows([tuple(row.split()) for row in rows], labels=labels)  # type: ignore[misc]


def rows_strategy(
    *, workers: int = 6, tasks: int = 8, labels: int = 3, max_size: int = 40
) -> st.SearchStrategy[list[tuple[str, str, str]]]:
    """Lists of (worker, task, label) rows without two votes of one worker on a task."""
    row = st.tuples(
        st.integers(0, workers - 1).map("w{}".format),
        st.integers(0, tasks - 1).map("t{}".format),
        st.integers(0, labels - 1).map("l{}".format),
    )
    return st.lists(row, min_size=1, max_size=max_size, unique_by=lambda one: (one[0], one[1]))


@dataclass(frozen=True)
class Crowd:
    """Synthetic votes and the truth behind them (label code per task)."""

    votes: VotesTable
    truth: NDArray[np.int64]

    def accuracy(self, label: NDArray[np.int32]) -> float:
        """The share of right labels; a tie (-1) scores what guessing among all labels would."""
        right = np.where(label < 0, 1.0 / self.votes.n_labels, label == self.truth)
        return float(right.mean())


def make_crowd(
    confusion: NDArray[np.float64],
    *,
    tasks: int,
    per_task: int,
    seed: int,
    class_prior: Sequence[float] | None = None,
) -> Crowd:
    """Votes of workers with known `confusion[w, truth, answer]`; each task is judged by `per_task` of them."""
    generator = np.random.default_rng(seed)
    n_workers, n_labels, _ = confusion.shape
    truth = generator.choice(n_labels, size=tasks, p=class_prior)
    workers = np.concatenate([generator.permutation(n_workers)[:per_task] for _ in range(tasks)])
    task = np.repeat(np.arange(tasks), per_task)
    cumulative = confusion[workers, truth[task]].cumsum(axis=1)
    labels = (generator.random(len(task))[:, None] > cumulative[:, :-1]).sum(axis=1)
    votes = VotesTable.from_codes(
        workers, task, labels, n_workers=n_workers, n_tasks=tasks, n_labels=n_labels, distinct=True
    )
    return Crowd(votes, truth)


def vote(face: str, worker: str, label: str, *, minutes: float = 0, **fields: object) -> Vote:
    """A vote on `usable` unless `question` says otherwise, `minutes` after noon."""
    values: dict[str, object] = {
        "face_id": FaceId(face),
        "question": Question.USABLE,
        "label": label,
        "worker_id": WorkerId(worker),
        "assignment_id": AssignmentId(f"a-{worker}-{int(minutes)}"),
        "round": 1,
        "submitted_at": datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(minutes=minutes),
        "seconds": 4.0,
        "kind": VoterKind.WORKER,
    }
    return Vote(**(values | fields))  # type: ignore[arg-type]
