"""Ask: which faces need an answer now, and by whom. Pure planning; nothing is sent.

A face is asked a question when it has no votes on it (round 1), or when its votes do not settle it (a later round, by
other workers). Identity is asked of faces that the questions before it approved. A question waits while a page with it
is open; the next question need not, where the votes so far approve the face: nobody may be left to answer that page.
After `max_votes` a person decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...curation.types import Decision, Face, FaceId, Question, Side, Status, Vote, VoterKind
from ..workspace.settings import AskSettings

__all__ = ["NO_ADVICE", "Advice", "Need", "Pairs", "find_needs"]

Pairs = frozenset[tuple[FaceId, Question]]


@dataclass(frozen=True, slots=True)
class Advice:
    """What truth inference says of the next round.

    Pairs worth `ask`ing although they may look settled, pairs `deferred` to a later round, settled pairs to `audit`,
    and pairs that more votes will not settle and a `person` should. `lines` tell cost and error for people.
    `first_votes` is how many workers see a face that nobody saw yet, None: as the settings say. `unfit` workers are not
    asked about a pair, beside those who answered it; two workers at once are where it is in `by_two`; the good ones
    are marked, and the others confirmed as the rest, where it is in `sought`.
    """

    ask: Pairs = frozenset()
    deferred: Pairs = frozenset()
    audit: Pairs = frozenset()
    person: Pairs = frozenset()
    lines: tuple[str, ...] = ()
    first_votes: int | None = None
    by_two: Pairs = frozenset()
    sought: Pairs = frozenset()
    unfit: Mapping[tuple[FaceId, Question], frozenset[str]] = field(default_factory=dict)


NO_ADVICE = Advice()


@dataclass(frozen=True, slots=True)
class Need:
    """Faces that need one question answered by `votes` more workers, none of `excluded`.

    `audit`: the faces are settled and are asked once more to test what the posteriors promise. `beside`: each face is
    shown large beside a photograph of the person, also in the first round. `sought`: most are expected to be bad, so
    the good ones are marked.
    """

    side: Side
    question: Question
    round: int
    votes: int
    excluded: frozenset[str]
    faces: tuple[Face, ...]
    audit: bool = False
    beside: bool = False
    sought: bool = False


def find_needs(
    faces: Sequence[Face],
    votes: Mapping[tuple[FaceId, Question], Sequence[Vote]],
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
    verdicts = {(item.face_id, item.question): item for item in decisions if item.question is not None}
    groups: dict[tuple[Side, Question, int, int, frozenset[str], bool, bool], list[Face]] = defaultdict(list)
    stuck = []
    for face in faces:
        for question, audit in _questions_now(face, asked[face.side], verdicts, advice):
            pair = (face.face_id, question)
            said = votes.get(pair, ())
            cast = [vote for vote in said if vote.kind is VoterKind.WORKER]
            if pair in waiting or len(cast) < len(said) or pair in advice.deferred:
                continue
            if pair in advice.person:
                stuck.append(pair)
                continue
            first = settings.votes if advice.first_votes is None else advice.first_votes
            wanted = 1 if audit else _wanted(cast, settings, first, stepwise=pair in advice.ask)
            if pair in advice.by_two:
                wanted = min(2, settings.max_votes - len(cast))
            if wanted <= 0:
                stuck.append(pair)
                continue
            round_ = max((vote.round for vote in cast), default=0) + 1
            excluded = frozenset(vote.worker_id for vote in cast) | advice.unfit.get(pair, frozenset())
            groups[face.side, question, round_, wanted, excluded, audit, pair in advice.sought].append(face)
    needs = [
        Need(side, question, round_, wanted, excluded, tuple(members), audit, sought=sought)
        for (side, question, round_, wanted, excluded, audit, sought), members in groups.items()
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


def _wanted(cast: Sequence[Vote], settings: AskSettings, first: int, *, stepwise: bool) -> int:
    """How many votes a face gets now: `first` at first; then one where truth inference asks (`stepwise`), else
    enough to make the total odd so that a majority can be lost and won. Never beyond `max_votes`."""
    if not cast:
        return min(first, settings.max_votes)
    more = 1 if stepwise or len(cast) % 2 == 0 else 2
    return min(more, settings.max_votes - len(cast))
