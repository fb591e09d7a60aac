"""Votes, gold and decisions as CSV files: `worker,task,label` in, `task,label,posterior,votes,status` out."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import VotesError
from ..files import write_atomic
from .result import Truth
from .tables import read_table
from .votes import VotesTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["VotesFile", "read_gold", "read_votes", "write_decisions"]

Floats = NDArray[np.float64]
_REQUIRED = ("worker", "task", "label")
_SECONDS = ("seconds", "WorkTimeInSeconds")
_SUBMITTED = ("submitted_at", "SubmitTime")
_ZONES = {"PST": "-0800", "PDT": "-0700", "UTC": "+0000", "GMT": "+0000"}
"""MTurk's results give times as `Wed Mar 04 13:03:14 PST 2020`."""
_MANY_ONCE = 20


@dataclass(frozen=True, slots=True, eq=False)
class VotesFile:
    """What a file held: the votes, their `seconds` and `submitted` times (epoch seconds; NaN where unknown).

    `notes` explains every row or column that was left out, with counts, in sentences.
    """

    votes: VotesTable
    seconds: Floats
    submitted: Floats
    notes: tuple[str, ...] = field(default=())


def read_votes(path: Path, columns: Mapping[str, str] | None = None) -> VotesFile:
    """Read a votes file. `columns` maps worker, task and label to the file's own column names.

    Rows with an empty worker, task or label, with more cells than the header, and later votes of a worker on the same
    task, are left out and counted. Raises VotesError when the file has no such columns or no usable row.
    """
    import pandas as pd

    named = {role: (columns or {}).get(role, role) for role in _REQUIRED}
    if len(set(named.values())) < len(named):
        raise VotesError(f"Worker, task and label need three columns of {path}, not {', '.join(named.values())}.")
    table = read_table(path, list(named.values()), (*_SECONDS, *_SUBMITTED, "question"), remedy=_name_them)
    notes = list(table.notes)
    unknown = [name for name in table.header if name and name not in {*named.values(), *_SECONDS, *_SUBMITTED}]
    if unknown:
        notes.append(
            f"{len(unknown)} unknown column{'' if len(unknown) == 1 else 's'} ignored: {', '.join(unknown[:8])}"
            f"{' …' if len(unknown) > 8 else ''}."
        )
    frame = pd.DataFrame(table.columns, index=table.lines, dtype=object)
    _refuse_two_questions(path, frame, named)
    cells = frame[[named[role] for role in _REQUIRED]].set_axis(list(_REQUIRED), axis=1)
    for role in _REQUIRED:
        empty = (cells[role] == "") & (cells[list(_REQUIRED[: _REQUIRED.index(role)])] != "").all(axis=1)
        if empty.any():
            notes.append(f"{_number(empty, 'row')} left out: no {role} (first in line {empty.idxmax()}).")
    whole = (cells != "").all(axis=1)
    twice = cells[whole].duplicated(["worker", "task"])
    if twice.any():
        other = cells[whole].duplicated(["worker", "task"]) & ~cells[whole].duplicated(list(_REQUIRED))
        notes.append(
            f"{_number(twice, 'row')} left out: the worker had voted on the task before; the first vote counts "
            f"({int(other.sum())} of them with another label; first in line {twice.idxmax()})."
        )
    kept = cells[whole][~twice]
    if kept.empty:
        raise VotesError(f"{path} holds no usable vote; it needs rows of {', '.join(named.values())}.")
    votes = VotesTable.from_columns(kept["worker"].to_numpy(), kept["task"].to_numpy(), kept["label"].to_numpy())
    if votes.n_labels == 1:
        only = votes.label_names[0]
        notes.append(f"every vote says {only!r}: nothing contradicts it, and no error can be estimated from that.")
    once = int((np.bincount(votes.labels, minlength=votes.n_labels) == 1).sum())
    if once >= _MANY_ONCE and 2 * once > votes.n_labels:
        notes.append(
            f"{once:,} of {votes.n_labels:,} labels were given once only. If people typed them, sort them into a few "
            "labels first: nobody agrees with a label of one's own."
        )
    return VotesFile(votes, _seconds(frame, kept.index), _times(frame, kept.index), tuple(notes))


def _name_them(header: Sequence[str]) -> str:
    """What to do about a file without the columns worker, task and label."""
    if {"WorkerId", "HITId"} <= set(header):
        answers = [name for name in header if name.startswith("Answer.")]
        label = shlex.quote(answers[0]) if len(answers) == 1 else "Answer.NAME"
        return (
            "These look like MTurk's results of a batch: add "
            f"--worker-column WorkerId --task-column HITId --label-column {label}"
        )
    return "Rename its columns or name them with --worker-column, --task-column, --label-column."


def _refuse_two_questions(path: Path, frame: pd.DataFrame, named: Mapping[str, str]) -> None:
    """Raise VotesError where the column `question` says that a task was asked two things: no label fits both."""
    if "question" not in frame.columns or "question" in named.values():
        return
    if frame[[named["task"], "question"]].drop_duplicates()[named["task"]].duplicated().any():
        raise VotesError(
            f"{path} holds votes on several questions about the same {named['task']}. Give the votes on one: "
            "`galloway report` writes them as reports/votes-QUESTION.csv."
        )


def read_gold(path: Path) -> dict[str, str]:
    """Task → known label, from a file with the columns task and label. A task with two labels is an error."""
    table = read_table(path, ("task", "label"), remedy=lambda _: "Known answers need the columns task and label.")
    gold: dict[str, str] = {}
    for line, task, label in zip(table.lines, table.columns["task"], table.columns["label"], strict=True):
        if not task or not label:
            continue
        if gold.setdefault(task, label) != label:
            raise VotesError(f"{path}, line {line}: task {task!r} has two known labels; keep one of them.")
    return gold


def write_decisions(path: Path, truth: Truth) -> None:
    """Write `task,label,posterior,votes,status`, one line per task in the order of the votes file; a tie has no label.

    Written beside `path` and renamed over it.
    """
    frame = truth.to_frame()
    frame["posterior"] = np.round(truth.confidence, 6)
    write_atomic(path, frame.to_csv(index=False))


def _number(mask: pd.Series, thing: str) -> str:
    count = int(mask.sum())
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _seconds(frame: pd.DataFrame, rows: pd.Index) -> Floats:
    import pandas as pd

    column = next((name for name in _SECONDS if name in frame.columns), None)
    if column is None:
        return np.full(len(rows), np.nan)
    return np.asarray(pd.to_numeric(frame.loc[rows, column], errors="coerce"), dtype=np.float64)


def _times(frame: pd.DataFrame, rows: pd.Index) -> Floats:
    import pandas as pd

    column = next((name for name in _SUBMITTED if name in frame.columns), None)
    if column is None:
        return np.full(len(rows), np.nan)
    written = frame.loc[rows, column]
    times = pd.to_datetime(written, errors="coerce", utc=True, format="ISO8601")
    if times.isna().all():
        zoned = written.replace({rf"\b{name}\b": offset for name, offset in _ZONES.items()}, regex=True)
        times = pd.to_datetime(zoned, errors="coerce", utc=True, format="%a %b %d %H:%M:%S %z %Y")
    stamps = (times - pd.Timestamp("1970-01-01", tz="UTC")) / pd.Timedelta(seconds=1)
    return np.asarray(stamps, dtype=np.float64)
