"""Choosing: which faces the next round asks about where a model is taught, and which decided ones it audits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ...curation.learn.choose import first_faces, next_faces
from ...curation.learn.estimate import Forecast, forecast
from ...curation.types import DecidedBy, FaceId, Question, Side, Status, Vote, VoterKind
from ...curation.votes import Votes
from ...mturk.requester.money import written
from ..app import App
from ..wording import counted
from .advice import advise
from .coded import GOOD
from .decide import Inference, standing_faces
from .groups import stand_together
from .needs import Advice, Pairs
from .pulls import together
from .sample import in_sample
from .taught import SURE, Lesson

__all__ = ["advise_lessons", "advise_round", "first_count", "in_doubt_together", "looked_at_once", "next_count"]

_SEEN_BY = 1
"""How many workers see a face at first; more see it only where doubt is left. Two for the very first faces took 0.1 to
0.2 votes a face more on sets of 113 to 230 and lost as few."""
_TOGETHER, _LOOKS = 0.5, 2
"""The faces of a track are right or wrong together: fifty that are 98 % sure each are one face too much to be wrong. So
where half a face of a track is expected to be wrong, one of them is looked at, or two, before the audit."""
_ENOUGH_AUDITED = 400
"""So many faces of which none is wrong prove that at most 0.8 % is, by auditors who notice nine in ten; a share of a
large set would be paid for proving less than that."""
_TWO_LOOKS = 2
"""So many more looks at a group must say one thing than the other: one worker who rejected at once all the wanted faces
of the first round left the model without a good face for 150 votes."""
_WHO_FIRST = "Side {}: it is not sure whom the photograph shows. That is asked first, about a face or three."
_FIRST_FACES, _FIRST_SHARE, _FEWEST = 32, 0.2, 10
_SHARE_A_ROUND, _SHARE_OF_ASKED, _FEWEST_A_ROUND, _MOST_A_ROUND = 0.12, 0.5, 12, 96
"""Small rounds take fewer votes, since what is asked next follows from these answers, and more of people's coming back:
of 113 to 230 faces, rounds of 12 take 0.86 votes a face and 5 to 13 rounds, rounds of 24 take 0.96 and 4 to 11. A model
that was taught little does not know yet where it is in doubt: of 732 faces rounds by the number of open faces took 0.38
votes a face, bounded by half of those asked before 0.27, both in 13 rounds."""


def first_count(faces: int) -> int:
    """How many faces a set's first round asks about."""
    return min(faces, _FIRST_FACES, max(_FEWEST, int(_FIRST_SHARE * faces)))


def next_count(open_faces: int, asked: int) -> int:
    """How many of the open faces a later round asks about, where so many were `asked` before it."""
    most = min(int(_SHARE_A_ROUND * open_faces), int(_SHARE_OF_ASKED * asked), _MOST_A_ROUND)
    return max(_FEWEST_A_ROUND, most)


def advise_round(
    app: App,
    known: Inference,
    *,
    price: Decimal,
    budget: Decimal | None,
    waiting: Pairs,
    audited: Pairs,
    later: Collection[Side],
) -> Advice:
    """What the next round should ask, with a model or without. Parameters as of `advise_lessons`."""
    if not known.lessons:
        return advise(app, known, price=price, budget=budget, waiting=waiting, audited=audited)
    return advise_lessons(app, known, price=price, budget=budget, waiting=waiting, audited=audited, later=later)


