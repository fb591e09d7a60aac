"""Ask: which faces need an answer now, by whom, and how they are laid out on pages. Pure planning; nothing is sent.

A face is asked a question when it has no votes on it (round 1), or when its votes do not settle it (a later round, by
other workers). Identity is asked of faces that the questions before it approved. A question waits while a page with it
is open; the next question need not, where the votes so far approve the face: nobody may be left to answer that page.
After `max_votes` a person decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from math import ceil

from ...curation.types import Decision, Face, FaceId, Question, Side, Status, Vote, VoterKind
from ..workspace.settings import AskSettings

__all__ = ["NO_ADVICE", "Advice", "BatchPlan", "Need", "PageLayout", "Pairs", "find_needs", "lay_out", "page_reward"]

Pairs = frozenset[tuple[FaceId, Question]]


@dataclass(frozen=True, slots=True)
class Advice:
    """What truth inference says of the next round.

    Pairs worth `ask`ing although they may look settled, pairs `deferred` to a later round, settled pairs to `audit`,
    and pairs that more votes will not settle and a `person` should. `lines` tell cost and error for people.
    """

    ask: Pairs = frozenset()
    deferred: Pairs = frozenset()
    audit: Pairs = frozenset()
    person: Pairs = frozenset()
    lines: tuple[str, ...] = ()


NO_ADVICE = Advice()


@dataclass(frozen=True, slots=True)
class Need:
    """Faces that need one question answered by `votes` more workers, none of `excluded`.

    `audit`: the faces are settled and are asked once more to test what the posteriors promise.
    """

    side: Side
    question: Question
    round: int
    votes: int
    excluded: frozenset[str]
    faces: tuple[Face, ...]
    audit: bool = False


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
    advice: Advice = NO_ADVICE,
) -> tuple[list[Need], list[tuple[FaceId, Question]]]:
    """What to ask now, and which (face, question) pairs have reached `max_votes` unsettled and need a person.

    `waiting` are pairs on open pages. `advice` says where another vote pays although the votes settle the face, where
    it must wait for money, and which settled faces are audited.
    """
    voters: dict[tuple[FaceId, Question], list[Vote]] = defaultdict(list)
    persons: set[tuple[FaceId, Question]] = set()
    for vote in votes:
        if vote.kind is VoterKind.WORKER:
            voters[vote.face_id, vote.question].append(vote)
        else:
            persons.add((vote.face_id, vote.question))
    verdicts = {(item.face_id, item.question): item for item in decisions if item.question is not None}
    groups: dict[tuple[Side, Question, int, int, frozenset[str], bool], list[Face]] = defaultdict(list)
    stuck = []
    for face in faces:
        for question, audit in _questions_now(face, asked[face.side], verdicts, advice):
            pair = (face.face_id, question)
            if pair in waiting or pair in persons or pair in advice.deferred:
                continue
            if pair in advice.person:
                stuck.append(pair)
                continue
            cast = voters[pair]
            wanted = 1 if audit else _wanted(cast, settings, stepwise=pair in advice.ask)
            if wanted <= 0:
                stuck.append(pair)
                continue
            round_ = max((vote.round for vote in cast), default=0) + 1
            excluded = frozenset(vote.worker_id for vote in cast)
            groups[face.side, question, round_, wanted, excluded, audit].append(face)
    needs = [
        Need(side, question, round_, wanted, excluded, tuple(members), audit)
        for (side, question, round_, wanted, excluded, audit), members in groups.items()
    ]
    order = list(Question)
    needs.sort(key=lambda need: (need.audit, need.side, order.index(need.question), need.round, sorted(need.excluded)))
    return needs, stuck


def _questions_now(
    face: Face,
    questions: Sequence[Question],
    verdicts: Mapping[tuple[FaceId, Question], Decision],
    advice: Advice,
) -> Iterator[tuple[Question, bool]]:
    """The first question of the side that the face has no settled answer to, if no earlier one rejected it; before it,
    settled questions that are to be asked once more. The flag says that it is an audit."""
    for question in questions:
        pair = (face.face_id, question)
        verdict = verdicts.get(pair)
        more = pair in advice.ask or pair in advice.deferred
        if verdict is None or more or verdict.status in (Status.DISPUTED, Status.UNDECIDED):
            yield question, False
            return
        if pair in advice.audit:
            yield question, True
        if verdict.status is Status.REJECTED:
            return


def _wanted(cast: Sequence[Vote], settings: AskSettings, *, stepwise: bool) -> int:
    """How many votes a face gets now: `first_votes` at first; then one where truth inference asks (`stepwise`), else
    enough to make the total odd so that a majority can be lost and won. Never beyond `most_votes`."""
    if not cast:
        return settings.first_votes
    more = 1 if stepwise or len(cast) % 2 == 0 else 2
    return min(more, settings.most_votes - len(cast))


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
