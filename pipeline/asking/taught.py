"""Taught: in each side, a model learns from people's answers what the others of its faces are, and is audited.

Pure of any market: faces, votes and what was seen of the faces go in; verdicts, and what an audit found, come out.
Where a side has photographs of its person, one look at a face answers both questions: `usable` is asked, and a face
that is kept shows the person.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ...curation.decide import AGREED, all_as_asked, question_decision
from ...curation.learn.auditing import Settled, overlooks, settle, skills, tells
from ...curation.learn.bound import Proof
from ...curation.learn.features import Features
from ...curation.learn.pull import Drawn
from ...curation.learn.verdicts import Taught
from ...curation.learn.voters import Answers, Heard, hear
from ...curation.types import (
    ABSTENTIONS,
    DecidedBy,
    Decision,
    Face,
    FaceId,
    Question,
    Side,
    Status,
    Vote,
    VoterKind,
)
from ...curation.votes import Votes
from ..app import App
from ..market.pictures import reference_files
from ..privacy.gone import erased_faces
from ..workspace.records import audit_times
from .coded import BAD, GOOD, coded, tested_on
from .kept import taught_once
from .pulls import drawn_now
from .sight import Sight, seen

__all__ = [
    "SURE",
    "Lesson",
    "both_at_once",
    "by_the_same_look",
    "in_words",
    "lesson_of",
    "lessons",
    "unproved",
    "verdicts",
]

SURE = 0.95
"""From this probability a verdict stands. What a model or a track may say is never more than it has earned, and mostly
less than it knows: at 0.97 the same sets took up to a half more votes, and as many wanted faces were lost (none)."""
_SECOND = float(np.log(0.85 / 0.15))
"""So much a usual worker's vote says, as log odds. One worker and a model that only leans are no two opinions: that is
how a wanted face was lost among 732."""
_ALONE = 0.75
"""From this probability people's votes settle a face without the model."""
_MOSTLY = 2 / 3
"""From this share of rejected faces on the good ones are marked: so there are half as many marks, or fewer."""
_COMPARED = 2000
"""With so many rejected faces at most, spread evenly, others are compared for a reason: with all of them it would take
the square of the faces, in time and in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What is known of one side on one question.

    `taught` rests on all votes but those of audits; `heard` on all votes, `weighed` too, with the model's help to tell
    good workers from bad ones; `settled` on those of audits alone. Rows are those of `sight`. `unfit` are workers whose
    word tells nothing: they say the same of good and of bad faces; `overlooking` those who find too few good ones.
    """

    side: Side
    question: Question
    sight: Sight
    taught: Taught
    heard: Heard
    weighed: Heard
    settled: Settled
    asked: NDArray[np.bool_]
    unfit: frozenset[str] = frozenset()
    overlooking: frozenset[str] = frozenset()

    @property
    def odds(self) -> NDArray[np.float64]:
        """Log odds of good for every face: all that people said, and the model."""
        return np.asarray(self.weighed.odds + self.taught.said)

    def votes_on(self, row: int) -> int:
        """How many workers answered a face, audits left out."""
        return int(self.taught.votes[row])

    def place(self) -> dict[FaceId, int]:
        return {face: number for number, face in enumerate(self.sight.faces)}

    @property
    def stood(self) -> NDArray[np.bool_]:
        """The faces that are decided without what audits said of them."""
        one_alone = (self.taught.votes == 1) & (np.abs(self.taught.said) < _SECOND)
        return np.asarray((self.taught.doubt <= 1 - SURE) & ~one_alone | (self.taught.votes >= AGREED))

    @property
    def mostly_bad(self) -> bool:
        """Whether so many of the decided faces are rejected that marking the good ones takes least: on all pages of
        decided faces or on none, since which way one is asked must not say how it was decided."""
        stood = self.stood
        return bool((self.taught.posterior[stood] <= 0.5).sum() >= _MOSTLY * max(int(stood.sum()), 1))

    def unsettled(self) -> list[FaceId]:
        """The audited faces of which their blind votes do not settle yet whether they were decided rightly."""
        return [self.sight.faces[row] for row in np.flatnonzero(self.settled.open & self.stood).tolist()]

    def proof(self) -> Proof:
        """What the random blind share found. The chance of noticing is that of the kind of decision, keeping or
        rejecting, in which an error is noticed less, since nothing says in which the errors are."""
        stood, found = self.stood, self.settled
        asked, kept = found.asked & stood, self.taught.posterior > 0.5
        kinds = [asked & kind for kind in (kept, ~kept) if (asked & kind).any()]
        noticing = min((1.0 - float(found.missed[kind].mean()) for kind in kinds), default=1.0)
        counts = [int(rows.sum()) for rows in (asked, asked & found.wrong, asked & found.open, stood)]
        return Proof(counts[0], counts[1], max(noticing, 0.0), counts[3], unsettled=counts[2])


