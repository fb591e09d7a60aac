"""Adaptive redundancy: where another vote pays, by the posteriors, the price of a vote and what is left of the budget.

The audit sample is drawn once per face by its id, not anew in every round: a face is audited once it is settled, and
once only.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ...curation.truth import Truth
from ...curation.truth.adaptive import Action, Goal, Prices, RoundPlan, plan_round
from ...curation.types import FaceId, Question, Status
from ..app import App
from ..wording import counted
from ..workspace.settings import AskSettings
from .decide import Inference
from .layout import page_reward
from .needs import Advice, Pairs
from .sample import in_sample

__all__ = ["advise", "in_audit_sample", "vote_price"]


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
    standing = app.store.face_ids()
    persons = known.by_people
    ask: set[tuple[FaceId, Question]] = set()
    deferred: set[tuple[FaceId, Question]] = set()
    lines: list[str] = []
    for question, truth in known.truths.items():
        left = None if budget is None else max(Decimal(0), budget - price * len(ask))
        advised = _advise_one(app, truth, question, standing, persons | waiting, price, left)
        ask |= advised.ask
        deferred |= advised.deferred
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
    return Advice(frozenset(ask), frozenset(deferred), audit, lines=tuple(lines))


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

    return Advice(pairs(planned.ask), pairs(planned.deferred), lines=_lines(settings, question, planned))


def _goal(settings: AskSettings, budget: Decimal | None) -> Goal:
    return Goal(
        target_error=settings.target_error,
        fewest_votes=min(settings.votes, settings.max_votes),
        most_votes=settings.max_votes,
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
    persons, waiting = int((planned.actions == Action.PERSON).sum()), len(planned.deferred)
    if not planned.votes and not waiting:
        return ()
    pays = f"{question}: another vote pays on {counted(planned.votes, 'face')}"
    gain = (
        f"{pays}; nothing shows how many labels are wrong; if voters err independently, {planned.error_now:.1%} now "
        f"and {planned.error_next:.1%} after."
    )
    chance = f"{settings.target_error:.0%}"
    return (
        gain,
        f"If the posteriors are calibrated, each settled face is wrong with a chance of at most {chance}.",
        *((f"{question}: {counted(waiting, 'face')} left until there is money.",) if waiting else ()),
        *((f"{question}: {counted(persons, 'face')} left for a person to decide.",) if persons else ()),
    )
