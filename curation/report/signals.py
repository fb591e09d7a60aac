"""Signs that a worker is not looking: each flag carries its evidence and the votes behind it.

A flag is a reason to look, never a verdict: nothing here lowers a worker's weight or pay. Thresholds ask for an effect
that matters and for evidence that chance does not explain, both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, betaincinv, ndtr

from ..truth.models.copies import Pair
from .inputs import QuestionData
from .leave_one_out import Skills

__all__ = ["ENOUGH_GOLD", "Background", "Copies", "Flag", "Told", "flags_of"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

ENOUGH_GOLD = 10
"""So many votes on known answers speak for themselves."""
_ENOUGH = 20
_FEW_ODD, _NEARLY = 5, 0.05
_FEW_PAGES, _PAGES, _FULL_PAGE = 3, 6, 60
_CHANCE = 0.001
_BLIND = 1 / 3
"""Who is worth less than this, and than half of the crowd, on a scale where blind answers are 0 and right ones 1."""
_SURE = 0.99


class Told(StrEnum):
    """What the answers show: that they follow what is to be seen, that they do not, or too little to tell."""

    FOLLOWS = "follows the others"
    TOO_FEW = "too few to tell"
    BLIND = "guessing"


class Background(Protocol):
    """What flags compare a worker with: see `workers.Crowd`."""

    @property
    def others(self) -> NDArray[np.int32]: ...

    @property
    def backing(self) -> NDArray[np.int64]: ...

    @property
    def reference(self) -> NDArray[np.int32]: ...

    @property
    def proof(self) -> NDArray[np.int32]: ...

    @property
    def skills(self) -> Skills | None: ...

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


def flags_of(
    data: QuestionData, crowd: Background, rows: Rows, worker: int, copies: Copies
) -> tuple[tuple[Flag, ...], Told]:
    """All flags of one worker, and what the answers show; `rows` are the worker's votes in the order of time."""
    told = _told(data, crowd, rows, worker)
    found = [
        _gold(data, crowd.gold_error, rows),
        _guessing(data, crowd.proof, rows) if told is Told.BLIND else None,
        _one_answer(data, crowd.proof, rows),
        _straight_line(data, crowd.reference, rows),
        _too_fast(data, crowd, rows),
        _fatigue(data, crowd, rows),
    ]
    return tuple(flag for flag in found if flag is not None) + _copies(data, crowd.others, copies, rows, worker), told


def _gold(data: QuestionData, usual: float, rows: Rows) -> Flag | None:
    """More wrong than one in five, and more than the crowd usually is, can explain."""
    known = data.gold[data.votes.tasks[rows]]
    asked = known >= 0
    wrong = asked & (data.votes.labels[rows] != known)
    total, misses = int(asked.sum()), int(wrong.sum())
    if total < 4 or bdtrc(misses - 1, total, max(usual, 0.2)) > 0.01:
        return None
    return Flag("fails gold", f"{misses} of {total} {data.things} with a known answer are wrong.", rows[wrong])


def _told(data: QuestionData, crowd: Background, rows: Rows, worker: int) -> Told:
    """Whether answers depend on what is to be seen. The burden lies on the flag: at their best (99 %) they must tell
    less than a third of what right ones do, and less than half of what the crowd's do."""
    if _pages(data, rows) < _FEW_PAGES:
        return Told.TOO_FEW
    skills = crowd.skills
    if skills is None or np.isnan(skills.informed[worker]):
        return _told_by_agreement(data, crowd.proof, rows)
    least, most = float(skills.least[worker]), float(skills.most[worker])
    if most < min(_BLIND, skills.crowd_informed / 2):
        return Told.BLIND
    return Told.FOLLOWS if least > 0 else Told.TOO_FEW


def _pages(data: QuestionData, rows: Rows) -> float:
    """On how many pages these votes were given, by their times; infinite where these do not tell."""
    sent = data.submitted[rows]
    count = len(np.unique(sent))
    return float("inf") if np.isnan(sent).any() or len(rows) > _FULL_PAGE * count else count


def _told_by_agreement(data: QuestionData, reference: NDArray[np.int32], rows: Rows) -> Told:
    """The same with many labels, or where all but one are too rare: agreement beyond what the worker's and the others'
    habits alone would give. Where these give nothing but agreement, nothing follows."""
    comparable = np.flatnonzero(reference >= 0)
    mine = rows[reference[rows] >= 0]
    if len(mine) < _ENOUGH:
        return Told.TOO_FEW
    chance = _by_habit(data, reference, mine)
    if chance >= 1:
        return Told.TOO_FEW
    everybody = float((data.votes.labels[comparable] == reference[comparable]).mean())
    hits, total = int((data.votes.labels[mine] == reference[mine]).sum()), len(mine)
    least, most = betaincinv(hits + 1, total - hits + 1, [1 - _SURE, _SURE])
    usual = max((everybody - chance) / max(1 - chance, 1e-9), 0.0)
    if most < chance + (1 - chance) * min(_BLIND, usual / 2):
        return Told.BLIND
    return Told.FOLLOWS if least > chance else Told.TOO_FEW


def _by_habit(data: QuestionData, reference: NDArray[np.int32], rows: Rows) -> float:
    """The chance that answers drawn blindly by the worker's habits are what the reference says."""
    size = data.votes.n_labels
    mine, theirs = (np.bincount(labels[rows], minlength=size) / len(rows) for labels in (data.votes.labels, reference))
    return float(mine @ theirs)