def both_at_once(app: App, side: Side, questions: Sequence[Question]) -> bool:
    """Whether one look answers both questions: photographs show whom to keep."""
    return set(questions) == set(Question) and bool(reference_files(app.workspace, side))


def lessons(
    app: App,
    faces: Sequence[Face],
    votes: Sequence[Vote],
    known: Sequence[Vote] = (),
    drawn: Mapping[Question, Drawn] | None = None,
) -> dict[tuple[Side, Question], Lesson]:
    """A lesson for each side that was looked at and each question that is asked apart. Empty where `[ask] learn` is off
    or another method was chosen. Answers to `known` faces tell how good a worker is; `drawn` is what standing together
    does to answers, if at hand."""
    if not app.settings.ask.learns:
        return {}
    drawn = drawn_now(app, faces, votes) if drawn is None else drawn
    since = audit_times(app.workspace)
    answers = Votes.of(votes)
    found, gone = {}, erased_faces(app)
    for side, settings in ((Side.A, app.settings.side_a), (Side.B, app.settings.side_b)):
        sight = seen(app, side)
        if sight is None or not {face.face_id for face in faces if face.side is side} - set(gone) <= set(sight.faces):
            continue
        once = both_at_once(app, side, settings.questions)
        for question in settings.questions:
            if question is Question.USABLE or not once:
                cast = _said_of(answers, side, question, unsure_too=once)
                teach, tested = partial(taught_once, app), tested_on(question, known)
                found[side, question] = lesson_of(
                    side, question, sight, cast, since, teach, tested, drawn.get(question)
                )
    return found


def _said_of(votes: Votes, side: Side, question: Question, *, unsure_too: bool) -> Votes:
    """The votes on a question, as the side asks it. With `unsure_too`, whoever keeps a face in the look in which they
    cannot tell who it is has not said that it is wanted."""
    (face, _), (page, pages) = (column.distinct() for column in votes.only("face_id", "assignment_id"))
    look, mine = face * pages + page, votes.where(question=question)
    passed = votes.where(question=Question.IDENTITY) & votes.columns["label"].where(
        ABSTENTIONS[Question.IDENTITY].__contains__
    )
    unsure = np.isin(look[mine], look[passed]) if unsure_too else np.zeros(int(mine.sum()), dtype=np.bool_)
    cast = votes.at(mine)
    return all_as_asked(cast, ~unsure & (side is Side.A)).saying(unsure, label="cannot_tell", reason=None)


def lesson_of(
    side: Side,
    question: Question,
    sight: Sight,
    votes: Sequence[Vote],
    since: Mapping[tuple[FaceId, Question], datetime],
    teach: Callable[[Side, Question, Features, Answers], Taught],
    tested: Mapping[str, tuple[int, int]] = MappingProxyType({}),
    drawn: Drawn | None = None,
) -> Lesson:
    """What the votes on a question teach of a side; those cast on audited faces `since` they were audited do not.
    `tested` is how often each worker was right and wrong on known faces; `drawn` is taken out of the votes."""
    cast = Votes.of(votes)
    row = cast.columns["face_id"].number({face: number for number, face in enumerate(sight.faces)})
    here = (row >= 0) & cast.columns["label"].where((GOOD[question], BAD[question]).__contains__)
    audit = here & _of_audits(cast, question, since)
    teaching = coded(question, sight, cast.at(here & ~audit), tested, drawn)
    everything = coded(question, sight, cast.at(here), tested, drawn)
    asked = np.zeros(len(sight.faces), dtype=bool)
    asked[row[here]] = True
    heard = hear(everything, sight.features.groups)
    taught = teach(side, question, sight.features, teaching)
    weighed = hear(everything, sight.features.groups, taught.said)
    blind = coded(question, sight, cast.at(audit))
    right = skills(everything, weighed, taught.said)
    unfit = _named(everything, ~tells(right))
    poor = _named(everything, overlooks(right))
    settled = _settled_by(blind, everything.worker_names, right, taught, _all_asked(row, cast, len(sight.faces)))
    return Lesson(side, question, sight, taught, heard, weighed, settled, asked, unfit, poor)


