"""Signs that a worker is not looking: each flag carries its evidence and the votes behind it.

A flag is a reason to look, never a verdict: nothing here lowers a worker's weight or pay. Thresholds ask for an effect
that matters and for evidence that chance does not explain, both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, ndtr

from ..truth.models.copies import Pair
from .inputs import QuestionData

__all__ = ["Background", "Copies", "Flag", "flags_of"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_ENOUGH = 20
_CHANCE = 0.001


class Background(Protocol):
    """What flags compare a worker with: see `workers.Crowd`."""

    @property
    def others(self) -> NDArray[np.int32]: ...

    @property
    def median_seconds(self) -> float: ...

    @property
    def gold_error(self) -> float: ...


@dataclass(frozen=True, slots=True, eq=False)
class Flag:
    """What was noticed (`kind`), the evidence in a sentence, and the rows of the votes behind it."""

    kind: str
    evidence: str
    rows: Rows


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """The pairs that look like copies, strongest evidence first."""

    pairs: tuple[Pair, ...]

    def of(self, worker: int) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if worker in (pair.left, pair.right))


def flags_of(data: QuestionData, crowd: Background, rows: Rows, worker: int, copies: Copies) -> tuple[Flag, ...]:
    """All flags of one worker; `rows` are the worker's votes in the order of time."""
    others = crowd.others
    found = [
        _gold(data, crowd.gold_error, rows),
        _guessing(data, others, rows),
        _one_answer(data, others, rows),
        _straight_line(data, others, rows),
        _too_fast(data, crowd.median_seconds, rows),
        _fatigue(data, others, rows),
    ]
    return tuple(flag for flag in found if flag is not None) + _copies(data, copies, rows, worker)


def _gold(data: QuestionData, usual: float, rows: Rows) -> Flag | None:
    """More wrong than one in five, and more than the crowd usually is, can explain."""
    known = data.gold[data.votes.tasks[rows]]
    asked = known >= 0
    wrong = asked & (data.votes.labels[rows] != known)
    total, misses = int(asked.sum()), int(wrong.sum())
    if total < 4 or bdtrc(misses - 1, total, max(usual, 0.2)) > 0.01:
        return None
    return Flag("fails gold", f"{misses} of {total} {data.things} with a known answer are wrong.", rows[wrong])


def _guessing(data: QuestionData, others: NDArray[np.int32], rows: Rows) -> Flag | None:
    """Agreement with the others that the worker's and the others' habits alone would give."""
    comparable = rows[others[rows] >= 0]
    total = len(comparable)
    if total < _ENOUGH:
        return None
    mine, theirs = data.votes.labels[comparable], others[comparable]
    size = data.votes.n_labels
    chance = float((np.bincount(mine, minlength=size) / total) @ (np.bincount(theirs, minlength=size) / total))
    hits = int((mine == theirs).sum())
    if chance > 0.9 or bdtrc(hits - 1, total, chance) < 0.01:
        return None
    # Where most faces get one answer, a few dozen votes cannot tell a good worker from a blind one by chance alone.
    if hits / total > (1 + chance) / 2:
        return None
    return Flag(
        "guessing",
        f"Agrees with the other voters on {hits} of {total} {data.things}; answering blindly with the same habits "
        f"would give {chance * total:.0f}.",
        comparable[mine != theirs],
    )


def _one_answer(data: QuestionData, others: NDArray[np.int32], rows: Rows) -> Flag | None:
    comparable = rows[others[rows] >= 0]
    if len(comparable) < _ENOUGH:
        return None
    label = int(np.bincount(data.votes.labels[rows]).argmax())
    mine = float((data.votes.labels[rows] == label).mean())
    theirs = float((others[comparable] == label).mean())
    if mine < 0.97 or theirs > 0.85:
        return None
    name = data.votes.label_names[label]
    evidence = f"{mine:.0%} of the answers are “{name}”; the others say so of {theirs:.0%} of the same {data.things}."
    return Flag("one answer", evidence, comparable[others[comparable] != label])


