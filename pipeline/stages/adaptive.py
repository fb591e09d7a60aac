"""Adaptive redundancy: where another vote pays, by the posteriors, the price of a vote and what is left of the budget.

The audit sample is drawn once per face by its id, not anew in every round: a face is audited once it is settled, and
once only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from decimal import Decimal

import numpy as np

from curation.truth import Truth
from curation.truth.adaptive import Action, Goal, Prices, plan_round
from curation.types import FaceId, Question, Status, VoterKind
from pipeline.app import App
from pipeline.settings import AskSettings
from pipeline.stages.ask import Advice, Pairs, page_reward
from pipeline.stages.decide import Inference

__all__ = ["advise", "in_audit_sample", "vote_price"]


def vote_price(settings: AskSettings, fee: Decimal) -> Decimal:
    """What one vote on one face costs: its share of a full page's reward and `fee`."""
    return (page_reward(settings.faces_per_hit, settings) + fee) / settings.faces_per_hit


def in_audit_sample(app: App, face_id: FaceId, question: Question) -> bool:
    """Whether a face belongs to the audit sample of a question: by a hash that nobody can choose."""
    digest = hashlib.sha256(f"{app.settings.id}|{question}|{face_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < app.settings.ask.audit_share


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
    lines = []
    for question, truth in known.truths.items():
        left = None if budget is None else max(Decimal(0), budget - price * len(ask))
        chosen, late, line = _advise_one(app, truth, question, standing, persons | waiting, price, left)
        ask |= chosen
        deferred |= late
        if line:
            lines.append(line)
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
        lines.append(f"{len(audit)} settled faces, drawn at random, are asked once more to test the posteriors.")
    return Advice(frozenset(ask), frozenset(deferred), audit, tuple(lines))


def _advise_one(
    app: App,
    truth: Truth,
    question: Question,
    standing: Collection[FaceId],
    not_now: Collection[tuple[FaceId, Question]],
    price: Decimal,
    budget: Decimal | None,
) -> tuple[set[tuple[FaceId, Question]], set[tuple[FaceId, Question]], str]:
    settings = app.settings.ask
    names = truth.votes.task_names
    fixed = [
        code for code, name in enumerate(names) if FaceId(name) not in standing or (FaceId(name), question) in not_now
    ]
    goal = Goal(
        target_error=settings.target_error,
        fewest_votes=min(settings.votes, settings.max_votes),
        most_votes=settings.max_votes,
        budget=budget,
        audit_share=0.0,
    )
    planned = plan_round(truth, goal, Prices(price), seed=0, settled=np.asarray(fixed, dtype=np.intp))
    ask = {(FaceId(names[code]), question) for code in planned.ask.tolist()}
    deferred = {(FaceId(names[code]), question) for code in planned.deferred.tolist()}
    if not ask and not deferred:
        return ask, deferred, ""
    waits = f" {len(deferred)} wait for money." if deferred else ""
    persons = int((planned.actions == Action.PERSON).sum())
    needs = f" {persons} need a person." if persons else ""
    line = (
        f"{question}: another vote pays on {len(ask)} faces; expected error {planned.error_now:.1%} now, "
        f"{planned.error_next:.1%} after. If the posteriors are calibrated, each settled face is wrong with a chance "
        f"of at most {settings.target_error:.0%}.{waits}{needs}"
    )
    return ask, deferred, line
