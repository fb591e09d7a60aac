"""Votes as integer codes: the one table that every method reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VotesError
from ..types import ABSTENTIONS, LABELS, Question, Vote
from ..votes import Votes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Codes", "VotesTable", "as_table", "code_gold", "shared_tasks", "vote_counts"]

Codes = NDArray[np.int32]
_SHOWN = 12
_MANY = 50_000
"""From so many names on pandas codes them, faster than a dict by more than its import takes."""


@dataclass(frozen=True, slots=True, eq=False)
class VotesTable:
    """One row per vote, as codes: `workers`, `tasks` and `labels` are int32 arrays of equal length.

    A code is a position in `worker_names`, `task_names`, `label_names`. A worker has at most one vote on a task:
    the builders keep the first one and count the rest in `repeated`. Tasks and labels without votes are allowed.
    `abstained`, where there are any, counts per task the voters who were asked and could not tell: no rows of theirs.
    `weights`, one per vote, say how much each counts where that differs (an answer that agrees with a proposal).
    """

    workers: Codes
    tasks: Codes
    labels: Codes
    worker_names: tuple[str, ...]
    task_names: tuple[str, ...]
    label_names: tuple[str, ...]
    repeated: int = field(default=0)
    abstained: Codes | None = field(default=None)
    weights: NDArray[np.float64] | None = field(default=None)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_workers(self) -> int:
        return len(self.worker_names)

    @property
    def n_tasks(self) -> int:
        return len(self.task_names)

    @property
    def n_labels(self) -> int:
        return len(self.label_names)

    @classmethod
    def from_codes(
        cls,
        workers: Sequence[int] | NDArray[Any],
        tasks: Sequence[int] | NDArray[Any],
        labels: Sequence[int] | NDArray[Any],
        *,
        n_workers: int | None = None,
        n_tasks: int | None = None,
        n_labels: int | None = None,
        distinct: bool = False,
    ) -> VotesTable:
        """A table from codes that somebody else made; names are the codes written out.

        `distinct=True` promises that no worker votes twice on a task and saves the sort that looks for it.
        """
        coded = [np.ascontiguousarray(column, dtype=np.int32) for column in (workers, tasks, labels)]
        if len({len(column) for column in coded}) != 1:
            raise VotesError("workers, tasks and labels differ in length; give one entry per vote in each.")
        if any(len(column) and column.min() < 0 for column in coded):
            raise VotesError("A code is negative; code names from 0 or use VotesTable.from_rows.")
        sizes = [
            size if size is not None else int(column.max(initial=-1)) + 1
            for column, size in zip(coded, (n_workers, n_tasks, n_labels), strict=True)
        ]
        names = [tuple(map(str, range(size))) for size in sizes]
        table = cls(coded[0], coded[1], coded[2], names[0], names[1], names[2])
        return table if distinct else table.without_repeats()

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str, str, str]], *, labels: Sequence[str] = ()) -> VotesTable:
        """A table from (worker, task, label) names; `labels` puts these labels first, even without votes."""
        columns = tuple(zip(*rows, strict=True)) or ((), (), ())
        return cls.from_columns(*columns, label_order=labels)

    @classmethod
    def from_columns(
        cls,
        workers: Sequence[str] | NDArray[Any],
        tasks: Sequence[str] | NDArray[Any],
        labels: Sequence[str] | NDArray[Any],
        *,
        label_order: Sequence[str] = (),
        weights: Sequence[float] | None = None,
    ) -> VotesTable:
        """A table from three columns of names, coded in order of appearance (labels: `label_order`, then sorted), with
        the `weights` of the rows, if any."""
        known = list(label_order)
        worker_codes, worker_names = _code(workers)
        task_codes, task_names = _code(tasks)
        label_codes, seen = _code(labels)
        order = known + sorted(set(seen) - set(known))
        position = {name: code for code, name in enumerate(order)}
        recode = np.array([position[name] for name in seen], dtype=np.int32)
        coded = recode[label_codes] if len(seen) else label_codes
        counts = None if weights is None else np.asarray(weights, dtype=np.float64)
        table = cls(worker_codes, task_codes, coded, worker_names, task_names, tuple(order), weights=counts)
        return table.without_repeats()

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, columns: Mapping[str, str] | None = None) -> VotesTable:
        """The votes of a DataFrame with the columns worker, task and label, or those that `columns` names for them.

        Values may be of any type and count as their text. Raises VotesError for a missing column or an empty cell.
        """
        named = [(columns or {}).get(role, role) for role in ("worker", "task", "label")]
        lacking = [name for name in named if name not in frame.columns]
        if lacking:
            raise VotesError(
                f"The DataFrame has no column {', '.join(lacking)}, but {', '.join(map(str, frame.columns))}. "
                "Rename its columns to worker, task and label."
            )
        if frame.columns.duplicated().any():
            raise VotesError("Two columns of the DataFrame have one name; keep one of them.")
        empty = frame[named].isna().any(axis=1)
        if empty.any():
            raise VotesError(
                f"{int(empty.sum())} rows of the DataFrame lack a value, the first at index {empty.idxmax()!r}. "
                f"Leave them out: frame.dropna(subset={named!r})"
            )
        return cls.from_columns(*(frame[name].astype(str).to_numpy(dtype=object) for name in named))

    @classmethod
    def from_votes(
        cls, votes: Sequence[Vote], question: Question, weights: Sequence[float] | None = None
    ) -> VotesTable:
        """The votes on one question, in the order given; a worker's later vote on the same face is not counted, and
        who could not tell has abstained. `weights`, one for each of `votes`, say how much each counts."""
        cast = Votes.of(votes)
        rows = np.flatnonzero(cast.where(question=question))
        told = (column.told() for column in cast.at(rows).only("worker_id", "face_id", "label"))
        return cls.from_columns(
            *told,
            label_order=LABELS[question],
            weights=None if weights is None else [weights[row] for row in rows.tolist()],
        ).without_labels(ABSTENTIONS[question])

    def without_labels(self, names: Collection[str]) -> VotesTable:
        """The same votes where these labels are abstentions: their rows are counted in `abstained`, the labels gone."""
        kept = [code for code, name in enumerate(self.label_names) if name not in names]
        if len(kept) == self.n_labels:
            return self
        recode = np.full(self.n_labels, -1, dtype=np.int32)
        recode[kept] = np.arange(len(kept), dtype=np.int32)
        labels = recode[self.labels] if len(self.labels) else self.labels
        passed = np.bincount(self.tasks[labels < 0], minlength=self.n_tasks).astype(np.int32)
        earlier = 0 if self.abstained is None else self.abstained
        names_left = tuple(self.label_names[code] for code in kept)
        table = replace(self, labels=labels, label_names=names_left, abstained=passed + earlier)
        return table.take(np.flatnonzero(labels >= 0), repeated=self.repeated)

    def without_repeats(self) -> VotesTable:
        """The same table with only the first vote of each worker on each task."""
        key = self.tasks.astype(np.int64) * max(self.n_workers, 1) + self.workers
        _, first = np.unique(key, return_index=True)
        dropped = len(key) - len(first)
        if not dropped:
            return self
        return self.take(np.sort(first), repeated=self.repeated + dropped)

    def with_labels(self, names: Iterable[str]) -> VotesTable:
        """The same votes with further labels that nobody has given, after the others, sorted."""
        return replace(self, label_names=(*self.label_names, *sorted(set(names) - set(self.label_names))))

    def take(self, rows: NDArray[Any], *, repeated: int = 0) -> VotesTable:
        """The votes at `rows` (positions or a mask); names and codes stay as they are."""
        return VotesTable(
            self.workers[rows],
            self.tasks[rows],
            self.labels[rows],
            self.worker_names,
            self.task_names,
            self.label_names,
            repeated,
            self.abstained,
            None if self.weights is None else self.weights[rows],
        )


def as_table(votes: VotesTable | pd.DataFrame) -> VotesTable:
    """The table itself, or `VotesTable.from_frame` of a DataFrame."""
    return votes if isinstance(votes, VotesTable) else VotesTable.from_frame(votes)


def _code(names: Sequence[str] | NDArray[Any]) -> tuple[Codes, tuple[str, ...]]:
    if len(names) < _MANY:  # the import alone would take longer
        position: dict[str, int] = {}
        codes = np.fromiter((position.setdefault(name, len(position)) for name in names), dtype=np.int32)
        return codes, tuple(map(str, position))
    import pandas as pd

    found, distinct = pd.factorize(np.asarray(names, dtype=object))
    return found.astype(np.int32), tuple(map(str, distinct))


def vote_counts(votes: VotesTable, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """How many votes, or what weight of votes, each task got for each label: float64 (tasks, labels)."""
    size = votes.n_tasks * votes.n_labels
    key = votes.tasks.astype(np.int64) * votes.n_labels + votes.labels
    return np.bincount(key, weights=weights, minlength=size).astype(np.float64).reshape(votes.n_tasks, votes.n_labels)


def shared_tasks(votes: VotesTable) -> bool:
    """Whether any task has two votes or more."""
    return bool(np.bincount(votes.tasks).max(initial=0) > 1)


def code_gold(votes: VotesTable, gold: Mapping[str, str] | None) -> Codes:
    """Known truth as label codes per task, -1 where nothing is known. Gold on tasks without a row is ignored.
    Names count as their text, as those of the table do.

    Raises VotesError for a label that the table does not have; `VotesTable.with_labels` adds it.
    """
    known = np.full(votes.n_tasks, -1, dtype=np.int32)
    if not gold:
        return known
    label_code = {name: code for code, name in enumerate(votes.label_names)}
    task_code = {name: code for code, name in enumerate(votes.task_names)}
    for task, label in ((str(task), str(label)) for task, label in gold.items()):
        if task not in task_code:
            continue
        if label not in label_code:
            shown = ", ".join(votes.label_names[:_SHOWN]) + (" …" if votes.n_labels > _SHOWN else "")
            raise VotesError(
                f"Gold says {label!r} for task {task!r}, but the labels are {shown}; correct the gold or add the label."
            )
        known[task_code[task]] = label_code[label]
    return known
