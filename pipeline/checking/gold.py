"""Known faces, mixed unseen into ordinary pages: which faces they are, in which order they come, who answered what.

A face is known where a person has decided it, or where three workers or more have all said the same of it. An answer to
a known face is never a vote on it: it says something of the worker, nothing of the face. It is read anew from the
answers that are kept and the pages as they were planned, so that nothing is stored twice; and it says nothing of a
worker whose own vote is one of those by which the face became known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Literal

from ...curation.decide import AGREED, as_asked, by_person
from ...curation.types import ABSTENTIONS, LABELS, Face, FaceId, Question, Side, Vote, VoterKind, WorkerId

__all__ = ["KNOWN", "Known", "Source", "as_known", "in_turn", "known_labels"]

Source = Literal["agreed", "persons"]
Known = Mapping[tuple[FaceId, Question], str]
KNOWN = "known:"
"""Before a face's id where the task is to answer it although it is known."""
_MOST_AGAIN = 4
"""A face of the rarer kind comes at most so many times as often as one of the other."""
_NOBODY = WorkerId("")
_BAD = {Question.USABLE: "reject", Question.IDENTITY: "different"}


def known_labels(faces: Iterable[Face], votes: Iterable[Vote], source: Source) -> dict[tuple[FaceId, Question], str]:
    """(face, question) → the answer that is known, of counted votes. `persons`: only what a person decided."""
    side = {face.face_id: face.side for face in faces}
    cast: dict[tuple[FaceId, Question], list[Vote]] = defaultdict(list)
    for vote in votes:
        if vote.face_id in side:
            cast[vote.face_id, vote.question].append(as_asked(vote, side[vote.face_id]))
    found = {}
    for (face_id, question), said in cast.items():
        label = _settled(said, question, source)
        if label in LABELS[question] and label not in ABSTENTIONS[question]:
            found[face_id, question] = label
    return found


def _settled(said: Sequence[Vote], question: Question, source: Source) -> str:
    """The label that a person gave, else the one on which all agree; "" where there is none."""
    person = by_person(said)
    if person is not None:
        return person.label
    labels = {vote.label for vote in said}
    agreed = source == "agreed" and len(labels) == 1 and len({vote.worker_id for vote in said}) >= AGREED
    return labels.pop() if agreed else ""


def in_turn(faces: Sequence[Face], known: Known) -> dict[tuple[Side, Question], tuple[FaceId, ...]]:
    """The known faces of each side and question in the order in which pages take them: both kinds by turns, a face of
    the rarer kind at most four times. Who looks through the list learns nothing: the order follows from the ids."""
    kinds: dict[tuple[Side, Question], tuple[list[FaceId], list[FaceId]]] = defaultdict(lambda: ([], []))
    for face in faces:
        for question in Question:
            if (label := known.get((face.face_id, question))) is not None:
                kinds[face.side, question][label == _BAD[question]].append(face.face_id)
    return {key: _by_turns(sorted(good), sorted(bad)) for key, (good, bad) in kinds.items()}


def _by_turns(good: Sequence[FaceId], bad: Sequence[FaceId]) -> tuple[FaceId, ...]:
    rare, usual = sorted((good, bad), key=len)
    if rare:
        rare = list(rare) * min(_MOST_AGAIN, ceil(len(usual) / len(rare)))
    places = [
        ((place + 0.5) / len(part), part is rare, face) for part in (rare, usual) for place, face in enumerate(part)
    ]
    return tuple(face for _, _, face in sorted(places, key=lambda item: item[:2]))


def as_known(answers: Iterable[Vote], known: Known, votes: Iterable[Vote]) -> list[Vote]:
    """Answers to known faces as votes on tasks of their own (`KNOWN` + face), each worker's first, with a vote of kind
    gold for what is known; those left out whose face the worker had a vote in, or that is not known any more."""
    own = {(vote.worker_id, vote.face_id, vote.question) for vote in votes if vote.kind is VoterKind.WORKER}
    told: dict[tuple[str, FaceId, Question], Vote] = {}
    for answer in answers:
        key = (answer.worker_id, answer.face_id, answer.question)
        if key not in own and (answer.face_id, answer.question) in known:
            told.setdefault(key, answer)
    gold = {(answer.face_id, answer.question): answer for answer in told.values()}
    return [
        *(_renamed(answer) for answer in told.values()),
        *(_renamed(answer, known[pair]) for pair, answer in gold.items()),
    ]


def _renamed(answer: Vote, known: str | None = None) -> Vote:
    """The answer on its task's own name; with `known` the vote that says what is right."""
    face = FaceId(f"{KNOWN}{answer.face_id}")
    if known is None:
        return replace(answer, face_id=face)
    return replace(
        answer, face_id=face, label=known, reason=None, worker_id=_NOBODY, kind=VoterKind.GOLD, seconds=None, look=""
    )
