"""Builders of votes: small tables by hand, synthetic crowds, and hypothesis strategies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from galloway.curation.truth import VotesTable, aggregate
from galloway.curation.types import (
    LABELS,
    REASONS,
    AssignmentId,
    DecidedBy,
    Decision,
    FaceId,
    Question,
    Status,
    Vote,
    VoterKind,
    WorkerId,
)
from hypothesis import strategies as st
from numpy.typing import NDArray

__all__ = ["Crowd", "face_crowd", "majority_decisions", "make_crowd", "rows_strategy", "table", "vote"]


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


def face_crowd(
    *, faces: int, workers: int, per_face: int, seed: int, question: Question = Question.USABLE
) -> tuple[list[Vote], dict[FaceId, str]]:
    """Votes on faces by a mixed crowd, in the order of time, and the truth.

    Worker 0 clicks through in straight lines, worker 1 answers at random, worker 2 copies worker 3, worker 4 tires,
    worker 5 is far too fast and careless; the others are right nine times in ten. All are simulated.
    """
    generator = np.random.default_rng(seed)
    truth = np.where(generator.random(faces) < 0.7, 0, 1)
    labels, reasons = LABELS[question], REASONS
    reason = generator.integers(0, len(reasons), faces)
    skill = generator.beta(18, 2, size=workers)
    given: dict[tuple[int, int], int] = {}
    done = np.zeros(workers, dtype=np.int64)
    last = np.zeros(workers, dtype=np.int64)
    votes = []
    expected = max(faces * per_face // workers, 1)
    panels = [generator.choice(workers, size=per_face, replace=False) for _ in range(faces)]
    for panel in panels:
        if 3 in panel and 2 not in panel:
            panel[panel == next(who for who in panel.tolist() if who != 3)] = 2
    for face in range(faces):
        for who in sorted(panels[face].tolist(), reverse=True):
            right = generator.random() < (skill[who] if who != 4 else 0.97 - 0.6 * min(done[who] / expected, 1))
            answer = int(truth[face]) if right else 1 - int(truth[face])
            if who == 0:
                answer = int(last[0]) if generator.random() < 0.985 else 1 - int(last[0])
            elif who == 1 or (who == 5 and generator.random() < 0.4):
                answer = int(generator.integers(0, 2))
            elif who == 2:
                answer = given.get((face, 3), answer)
            elif who == 3 and generator.random() < 0.2:
                answer = 1 - int(truth[face])
            given[face, who] = answer
            last[who] = answer
            seconds = float(generator.lognormal(1.4, 0.4)) * (0.2 if who == 5 else 1.0)
            votes.append(
                vote(
                    f"{face:032x}",
                    f"worker-{who:02d}",
                    labels[answer],
                    minutes=float(done[who]),
                    question=question,
                    seconds=seconds,
                    simulated=True,
                    reason=reasons[reason[face]] if labels[answer] == "reject" else None,
                )
            )
            done[who] += 1
    return votes, {FaceId(f"{face:032x}"): labels[truth[face]] for face in range(faces)}


def majority_decisions(votes: Sequence[Vote], question: Question = Question.USABLE) -> list[Decision]:
    """Decisions by plain majority, as a caller would make them."""
    truth = aggregate(VotesTable.from_votes(votes, question), method="majority")
    words = {"keep": Status.APPROVED, "same": Status.APPROVED}
    decisions = []
    for code, face in enumerate(truth.votes.task_names):
        label = truth.votes.label_names[truth.label[code]] if truth.label[code] >= 0 else None
        status = words.get(label or "", Status.REJECTED) if label else Status.DISPUTED
        decisions.append(
            Decision(
                FaceId(face),
                question,
                status,
                label,
                "blurred" if label == "reject" else None,
                float(truth.confidence[code]),
                int(truth.voters[code]),
                DecidedBy.CROWD,
                "majority",
            )
        )
    return decisions
