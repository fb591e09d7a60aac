"""Votes on one question as codes: who answered which face on which page, in which look, and how likely drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from ...curation.learn.pull import Drawn
from ...curation.learn.voters import Answers
from ...curation.types import PageKind, Question, Vote, VoterKind
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
    place = {face: number for number, face in enumerate(sight.faces)}
    workers = sorted({vote.worker_id for vote in votes if vote.kind is VoterKind.WORKER})
    code = {worker: number for number, worker in enumerate(workers)}
    pages: dict[str, int] = {}
    known = np.full(len(sight.faces), np.nan)
    looks: dict[tuple[str, str], int] = {}
    rows = []
    for vote in votes:
        good = vote.label == GOOD[question]
        if vote.kind is not VoterKind.WORKER:
            known[place[vote.face_id]] = float(good)
            continue
        page = pages.setdefault(vote.assignment_id, len(pages))
        at_once = vote.look.rpartition(":")[2] not in ("", "face")
        look = looks.setdefault((vote.assignment_id, vote.look), len(looks)) if at_once else -1
        sought = vote.look.startswith(f"{PageKind.FIND}:")
        rows.append((place[vote.face_id], code[vote.worker_id], page, int(good), look, int(sought)))
    table = np.array(rows, dtype=np.intp).reshape(-1, 6)
    names = tuple(map(str, workers))
    tests = np.array([shown.get(name, (0, 0)) for name in names], dtype=np.float64).reshape(-1, 2) if shown else None
    chances = [drawn_answer(vote, drawn) for vote in votes if vote.kind is VoterKind.WORKER]
    columns = table[:, 0], table[:, 1], table[:, 2], table[:, 3] > 0
    return Answers(
        *columns, known, names, table[:, 4], tests, table[:, 5] > 0, None if drawn is None else np.array(chances)
    )