def advise_lessons(
    app: App,
    known: Inference,
    *,
    price: Decimal,
    budget: Decimal | None,
    waiting: Pairs,
    audited: Pairs,
    later: Collection[Side] = (),
) -> Advice:
    """What the next round should ask: the first faces of a side that nobody answered yet, else those whose answers are
    expected to change most; once all are decided, a random share of them, blind. On sides in `later`, where it is not
    known yet who is wanted, nothing is asked."""
    unasked = {item.face_id for item in known.decisions if item.decided_by is DecidedBy.SCREEN}
    there = standing_faces(app, known)
    standing = {face.face_id for face in there} - unasked
    persons = known.by_people
    settled = {
        (item.face_id, item.question)
        for item in known.decisions
        if item.question is not None and item.status in (Status.APPROVED, Status.REJECTED)
    }
    advice = Advice()
    due = Forecast(0, 0)
    tracks = stand_together(there, {})
    for (_, question), lesson in known.lessons.items():
        here = [(face, question) for face in lesson.sight.faces if face in standing]
        open_pairs = [pair for pair in here if pair not in settled and pair not in persons]
        left = None if budget is None else int(max(Decimal(0), budget) / price)
        if lesson.side in later:
            found = Advice(deferred=frozenset(open_pairs), lines=(_WHO_FIRST.format(lesson.side),))
        else:
            found = _advise(app, known, lesson, here, open_pairs, settled - persons, waiting, audited, left, tracks)
        due += _due(app, lesson, question, here, len(open_pairs), audited)
        advice = Advice(
            advice.ask | found.ask,
            advice.deferred | found.deferred,
            advice.audit | found.audit,
            advice.person | found.person,
            (*advice.lines, *found.lines),
            unfit={**advice.unfit, **found.unfit},
            by_two=advice.by_two | found.by_two,
            sought=advice.sought | found.sought,
        )
    lines = (*advice.lines, _goal_line(app, due, price)) if due.high else advice.lines
    return replace(advice, lines=lines, first_votes=_SEEN_BY)


def _due(
    app: App,
    lesson: Lesson,
    question: Question,
    here: Collection[tuple[FaceId, Question]],
    open_faces: int,
    audited: Pairs,
) -> Forecast:
    """What one lesson may still take until all is decided and audited."""
    share = _audit_share(app, len(here))
    audit = sum(pair not in audited and in_sample(app, question, pair[0], share) for pair in here)
    first = 0 if lesson.asked.any() else _SEEN_BY * first_count(len(here))
    return forecast(first=first, open_faces=open_faces, audit=audit)


def _audit_share(app: App, faces: int) -> float:
    """The share of so many faces that is audited: as the settings say; by default no more than prove what is needed."""
    ask = app.settings.ask
    chosen = "audit_share" in ask.model_fields_set
    return ask.audit_share if chosen else min(ask.audit_share, _ENOUGH_AUDITED / max(faces, 1))


def _goal_line(app: App, due: Forecast, price: Decimal) -> str:
    """The price of the whole goal, before anything is spent on it."""
    ask, currency = app.settings.ask, app.settings.market.currency
    minutes = [float(ask.seconds_per_face) * votes / 60 for votes in (due.low, due.high)]
    money = [written((price * votes).quantize(Decimal("0.01")), currency) for votes in (due.low, due.high)]
    said = (
        f"Until all is decided and audited: about {due.low} to {due.high} votes from here, {money[0]} to {money[1]}, "
    )
    if minutes[1] < 60:
        return f"{said}{minutes[0]:.0f} to {max(1, minutes[1]):.0f} minutes of people's time."
    return f"{said}{minutes[0] / 60:.1f} to {minutes[1] / 60:.1f} hours of people's time."