def _guessing(data: QuestionData, reference: NDArray[np.int32], rows: Rows) -> Flag | None:
    comparable = rows[reference[rows] >= 0]
    if not len(comparable):
        return None
    right = data.votes.labels[comparable] == reference[comparable]
    said = "what is known" if bool((data.gold[data.votes.tasks[comparable]] >= 0).all()) else "the other voters"
    total, blind = len(comparable), _by_habit(data, reference, comparable) * len(comparable)
    evidence = (
        f"Agrees with {said} on {int(right.sum())} of {total} {data.things}; answering blindly with the same habits "
        f"would give {blind:.0f}."
    )
    given = np.unique(data.votes.labels[rows])
    if len(given) == 1:
        evidence = f"Says “{data.votes.label_names[given[0]]}” of every one. {evidence}"
    return Flag("guessing", evidence, comparable[~right])


def _one_answer(data: QuestionData, reference: NDArray[np.int32], rows: Rows) -> Flag | None:
    comparable = rows[reference[rows] >= 0]
    known = bool((data.gold[data.votes.tasks[comparable]] >= 0).all())
    if len(rows) < _ENOUGH or len(comparable) < (ENOUGH_GOLD if known else _ENOUGH):
        return None
    label = int(np.bincount(data.votes.labels[rows]).argmax())
    mine = float((data.votes.labels[rows] == label).mean())
    theirs = float((reference[comparable] == label).mean())
    if mine < 0.97 or theirs > 0.85:
        return None
    name = data.votes.label_names[label]
    others = f"so it is for {theirs:.0%} of the known" if known else f"the others say so of {theirs:.0%} of the same"
    evidence = f"{mine:.0%} of the answers are “{name}”; {others} {data.things}."
    return Flag("one answer", evidence, comparable[reference[comparable] != label])


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


def _too_fast(data: QuestionData, crowd: Background, rows: Rows) -> Flag | None:
    """A third of the usual time, and not as right as others are: to be quick is no fault."""
    timed = rows[~np.isnan(data.seconds[rows])]
    # A page's time, shared among its faces, is one measurement.
    if len(timed) < _ENOUGH or not crowd.median_seconds > 0 or _pages(data, timed) < _PAGES:
        return None
    mine = float(np.median(data.seconds[timed]))
    if mine > 0.35 * crowd.median_seconds or _as_right(data, crowd.reference, rows):
        return None
    usual = f"the crowd's median is {crowd.median_seconds:.1f} s"
    evidence = f"Half of the {data.things} took {mine:.1f} s or less; {usual}."
    return Flag("too fast", evidence, timed[data.seconds[timed] <= mine])


def _as_right(data: QuestionData, reference: NDArray[np.int32], rows: Rows) -> bool:
    """Whether the worker agrees with what is known or said by the others nearly as often as all do."""
    agree = (data.votes.labels == reference)[reference >= 0]
    mine = (data.votes.labels == reference)[rows][reference[rows] >= 0]
    return bool(len(mine) >= _ENOUGH and mine.mean() >= agree.mean() - _NEARLY)


def _fatigue(data: QuestionData, crowd: Background, rows: Rows) -> Flag | None:
    """A drop of agreement from the first half to the second that chance does not explain. One other voter alone proves
    nothing: who met somebody careless late would look tired."""
    others = crowd.reference
    sure = (crowd.backing[rows] >= 2) | (data.gold[data.votes.tasks[rows]] >= 0)
    comparable = rows[(others[rows] >= 0) & sure]
    if len(comparable) < 2 * _ENOUGH or np.isnan(data.submitted[rows]).any():
        return None
    pages = _pages(data, comparable)
    if pages < _PAGES:
        return None
    agree = data.votes.labels[comparable] == others[comparable]
    half = len(agree) // 2
    early, late = float(agree[:half].mean()), float(agree[half:].mean())
    pooled = float(agree.mean())
    # Faces of a page go together: some pages are hard.
    clumped = 2.0 if 2 * pages < len(comparable) else 1.0
    spread = np.sqrt(clumped * max(pooled * (1 - pooled), 1e-9) * (1 / half + 1 / (len(agree) - half)))
    if early - late < 0.1 or ndtr(-(early - late) / spread) > _CHANCE:
        return None
    evidence = f"Agreement with the others fell from {early:.0%} in the first half to {late:.0%} in the second."
    return Flag("tiring", evidence, comparable[half:][~agree[half:]])


def _copies(data: QuestionData, others: NDArray[np.int32], copies: Copies, rows: Rows, worker: int) -> tuple[Flag, ...]:
    votes = data.votes
    flags = []
    for pair in copies.of(worker)[:3]:
        other = pair.right if pair.left == worker else pair.left
        theirs = np.full(votes.n_tasks, -1, dtype=np.int32)
        given = np.flatnonzero(votes.workers == other)
        theirs[votes.tasks[given]] = votes.labels[given]
        same = rows[theirs[votes.tasks[rows]] == votes.labels[rows]]
        if _mostly_right(data, same[others[same] != votes.labels[same]]):
            continue
        evidence = (
            f"Shares {pair.shared} of {pair.odd} answers that differ from the crowd's with "
            f"{votes.worker_names[other]}; chance and hard {data.things} explain {pair.expected:.1f}."
        )
        flags.append(Flag("copy-like", evidence, same))
    return tuple(flags)


def _mostly_right(data: QuestionData, odd: Rows) -> bool:
    """Whether gold, where it speaks of the odd answers that two share, mostly bears them out."""
    gold = data.gold[data.votes.tasks[odd]]
    known = gold >= 0
    right = int((gold == data.votes.labels[odd])[known].sum())
    return int(known.sum()) >= _FEW_ODD and 2 * right > int(known.sum())