def _named(answers: Answers, workers: NDArray[np.bool_]) -> frozenset[str]:
    return frozenset(name for name, named in zip(answers.worker_names, workers.tolist(), strict=True) if named)


def _settled_by(
    blind: Answers, names: Sequence[str], right: NDArray[np.float64], taught: Taught, last: NDArray[np.bool_]
) -> Settled:
    """What the votes of audits settle; `right` are the skills of the workers `names`."""
    number = {name: code for code, name in enumerate(names)}
    return settle(blind, right[:, [number[name] for name in blind.worker_names]], taught.posterior > 0.5, last)


def _of_audits(
    votes: Votes, question: Question, since: Mapping[tuple[FaceId, Question], datetime]
) -> NDArray[np.bool_]:
    """Which votes on the question were cast on an audited face after it was audited."""
    begun = {face: time for (face, of), time in since.items() if of is question}
    late = votes.columns["face_id"].where(begun.__contains__)
    for row in np.flatnonzero(late).tolist():
        vote = votes[row]
        late[row] = vote.submitted_at >= begun[vote.face_id]
    return late


def _all_asked(row: NDArray[np.intp], votes: Votes, faces: int) -> NDArray[np.bool_]:
    """The faces that all workers saw who answered anything: nobody is left to ask. `row` (votes,): -1 for another
    side's face."""
    worker, most = votes.columns["worker_id"].distinct()
    by_worker = votes.where(kind=VoterKind.WORKER)
    crowd = len(np.unique(worker[by_worker]))
    on_us = by_worker & (row >= 0)
    saw = np.unique(row[on_us] * most + worker[on_us]) // most
    return np.asarray(np.bincount(saw, minlength=faces) >= crowd)


def in_words(known: Mapping[tuple[Side, Question], Lesson], decisions: Sequence[Decision], side: Side) -> list[str]:
    """What a merge of the side takes on the model's word, and what is proved of it; empty where it decided nothing."""
    here = {question: lesson for (of, question), lesson in known.items() if of is side}
    faces = {face for lesson in here.values() for face in lesson.sight.faces}
    by_model = [item for item in decisions if item.question is None and item.decided_by is DecidedBy.MODEL]
    count = sum(item.face_id in faces for item in by_model)
    if not count:
        return []
    told = f"{count} of {len(faces)} faces of side {side.value} are decided by the model that people's answers taught."
    return [told, *(f"Audit, {question}: {lesson.proof().text()}." for question, lesson in here.items())]


def unproved(
    known: Mapping[tuple[Side, Question], Lesson], decisions: Sequence[Decision], side: Side, promise: float | None
) -> str | None:
    """The audit that is missing before faces of the side are taken on the model's word; None where it is not."""
    if promise is None or not in_words(known, decisions, side):
        return None
    for (of, question), lesson in known.items():
        proof = lesson.proof()
        if of is side and proof.bound > promise:
            more = proof.more_for(promise)
            told = (
                f"Side {side.value}: [ask] promise is {promise:.1%}, and the audit of {question} "
                f"({proof.asked} of {proof.decided} decided faces) proves {proof.bound:.1%}."
            )
            if proof.asked + more > proof.decided:
                return f"{told} So few faces cannot prove it: promise less"
            share = min(1.0, 1.1 * (proof.asked + more) / proof.decided)
            return (
                f"{told} Missing is the audit of {more} more, none of them wrong: set audit_share = {share:.2f}, then "
                "galloway publish"
            )
    return None


