"""Votes → what each moment and frame of a film is worth. Pure functions of values.

Two questions in one answer: whether the swap holds, inferred from all votes with what each worker is worth; and what is
wrong, which the votes that saw a fault say between them. A tie stays a tie.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...curation.truth import DECIDE_AT, Truth, VotesTable, aggregate
from ..workspace.judged import Moment, SwapVote
from .verdicts import CANNOT_TELL, FINE, MARKED

__all__ = ["Judged", "joined", "judge", "left_ranges", "majority_mask", "truth_of", "verdict_counts"]

BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a moment amounts to.

    `status` is "fine", "broken", "disputed" (asked, not decided), or "unasked". `fault` names what is wrong, several
    joined by "/" where as many said so. `chance` is that of its not holding; `votes` are opinions, `asked` counts those
    who could not tell too. `by_person` where a person decided it.
    """

    moment: Moment
    status: str
    fault: str
    chance: float
    votes: int
    asked: int
    by_person: bool = False


def judge(moments: Sequence[Moment], votes: Sequence[SwapVote], method: str = "auto") -> list[Judged]:
    """Every moment with what the votes so far make of it. A person's word stands over the crowd's, the last one."""
    said = [vote for vote in votes if vote.label != MARKED]
    person = {vote.moment: vote.label for vote in said if vote.kind == "person" and vote.label != CANNOT_TELL}
    truth = truth_of(said, method)
    chances = _chances(truth)
    return [_judged(moment, [v for v in said if v.moment == moment.number], chances, person) for moment in moments]


def truth_of(votes: Sequence[SwapVote], method: str = "auto") -> Truth:
    """Whether each moment holds: truth inference on workers' votes, fine against every fault."""
    rows = [
        (vote.worker_id, str(vote.moment), FINE if vote.label == FINE else BROKEN)
        for vote in votes
        if vote.kind == "worker" and vote.label not in (CANNOT_TELL, MARKED)
    ]
    return aggregate(VotesTable.from_rows(rows, labels=(FINE, BROKEN)), method=method)


def _chances(truth: Truth) -> dict[int, float]:
    return {int(name): float(truth.posterior[place, 1]) for place, name in enumerate(truth.votes.task_names)}


def _judged(moment: Moment, votes: Sequence[SwapVote], chances: dict[int, float], person: dict[int, str]) -> Judged:
    opinions = [vote for vote in votes if vote.label != CANNOT_TELL]
    asked = len({vote.worker_id for vote in votes})
    if (word := person.get(moment.number)) is not None:
        fault = "" if word == FINE else word
        return Judged(moment, "broken" if fault else "fine", fault, float(bool(fault)), len(opinions), asked, True)
    if not votes:
        return Judged(moment, "unasked", "", float("nan"), 0, 0)
    chance = chances.get(moment.number, float("nan"))
    if 2 * sum(vote.label == FINE for vote in opinions) == len(opinions):
        status = "disputed"  # whatever a few workers' records make of it: a tie is a label
    elif chance >= DECIDE_AT:
        status = "broken"
    else:
        status = "fine" if chance <= 1 - DECIDE_AT else "disputed"
    fault = _fault(opinions) if status != "fine" else ""
    return Judged(moment, status, fault, chance, len(opinions), asked)


def _fault(votes: Sequence[SwapVote]) -> str:
    counts = Counter(vote.label for vote in votes if vote.label != FINE)
    most = max(counts.values(), default=0)
    return "/".join(sorted(name for name, count in counts.items() if count == most))


def verdict_counts(judged: Sequence[Judged]) -> dict[str, int]:
    """Frames by status."""
    counts: Counter[str] = Counter()
    for item in judged:
        counts[item.status] += item.moment.frames
    return dict(counts)


def left_ranges(judged: Sequence[Judged]) -> list[tuple[int, int]]:
    """The frames that keep their own pixels: what does not hold or is in dispute, and what the measures suspect and
    nobody looked at. Joined where they touch."""
    wanted = [
        (item.moment.first, item.moment.last)
        for item in judged
        if item.status in ("broken", "disputed") or (item.status == "unasked" and item.moment.why)
    ]
    return joined(wanted)


def joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, those that touch or overlap as one."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def majority_mask(masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """bool (n, n): the cells that more than half of the marks cover; a tie is not covered."""
    return np.asarray(np.mean(np.stack(masks), axis=0) > 0.5)