def _advise(
    app: App,
    known: Inference,
    lesson: Lesson,
    here: list[tuple[FaceId, Question]],
    open_pairs: list[tuple[FaceId, Question]],
    settled: Collection[tuple[FaceId, Question]],
    waiting: Pairs,
    audited: Pairs,
    left: int | None,
    tracks: Mapping[FaceId, FaceId],
) -> Advice:
    """One lesson's part. While its pages are open nothing more is asked: the next faces follow from these answers. But
    a few pages for which nobody is left hold up nothing."""
    open_all, question = frozenset(open_pairs), lesson.question
    if 2 * len(waiting & frozenset(here)) >= app.settings.ask.faces_per_hit:
        return Advice(deferred=open_all)
    place = lesson.place()
    most = app.settings.ask.max_votes
    done = frozenset(pair for pair in open_pairs if lesson.votes_on(place[pair[0]]) >= most)
    free = [pair for pair in open_pairs if pair not in done and pair not in waiting]
    again = _asked_again(known, lesson, _shown_again(known, lesson, free, frozenset(settled) - waiting, most), done)
    open_faces = [pair[0] for pair in free if pair not in again.ask]
    rows = np.array([place[face] for face in open_faces], dtype=np.intp)
    if len(rows):
        doubted = looked_at_once(lesson, known.votes, open_faces, tracks)[:left]
        chosen = _chosen(app, lesson, rows, None if left is None else left - len(doubted))
        asked = frozenset((lesson.sight.faces[row], question) for row in chosen.tolist()) | again.ask
        asked |= {(face, question) for face in doubted}
        lines = (*_lines(lesson, len(chosen), len(rows)), *again.lines)
        return replace(again, ask=asked, deferred=open_all - asked - done, lines=lines)
    decided = [pair for pair in here if pair in settled]
    looks = in_doubt_together(lesson, [face for face, _ in decided], tracks)[:left]
    if looks:
        asked = frozenset((face, question) for face in looks)
        sought = asked if lesson.mostly_bad else frozenset()
        return replace(
            again,
            ask=asked | again.ask,
            lines=(*_lines(lesson, len(looks), 0), *again.lines),
            sought=again.sought | sought,
            unfit={**again.unfit, **_unfit(known, lesson, sought, sought)},
        )
    share = _audit_share(app, len(here))
    drawn = frozenset(pair for pair in decided if pair not in audited and in_sample(app, question, pair[0], share))
    lines = (*_audit_lines(lesson, len(drawn)), *again.lines)
    sought = drawn if lesson.mostly_bad else frozenset()
    unfit = _unfit(known, lesson, drawn, sought)
    return replace(again, audit=drawn, lines=lines, unfit={**again.unfit, **unfit}, sought=again.sought | sought)


def _asked_again(known: Inference, lesson: Lesson, again: Pairs, person: Pairs) -> Advice:
    """That one worker more is shown these audited faces, of those whose word tells anything. Three who agree are
    believed, and a slip is why a face is shown again: where two speak against its decision and nobody for it, a third
    and a fourth are asked at once."""
    place = lesson.place()
    two = frozenset(pair for pair in again if lesson.settled.doubted[place[pair[0]]])
    told = f"{counted(len(again), 'audited face')} shown to others, since what was said of them does not settle"
    line = f"Side {lesson.side}, {lesson.question}: {told} whether the decision is wrong or an answer."
    sought = again if lesson.mostly_bad else frozenset()
    unfit = _unfit(known, lesson, again, sought, two)
    return Advice(again, person=person, lines=(line,) * bool(again), unfit=unfit, by_two=two, sought=sought)


def _shown_again(
    known: Inference, lesson: Lesson, free: Collection[tuple[FaceId, Question]], settled: Pairs, most: int
) -> Pairs:
    """The audited faces that one worker more should see, all at once, since their answers teach nothing: those that are
    `free` and undecided now, and those among `settled` whose blind votes settle nothing yet, where a worker is left to
    ask."""
    faces, question = lesson.sight.faces, lesson.question
    audited = {faces[row] for row in np.flatnonzero(lesson.settled.asked).tolist()}
    enough = min(most, len(_crowd(known, question)))
    left = {face for face in lesson.unsettled() if len(_seen_by(known, question, face)) < enough}
    return frozenset(pair for pair in free if pair[0] in audited) | {(face, question) for face in left} & settled


def _unfit(
    known: Inference, lesson: Lesson, pairs: Pairs, sought: Pairs, two: Pairs = frozenset()
) -> dict[tuple[FaceId, Question], frozenset[str]]:
    """Whom an audit does not ask, as long as enough others of the crowd are left (of `two` at once, two): whose word
    tells nothing, and, where good faces are `sought`, who overlooks them."""
    crowd = _crowd(known, lesson.question)
    found = {}
    for pair in pairs:
        poor = [lesson.unfit | lesson.overlooking, lesson.unfit] if pair in sought else [lesson.unfit]
        left = crowd - _seen_by(known, lesson.question, pair[0])
        found[pair] = next((some for some in poor if len(left - some) >= 1 + (pair in two)), frozenset())
    return found


def _crowd(known: Inference, question: Question) -> set[str]:
    """All workers who answered a question so far."""
    return known.votes.those("worker_id", question=question, kind=VoterKind.WORKER)