def verdicts(
    lesson: Lesson, faces: Sequence[Face], votes: Mapping[tuple[FaceId, Question], Sequence[Vote]], method: str
) -> dict[tuple[FaceId, Question], Decision]:
    """The decisions on the lesson's question about the faces of its side, those without votes by the model."""
    likely = 1.0 / (1.0 + np.exp(-np.clip(lesson.odds, -40, 40)))
    alone = lesson.heard.posterior
    place = lesson.place()
    found = {}
    good, bad = GOOD[lesson.question], BAD[lesson.question]
    reason = _usual_reason(lesson, faces, votes)
    for face in faces:
        row = place.get(face.face_id)
        cast = votes.get((face.face_id, lesson.question), ())
        if face.side is not lesson.side or row is None or not (cast or max(likely[row], 1 - likely[row]) >= SURE):
            continue
        label, sure = (good, likely[row]) if likely[row] > 0.5 else (bad, 1 - likely[row])
        people = good if alone[row] >= _ALONE else bad if alone[row] <= 1 - _ALONE else None
        settled = _settled(cast, float(sure), float(abs(lesson.taught.said[row])))
        found[face.face_id, lesson.question] = question_decision(
            face,
            lesson.question,
            cast,
            label=label,
            settled=settled,
            posterior=float(sure),
            method=method,
            alone=people if lesson.asked[row] else None,
            by=DecidedBy.CROWD if people == label and lesson.asked[row] else DecidedBy.MODEL,
            reason=reason[row],
            blind=lesson.unfit,
        )
    return found


def _settled(cast: Sequence[Vote], sure: float, said: float) -> Status | None:
    """None where a verdict that is so `sure` stands on the votes and on as much as the model `said`, else how it is
    open."""
    told = [vote.label for vote in cast if vote.label != "cannot_tell"]
    if sure >= SURE and not (len(told) == 1 and said < _SECOND):
        return None
    return Status.DISPUTED if len(set(told)) > 1 else Status.UNDECIDED


def _usual_reason(
    lesson: Lesson, faces: Sequence[Face], votes: Mapping[tuple[FaceId, Question], Sequence[Vote]]
) -> list[str | None]:
    """For each row the reason that people gave for the rejected face most like it, of `_COMPARED` ones at most."""
    if lesson.question is not Question.USABLE:
        return [None] * len(lesson.sight.faces)
    place = lesson.place()
    given: dict[int, str] = {}
    for face in faces:
        reasons = [v.reason for v in votes.get((face.face_id, Question.USABLE), ()) if v.label == "reject" and v.reason]
        if face.side is lesson.side and reasons and face.face_id in place:
            given[place[face.face_id]] = max(set(reasons), key=reasons.count)
    if not given:
        return [None] * len(lesson.sight.faces)
    matrix, known = lesson.sight.features.matrix, np.array(sorted(given))
    known = known[:: -(-len(known) // _COMPARED)]
    squares = (matrix[known] ** 2).sum(axis=1)
    found: list[str | None] = []
    for start in range(0, len(matrix), _COMPARED):
        nearest = np.argmin(squares[None] - 2 * matrix[start : start + _COMPARED] @ matrix[known].T, axis=1)
        found += [given[int(known[place])] for place in nearest]
    return found


def by_the_same_look(
    faces: Sequence[Face],
    usable: Mapping[tuple[FaceId, Question], Decision],
    votes: Mapping[tuple[FaceId, Question], Sequence[Vote]],
    alone: Mapping[FaceId, str | None],
    blind: Collection[str] = (),
) -> dict[tuple[FaceId, Question], Decision]:
    """Identity where one look answers both: whoever keeps a face says that it shows the person. `blind` as of
    `question_decision`."""
    found = {}
    for face in faces:
        look = usable.get((face.face_id, Question.USABLE))
        cast = votes.get((face.face_id, Question.IDENTITY), ())
        if look is None or not (look.status is Status.APPROVED or look.reason == "another_person" or cast):
            continue
        same = look.status is Status.APPROVED
        found[face.face_id, Question.IDENTITY] = question_decision(
            face,
            Question.IDENTITY,
            cast,
            label="same" if same else "different" if look.reason == "another_person" else None,
            settled=None if look.status in (Status.APPROVED, Status.REJECTED) else look.status,
            posterior=look.posterior,
            method=look.method,
            alone=alone.get(face.face_id),
            by=look.decided_by if look.decided_by is DecidedBy.MODEL else DecidedBy.CROWD,
            blind=blind,
        )
    return found
