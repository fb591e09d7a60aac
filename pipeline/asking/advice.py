"""Adaptive redundancy: where another vote pays, by the posteriors, the price of a vote and what is left of the budget.

The audit sample is drawn once per face by its id, not anew in every round: a face is audited once it is settled, and
once only.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ...curation.decide import counted_votes
from ...curation.listing import count_statuses
from ...curation.report import MajorityGoal
from ...curation.truth import Truth
from ...curation.truth.adaptive import Action, Goal, Prices, RoundPlan, plan_round
from ...curation.types import FaceId, Question, Status, VoterKind
from ..app import App
from ..wording import counted
from ..workspace.settings import AskSettings
from .decide import Inference, truth_by_question
from .layout import page_reward
from .needs import Advice, Pairs
from .sample import in_sample

__all__ = ["advise", "against_majority", "goes_on", "in_audit_sample", "vote_price"]


def vote_price(settings: AskSettings, fee: Decimal) -> Decimal:
    """What one vote on one face costs: its share of a full page's reward and `fee`."""
    return (page_reward(settings.faces_per_hit, settings) + fee) / settings.faces_per_hit


def in_audit_sample(app: App, face_id: FaceId, question: Question) -> bool:
    """Whether a face belongs to the audit sample of a question."""
    return in_sample(app, question, face_id, app.settings.ask.audit_share)


def advise(
    app: App, known: Inference, *, price: Decimal, budget: Decimal | None, waiting: Pairs, audited: Pairs
) -> Advice:
    """What the next round should ask. `budget` is what may still be spent; `audited` pairs are not audited again."""
    if app.settings.ask.method == "majority":
        return Advice()
    standing = {face.face_id for face in app.store.faces()}
    persons = {(vote.face_id, vote.question) for vote in known.votes if vote.kind is not VoterKind.WORKER}
    ask: set[tuple[FaceId, Question]] = set()
    deferred: set[tuple[FaceId, Question]] = set()
    person: set[tuple[FaceId, Question]] = set()
    lines: list[str] = []
    for question, truth in known.truths.items():
        left = None if budget is None else max(Decimal(0), budget - price * len(ask))
        open_pages = any(pair[1] is question for pair in waiting)
        if open_pages and app.settings.ask.as_good_as:
            # The next votes go where they gain most, and that is known when the votes under way are here.
            deferred |= {(FaceId(name), question) for name in truth.votes.task_names}
            continue
        advised = _advise_one(app, truth, question, standing, persons | waiting, price, left)
        ask |= advised.ask
        deferred |= advised.deferred
        person |= advised.person
        lines.extend(advised.lines)
    left_alone = persons | audited | ask | deferred
    settled = {
        (item.face_id, item.question)
        for item in known.decisions
        if item.question is not None
        and item.face_id in standing
        and item.status in (Status.APPROVED, Status.REJECTED)
        and (item.face_id, item.question) not in left_alone
    }
    audit = frozenset(pair for pair in settled if in_audit_sample(app, *pair))
    if audit:
        lines.append(f"Drawn at random, {counted(len(audit), 'settled face')} asked once more to test the posteriors.")
    return Advice(frozenset(ask), frozenset(deferred), audit, frozenset(person), tuple(lines))


def goes_on(app: App) -> bool:
    """Whether `as_good_as` asks for another vote somewhere, by all votes so far. Writes nothing.

    The answer is kept while votes and faces are the same: a page asks every few seconds, and 60,000 votes take two.
    """
    counts = count_statuses(app.workspace.db, standing=True)
    state = (*app.store.vote_state(), sum(sum(side.values()) for side in counts.values()))
    if app not in _kept or _kept[app][0] != state:
        _kept[app] = state, _goes_on(app)
    return _kept[app][1]


_kept: WeakKeyDictionary[App, tuple[tuple[int, ...], bool]] = WeakKeyDictionary()


def _goes_on(app: App) -> bool:
    faces, votes = app.store.faces(rejected=True), counted_votes(app.store.votes())
    method = app.settings.ask.method
    known = Inference(faces, votes, truth_by_question(app, faces, votes, method), [], method)
    return any(goal.asks for goal in against_majority(app, known, frozenset()).values())


