"""Ask: which faces need an answer now, by whom, and how they are laid out on pages. Pure planning; nothing is sent.

A face is asked a question when it has no votes on it (round 1), or when its votes do not settle it (a later round, by
other workers). Identity is asked of faces that the questions before it approved. A face waits while a page with it is
open. After `max_votes` a person decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from math import ceil

from curation.types import Decision, Face, FaceId, Question, Side, Status, Vote, VoterKind
from pipeline.settings import AskSettings

__all__ = ["BatchPlan", "Need", "PageLayout", "find_needs", "lay_out", "page_reward"]


@dataclass(frozen=True, slots=True)
class Need:
    """Faces that need one question answered by `votes` more workers, none of `excluded`."""

    side: Side
    question: Question
    round: int
    votes: int
    excluded: frozenset[str]
    faces: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class PageLayout:
    """The faces of one HIT in the order of its grid; `gold` are those whose answer is known already."""

    faces: tuple[FaceId, ...]
    gold: frozenset[FaceId]


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """One batch before it is frozen: who is asked what, on which pages, for what pay."""

    need: Need
    pages: tuple[PageLayout, ...]
    reward: Decimal
    seconds: int


def find_needs(
    faces: Sequence[Face],
    votes: Sequence[Vote],
    decisions: Sequence[Decision],
    *,
    asked: Mapping[Side, Sequence[Question]],
    waiting: Collection[tuple[FaceId, Question]],
    settings: AskSettings,
    again: Mapping[tuple[FaceId, Question], int] | None = None,
) -> tuple[list[Need], list[tuple[FaceId, Question]]]:
    """What to ask now, and which (face, question) pairs have reached `max_votes` undecided and need a person.

    `waiting` are pairs on open pages. `again` names settled pairs that should get so many more votes all the same
    (adaptive redundancy, audit).
    """
    voters: dict[tuple[FaceId, Question], list[Vote]] = defaultdict(list)
    persons: set[tuple[FaceId, Question]] = set()
    for vote in votes:
        if vote.kind is VoterKind.WORKER:
            voters[vote.face_id, vote.question].append(vote)
        else:
            persons.add((vote.face_id, vote.question))
    verdicts = {(item.face_id, item.question): item for item in decisions if item.question is not None}
    groups: dict[tuple[Side, Question, int, int, frozenset[str]], list[Face]] = defaultdict(list)
    stuck = []
    for face in faces:
        question = _next_question(face, asked[face.side], verdicts, again or {})
        if question is None or (face.face_id, question) in waiting or (face.face_id, question) in persons:
            continue
        cast = voters[face.face_id, question]
        wanted = settings.votes if not cast else (again or {}).get((face.face_id, question), _more(cast, settings))
        if wanted <= 0:
            stuck.append((face.face_id, question))
            continue
        round_ = max((vote.round for vote in cast), default=0) + 1
        excluded = frozenset(vote.worker_id for vote in cast)
        groups[face.side, question, round_, wanted, excluded].append(face)
    needs = [
        Need(side, question, round_, wanted, excluded, tuple(members))
        for (side, question, round_, wanted, excluded), members in groups.items()
    ]
    order = list(Question)
    needs.sort(key=lambda need: (need.side, order.index(need.question), need.round, sorted(need.excluded)))
    return needs, stuck


def _next_question(
    face: Face,
    questions: Sequence[Question],
    verdicts: Mapping[tuple[FaceId, Question], Decision],
    again: Mapping[tuple[FaceId, Question], int],
) -> Question | None:
    """The first question of the side that the face has no settled answer to; None after a rejection or at the end."""
    for question in questions:
        verdict = verdicts.get((face.face_id, question))
        if verdict is None or verdict.status in (Status.DISPUTED, Status.UNDECIDED):
            return question
        if (face.face_id, question) in again:
            return question
        if verdict.status is Status.REJECTED:
            return None
    return None


def _more(cast: Sequence[Vote], settings: AskSettings) -> int:
    """How many more votes a face gets that its votes do not settle: two, so that a majority can be lost and won,
    within `max_votes`; an odd total where that is possible."""
    room = settings.max_votes - len(cast)
    more = 2 if len(cast) % 2 else 1
    return min(more, room)


def lay_out(need: Need, settings: AskSettings, *, order: Mapping[FaceId, float], gold: Sequence[FaceId]) -> BatchPlan:
    """Pages of at most `faces_per_hit` faces, evenly filled, in the order given (unknown faces by frame).

    `gold` faces are mixed in, `gold_per_hit` to a page, spread over the page by a rule that a worker cannot see.
    """
    faces = sorted(need.faces, key=lambda face: (order.get(face.face_id, 0.0), face.source, face.source_name))
    per_page = max(1, settings.faces_per_hit - settings.gold_per_hit)
    count = ceil(len(faces) / per_page)
    pages = []
    for number in range(count):
        members = [face.face_id for face in faces[number * len(faces) // count : (number + 1) * len(faces) // count]]
        known = [item for item in gold if item not in members]
        start = number * settings.gold_per_hit
        extra = [known[(start + step) % len(known)] for step in range(min(settings.gold_per_hit, len(known)))]
        for step, item in enumerate(dict.fromkeys(extra)):
            # The place follows from the face's id: stable across runs, and no pattern from page to page.
            members.insert((int(item[:8], 16) + step) % (len(members) + 1), item)
        pages.append(PageLayout(tuple(members), frozenset(extra)))
    largest = max(len(page.faces) for page in pages)
    return BatchPlan(need, tuple(pages), page_reward(largest, settings), int(settings.seconds_per_face * largest) or 1)


def page_reward(faces: int, settings: AskSettings) -> Decimal:
    """The pay of a page: `reward` for a full one, in proportion for smaller ones, rounded up to the cent."""
    share = settings.reward * Decimal(faces) / Decimal(settings.faces_per_hit)
    return max(Decimal("0.01"), min(settings.reward, share).quantize(Decimal("0.01"), rounding=ROUND_UP))