def _straight_line(data: QuestionData, others: NDArray[np.int32], rows: Rows) -> Flag | None:
    """A run of one answer too long for the worker's own habits, during which the others kept saying something else."""
    labels = data.votes.labels[rows]
    if len(labels) < _ENOUGH or np.isnan(data.submitted[rows]).any():
        return None
    edges = np.flatnonzero(np.diff(labels)) + 1
    starts = np.concatenate([[0], edges])
    lengths = np.diff(np.concatenate([starts, [len(labels)]]))
    long = np.flatnonzero((lengths >= 12) & (lengths <= 0.97 * len(rows)))
    if not len(long):
        return None
    differ = (others[rows] >= 0) & (others[rows] != labels)
    contradicted = np.add.reduceat(differ, starts)[long]
    share = (np.bincount(labels, minlength=data.votes.n_labels) / len(labels))[labels[starts[long]]]
    by_habit = np.minimum(len(labels) * (1 - share) * share ** lengths[long].astype(float), 1.0)
    chance = np.maximum(bdtrc(contradicted - 1, lengths[long], 0.15) * len(long), by_habit)
    best = int(chance.argmin())
    if chance[best] > _CHANCE:
        return None
    start, length = int(starts[long[best]]), int(lengths[long[best]])
    name = data.votes.label_names[int(labels[start])]
    run = rows[start : start + length]
    evidence = (
        f"“{name}” {length} times in a row, while the others say otherwise of {int(contradicted[best])} "
        f"of these {data.things}."
    )
    return Flag("straight line", evidence, run[differ[start : start + length]])


def _too_fast(data: QuestionData, median_seconds: float, rows: Rows) -> Flag | None:
    timed = rows[~np.isnan(data.seconds[rows])]
    if len(timed) < _ENOUGH or not median_seconds > 0:
        return None
    mine = float(np.median(data.seconds[timed]))
    if mine > 0.35 * median_seconds:
        return None
    evidence = f"Half of the {data.things} took {mine:.1f} s or less; the crowd's median is {median_seconds:.1f} s."
    return Flag("too fast", evidence, timed[data.seconds[timed] <= mine])


def _fatigue(data: QuestionData, others: NDArray[np.int32], rows: Rows) -> Flag | None:
    """A drop of agreement from the first half to the second that chance does not explain."""
    comparable = rows[others[rows] >= 0]
    if len(comparable) < 2 * _ENOUGH or np.isnan(data.submitted[rows]).any():
        return None
    agree = data.votes.labels[comparable] == others[comparable]
    half = len(agree) // 2
    early, late = float(agree[:half].mean()), float(agree[half:].mean())
    pooled = float(agree.mean())
    spread = np.sqrt(max(pooled * (1 - pooled), 1e-9) * (1 / half + 1 / (len(agree) - half)))
    if early - late < 0.1 or ndtr(-(early - late) / spread) > _CHANCE:
        return None
    evidence = f"Agreement with the others fell from {early:.0%} in the first half to {late:.0%} in the second."
    return Flag("tiring", evidence, comparable[half:][~agree[half:]])


def _copies(data: QuestionData, copies: Copies, rows: Rows, worker: int) -> tuple[Flag, ...]:
    votes = data.votes
    flags = []
    for pair in copies.of(worker)[:3]:
        other = pair.right if pair.left == worker else pair.left
        theirs = np.full(votes.n_tasks, -1, dtype=np.int32)
        given = np.flatnonzero(votes.workers == other)
        theirs[votes.tasks[given]] = votes.labels[given]
        same = rows[theirs[votes.tasks[rows]] == votes.labels[rows]]
        evidence = (
            f"Shares {pair.shared} of {pair.odd} answers that differ from the crowd's with "
            f"{votes.worker_names[other]}; chance and hard {data.things} explain {pair.expected:.1f}."
        )
        flags.append(Flag("copy-like", evidence, same))
    return tuple(flags)
