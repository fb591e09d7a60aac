"""Votes on one question as codes: who answered which face on which page, in which look, and how likely drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ...curation.learn.pull import Drawn
from ...curation.learn.voters import Answers
from ...curation.types import PageKind, Question, Vote, VoterKind
from ...curation.votes import Column, Votes
from .pulls import drawn_answer
from .sight import Sight

__all__ = ["BAD", "GOOD", "coded", "tested_on"]

GOOD = {Question.USABLE: "keep", Question.IDENTITY: "same"}
BAD = {Question.USABLE: "reject", Question.IDENTITY: "different"}


def tested_on(question: Question, known: Sequence[Vote]) -> dict[str, tuple[int, int]]:
    """Worker → right and wrong answers to known faces."""
    gold = {vote.face_id: vote.label for vote in known if vote.question is question and vote.kind is VoterKind.GOLD}
    told: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for vote in known:
        if (
            vote.question is question
            and vote.kind is VoterKind.WORKER
            and vote.label in (GOOD[question], BAD[question])
        ):
            told[vote.worker_id][vote.label != gold[vote.face_id]] += 1
    return {worker: (right, wrong) for worker, (right, wrong) in told.items()}


def coded(
    question: Question,
    sight: Sight,
    votes: Sequence[Vote],
    shown: Mapping[str, tuple[int, int]] = MappingProxyType({}),
    drawn: Drawn | None = None,
) -> Answers:
    """The votes as codes: a page is one worker's assignment, a group answered at once is one look, and so are
    all that were confirmed together as the rest; persons and gold settle a face. `drawn` is what groups draw to."""
    cast = Votes.of(votes)
    by_worker = cast.where(kind=VoterKind.WORKER)
    place = {face: number for number, face in enumerate(sight.faces)}
    known = np.full(len(sight.faces), np.nan)
    for vote in cast.at(~by_worker):
        known[place[vote.face_id]] = float(vote.label == GOOD[question])
    told = cast.at(by_worker)
    face, worker, page, look, label = told.only("face_id", "worker_id", "assignment_id", "look", "label")
    names = tuple(sorted({str(worker.names[code]) for code in np.unique(worker.codes).tolist()}))
    tests = np.array([shown.get(name, (0, 0)) for name in names], dtype=np.float64).reshape(-1, 2) if shown else None
    return Answers(
        face.number(place),
        worker.number({name: number for number, name in enumerate(names)}),
        _in_turn(page.distinct()[0]),
        label.where(lambda said: said == GOOD[question]),
        known,
        names,
        _looks(page, look),
        tests,
        look.where(lambda name: name.startswith(f"{PageKind.FIND}:")),
        None if drawn is None else np.array([drawn_answer(vote, drawn) for vote in told]),
    )


def _looks(page: Column, look: Column) -> NDArray[np.intp]:
    """The same number for what was answered at once, -1 for a face by itself."""
    at_once = look.where(lambda name: name.rpartition(":")[2] not in ("", "face"))
    (pages, _), (looks, most) = page.distinct(), look.distinct()
    found = np.full(len(at_once), -1, dtype=np.intp)
    found[at_once] = _in_turn((pages * most + looks)[at_once])
    return found


def _in_turn(codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """The same distinctions, numbered from 0 in the order in which they come."""
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.intp)
    number[np.argsort(first)] = np.arange(len(first))
    return np.asarray(number[place.reshape(-1)])