def _seen_by(known: Inference, question: Question, face: FaceId) -> set[str]:
    """The workers who answered it about a face."""
    return {vote.worker_id for vote in known.said.of(face, question) if vote.kind is VoterKind.WORKER}


def _chosen(app: App, lesson: Lesson, rows: NDArray[np.intp], left: int | None) -> NDArray[np.intp]:
    features = lesson.sight.features
    if not lesson.asked.any():
        chosen = rows[first_faces(features.part(rows), first_count(len(rows)))]
    else:
        chosen = next_faces(lesson.taught, features, rows, next_count(len(rows), int(lesson.asked.sum())))
    return chosen if left is None else chosen[:left]


def in_doubt_together(lesson: Lesson, decided: Sequence[FaceId], tracks: Mapping[FaceId, FaceId]) -> list[FaceId]:
    """Of the decided faces one of each track that may be wrong as a whole, the most doubtful one not asked about: where
    `_TOGETHER` of its faces are expected to be wrong, and fewer than `_LOOKS` were asked about."""
    place, doubt = lesson.place(), lesson.taught.doubt
    members: dict[FaceId, list[int]] = defaultdict(list)
    for face in decided:
        members[tracks.get(face, face)].append(place[face])
    found = []
    for rows in members.values():
        unasked = [row for row in rows if not lesson.asked[row]]
        looked = int((lesson.taught.votes[rows] > 0).sum())
        if unasked and looked < _LOOKS and doubt[rows].sum() >= _TOGETHER:
            found.append(lesson.sight.faces[max(unasked, key=lambda row: (doubt[row], -row))])
    return found


def looked_at_once(
    lesson: Lesson, votes: Sequence[Vote], open_faces: Collection[FaceId], tracks: Mapping[FaceId, FaceId]
) -> list[FaceId]:
    """What else should be shown to other workers because it was answered at once: of each group one face, and where
    looks at the group differ all of it, until two more say one thing than the other. Once the model has earned to
    settle good faces and bad ones it finds such a look out itself."""
    said, sure = lesson.taught.said, np.log(SURE / (1 - SURE))
    if said.max(initial=0.0) >= sure and said.min(initial=0.0) <= -sure:
        return []
    place, doubt = lesson.place(), lesson.taught.doubt
    told: dict[FaceId, Counter[str]] = defaultdict(Counter)
    at_once = set()
    cast = Votes.of(votes)
    for vote in cast.at(cast.where(question=lesson.question, kind=VoterKind.WORKER)):
        if vote.face_id in place:
            group = tracks.get(vote.face_id, vote.face_id)
            told[group][vote.worker_id] += 1 if vote.label == GOOD[lesson.question] else -1
            if together(vote):
                at_once.add(group)
    members: dict[FaceId, list[FaceId]] = defaultdict(list)
    for face in open_faces:
        if lesson.asked[place[face]]:
            members[tracks.get(face, face)].append(face)
    found: list[FaceId] = []
    for group, faces in members.items():
        looks = [int(np.sign(said)) for said in told[group].values()]
        if group in at_once and abs(sum(looks)) < _TWO_LOOKS:
            agreed = len(set(looks)) == 1
            found += [max(faces, key=lambda face: (doubt[place[face]], face))] if agreed else faces
    return found


def _lines(lesson: Lesson, asked: int, open_faces: int) -> tuple[str, ...]:
    accuracy = lesson.taught.record.accuracy
    told = "the model has shown nothing yet"
    if np.isfinite(accuracy):
        told = f"of the faces that people answered, the model is right on {accuracy:.0%} of those it was not shown"
    now = f"{counted(asked, 'face')} of {open_faces} undecided ones are asked now"
    return (f"Side {lesson.side}, {lesson.question}: {now}; {told}.",)


def _audit_lines(lesson: Lesson, drawn: int) -> tuple[str, ...]:
    if not drawn:
        return ()
    told = f"drawn at random, {counted(drawn, 'decided face')} asked once more, blind"
    return (f"Side {lesson.side}, {lesson.question}: {told}, to prove how many are wrong at most.",)
