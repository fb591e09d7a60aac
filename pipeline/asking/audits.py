"""What the audits say that were paid for: settled faces asked once more (`ask.audit_share`), and faces that screening
would have rejected and people were asked about all the same (`screen --propose --audit`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_UP, Decimal

from ...curation.learn.pull import pull_shown
from ...curation.truth.audit import Audit, AuditResult, check_audit
from ...curation.truth.votes import VotesTable
from ...curation.types import Decision, Face, FaceId, Question, Side, Status, Vote, VoterKind
from ...curation.votes import Votes
from ...mturk.requester.money import written
from ..app import App
from ..workspace.records import audited_pairs, frozen_batches
from .advice import vote_price
from .decide import as_asked, truth_by_question
from .heeded import heeded, heeded_votes
from .pulls import looks_now
from .screening import BY_PEOPLE, audited_by_screening
from .taught import lessons

__all__ = ["audits"]


def audits(
    app: App, *, faces: Sequence[Face] | None = None, votes: Sequence[Vote] | None = None
) -> dict[str, AuditResult]:
    """The result of every audit that has answers, by what was audited. `faces` and `votes`: all of them, if at hand."""
    grouped = any(batch.page.grouped for batch in frozen_batches(app.workspace))
    if not grouped and not _audit_batches(app) and not any(audited_by_screening(app, side) for side in Side):
        return {}
    found: dict[str, AuditResult] = {
        **(_pulls(app, faces, votes) if grouped else {}),
        **(_proofs(app, faces, votes) or _asked_again(app, faces, votes)),
        **_not_rejected(app, app.store.decisions()),
    }
    return {name: audit for name, audit in found.items() if audit.answers}


def _proofs(app: App, faces: Sequence[Face] | None, votes: Sequence[Vote] | None) -> dict[str, AuditResult]:
    """Per side and question where a model is taught: how many of the decided faces are wrong at most."""
    faces = app.store.faces(rejected=True) if faces is None else faces
    votes = _those(app, votes).counted()
    ask, currency = app.settings.ask, app.settings.market.currency
    each = vote_price(ask, app.terms().market.fees.per_assignment(ask.reward, 1))

    def price(more: int) -> str:
        return written((each * more).quantize(Decimal("0.01"), rounding=ROUND_UP), currency)

    found = lessons(app, faces, votes)
    return {f"side {side}, {question}": replace(item.proof(), price=price) for (side, question), item in found.items()}


def _pulls(app: App, faces: Sequence[Face] | None, votes: Sequence[Vote] | None) -> dict[str, AuditResult]:
    """Per question: answers on groups against those on groups that were drawn to be shown mixed."""
    faces = app.store.faces(rejected=True) if faces is None else faces
    looks = looks_now(app, faces, _those(app, votes).counted())
    return {f"groups, {question}": pull_shown(told) for question, told in looks.items()}


def _those(app: App, votes: Sequence[Vote] | None) -> Votes:
    return heeded_votes(app) if votes is None else heeded(app, votes)


def _audit_batches(app: App) -> dict[str, list[str]]:
    """Market → its batches that asked settled faces once more."""
    found: dict[str, list[str]] = {}
    for batch in frozen_batches(app.workspace):
        if batch.audit:
            found.setdefault(batch.market, []).append(batch.key)
    return found


def _asked_again(app: App, faces: Sequence[Face] | None, votes: Sequence[Vote] | None) -> dict[str, Audit]:
    """Per question: the audit's answers against the decision that the other votes make without them."""
    pairs: set[tuple[FaceId, Question]] = set()
    assignments: set[str] = set()
    for market, keys in _audit_batches(app).items():
        pairs |= audited_pairs(app.workspace, market)
        assignments |= {row["assignment_id"] for row in app.ledger.assignments(market, keys)}
    faces = app.store.faces(rejected=True) if faces is None else faces
    side = {face.face_id: face.side for face in faces}
    late: list[Vote] = []
    others: list[Vote] = []
    for vote in _those(app, votes):
        audit = vote.assignment_id in assignments and (vote.face_id, vote.question) in pairs
        (late if audit and vote.face_id in side else others).append(vote)
    if not late:
        return {}
    # What a person said stands above every vote, and an audit is of the crowd.
    before = truth_by_question(
        app, faces, [vote for vote in others if vote.kind is VoterKind.WORKER], app.settings.ask.method
    )
    found = {}
    for question, truth in before.items():
        cast = [as_asked(vote, side[vote.face_id]) for vote in late if vote.question is question]
        if cast:
            found[question.value] = check_audit(truth, VotesTable.from_votes(cast, question))
    return found


def _not_rejected(app: App, decisions: Sequence[Decision]) -> dict[str, Audit]:
    """Per side: the faces that people kept among those that screening was as sure to reject."""
    by_people = {
        item.face_id: item.status
        for item in decisions
        if item.question is None and item.status in (Status.APPROVED, Status.REJECTED) and item.decided_by in BY_PEOPLE
    }
    found = {}
    for side in Side:
        seen = {face_id: p for face_id, p in audited_by_screening(app, side).items() if face_id in by_people}
        kept = sum(by_people[face_id] is Status.APPROVED for face_id in seen)
        found[f"screening of side {side.value}"] = Audit(len(seen), kept, sum(seen.values()))
    return found