def against_majority(app: App, known: Inference, waiting: Pairs) -> dict[Question, MajorityGoal]:
    """Per question how the labels stand to a majority of `as_good_as` votes, and on how many faces `advise` would ask.

    Empty where `[ask] as_good_as` is 0. Money is left out: a budget stops a round, it does not change what is known.
    """
    settings = app.settings.ask
    if not settings.as_good_as:
        return {}
    standing = {face.face_id for face in app.store.faces()}
    persons = {(vote.face_id, vote.question) for vote in known.votes if vote.kind is not VoterKind.WORKER}
    found = {}
    for question, truth in known.truths.items():
        goal = _goal(settings, None)
        fixed = _fixed(truth, question, standing, persons)
        planned = plan_round(truth, goal, Prices(Decimal(0)), seed=0, settled=fixed)
        if planned.loss is not None:
            open_faces = sum(pair[1] is question for pair in waiting)
            found[question] = MajorityGoal(
                settings.as_good_as, planned.loss, goal.allowed_loss, planned.votes, open_faces
            )
    return found


def _advise_one(
    app: App,
    truth: Truth,
    question: Question,
    standing: Collection[FaceId],
    not_now: Collection[tuple[FaceId, Question]],
    price: Decimal,
    budget: Decimal | None,
) -> Advice:
    settings = app.settings.ask
    names = truth.votes.task_names
    fixed = _fixed(truth, question, standing, not_now)
    planned = plan_round(truth, _goal(settings, budget), Prices(price), seed=0, settled=fixed)

    def pairs(codes: NDArray[np.intp]) -> Pairs:
        return frozenset((FaceId(names[code]), question) for code in codes.tolist())

    ask, deferred, person = pairs(planned.ask), pairs(planned.deferred), frozenset[tuple[FaceId, Question]]()
    if planned.loss is not None:
        person = pairs(planned.person)
    if planned.loss is not None and planned.votes:
        # The goal is one for all faces: a face that is not asked in this round waits, whatever its own doubt.
        deferred |= pairs(np.setdiff1d(np.arange(len(names)), [*planned.ask, *planned.person, *fixed]))
    return Advice(ask, deferred, person=person, lines=_lines(settings, question, planned))


def _goal(settings: AskSettings, budget: Decimal | None) -> Goal:
    return Goal(
        target_error=settings.target_error,
        like_majority_of=settings.as_good_as or None,
        allowed_loss=settings.as_good_as_loss,
        fewest_votes=min(settings.first_votes, settings.most_votes),
        most_votes=settings.most_votes,
        budget=budget,
        audit_share=0.0,
    )


def _fixed(
    truth: Truth,
    question: Question,
    standing: Collection[FaceId],
    not_now: Collection[tuple[FaceId, Question]],
) -> NDArray[np.intp]:
    """The tasks that are not to be asked: faces that are gone, and those of `not_now`."""
    names = enumerate(map(FaceId, truth.votes.task_names))
    codes = [code for code, face in names if face not in standing or (face, question) in not_now]
    return np.asarray(codes, dtype=np.intp)


def _lines(settings: AskSettings, question: Question, planned: RoundPlan) -> tuple[str, ...]:
    """What the round is expected to bring, and what may be said of the faces that are settled."""
    persons = int((planned.actions == Action.PERSON).sum())
    needs = f" {persons} need a person." if persons else ""
    if not planned.votes and not len(planned.deferred):
        return (f"{question}: enough is known. {planned.guarantee}{needs}",) if planned.loss is not None else ()
    waits = f" {len(planned.deferred)} wait for money." if len(planned.deferred) else ""
    gain = (
        f"nothing shows how many labels are wrong; if voters err independently, {planned.error_now:.1%} now and "
        f"{planned.error_next:.1%} after."
    )
    if planned.loss is not None:
        goal = (
            f"A majority of {settings.as_good_as} votes on every face would be right {abs(planned.loss):.1%} "
            f"{'more' if planned.loss > 0 else 'less'} often than the present labels."
        )
    else:
        goal = (
            "If the posteriors are calibrated, each settled face is wrong with a chance of at most "
            f"{settings.target_error:.0%}."
        )
    return (f"{question}: another vote pays on {counted(planned.votes, 'face')}; {gain} {goal}{waits}{needs}",)
