"""Qualifications as a worker sees them: what is held, what can be asked for, tests."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa

from ..errors import BadForm, NotFound
from ..lifecycle import grants
from ..rules.questions import parse_question
from ..rules.xml import clean
from ..stamps import from_ms
from ..store import Store, Tx, one, rows
from ..store.tables import qualification, qualification_request, qualification_type, requester
from ..store.transactions import Row
from .values import Fields, QualificationEntry, TestPaper

__all__ = ["Learning"]

_TYPES = sa.select(qualification_type, requester.c.name.label("requester_name")).join(
    requester, requester.c.id == qualification_type.c.requester_id
)
_MOST = 500
State = Literal["Granted", "Revoked", "Pending", "Rejected", "None"]


class Learning:
    """A worker's qualifications."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def qualifications(self, worker_id: str) -> tuple[QualificationEntry, ...]:
        """What the worker holds, has asked for, or could ask for."""
        held = sa.select(qualification.c.type_id).where(qualification.c.worker_id == worker_id)
        asked = sa.select(qualification_request.c.type_id).where(qualification_request.c.worker_id == worker_id)
        wanted = sa.or_(
            sa.and_(qualification_type.c.status == "Active", requester.c.revoked_at.is_(None)),
            qualification_type.c.id.in_(held),
            qualification_type.c.id.in_(asked),
        )
        with self._store.read() as tx:
            found = rows(
                tx,
                _TYPES.where(wanted, qualification_type.c.deleted_at.is_(None))
                .order_by(qualification_type.c.seq.desc())
                .limit(_MOST),
            )
            return tuple(self._entry(tx, worker_id, kind) for kind in found)

    def _kind(self, tx: Tx, type_id: str) -> Row:
        kind = one(tx, _TYPES.where(qualification_type.c.id == type_id, qualification_type.c.deleted_at.is_(None)))
        if kind is None:
            raise NotFound("There is no such qualification.")
        return kind

    def _entry(self, tx: Tx, worker_id: str, kind: Row) -> QualificationEntry:
        have = grants.granted(tx, kind["id"], worker_id)
        last = grants.last_request(tx, kind["id"], worker_id)
        status: State = "None"
        if last is not None and last["state"] == "Pending":
            status = "Pending"
        elif have is not None:
            status = have["status"]
        elif last is not None and last["state"] == "Rejected":
            status = "Rejected"
        again = grants.retry_at(kind, last)
        reason = have["reason"] if have is not None else last["reason"] if last is not None else ""
        return QualificationEntry(
            kind["id"],
            kind["name"],
            kind["description"],
            kind["requester_name"],
            status,
            have["value"] if have is not None and status == "Granted" else None,
            reason or "",
            kind["test"] is not None,
            self._can_ask(tx, kind, worker_id, last),
            from_ms(again) if again is not None and again > tx.now else None,
        )

    def _can_ask(self, tx: Tx, kind: Row, worker_id: str, last: Row | None) -> bool:
        if kind["status"] != "Active":
            return False
        going_on = last is not None and last["state"] == "Begun" and last["due_at"] > tx.now
        return going_on or not grants.refusal_to_ask(tx, kind, worker_id)

    def qualification(self, worker_id: str, type_id: str) -> QualificationEntry:
        """One type as this worker sees it."""
        with self._store.read() as tx:
            return self._entry(tx, worker_id, self._kind(tx, type_id))

    def _begin(self, tx: Tx, worker_id: str, type_id: str, *, tested: bool) -> tuple[Row, Row]:
        kind = self._kind(tx, type_id)
        if kind["status"] != "Active":
            raise BadForm("This qualification cannot be asked for at present.")
        if tested != (kind["test"] is not None):
            raise BadForm("This qualification has no test." if tested else "This qualification has a test.")
        return kind, grants.begin(tx, kind, worker_id)

    def request_qualification(self, worker_id: str, type_id: str) -> QualificationEntry:
        """Ask for a qualification without a test: granted at once or pending. BadForm if it cannot be asked for."""
        with self._store.write() as tx:
            kind, _ = self._begin(tx, worker_id, type_id, tested=False)
            return self._entry(tx, worker_id, kind)

    def begin_test(self, worker_id: str, type_id: str) -> TestPaper:
        """Begin (or go on with) a test. BadForm if there is none or it may not be taken again yet."""
        with self._store.write() as tx:
            kind, begun = self._begin(tx, worker_id, type_id, tested=True)
            question = parse_question(kind["test"], test=True)
            return TestPaper(begun["id"], self._entry(tx, worker_id, kind), question, from_ms(begun["due_at"]))

    def submit_test(self, worker_id: str, request_id: str, fields: Fields) -> QualificationEntry:
        """Hand the test in: scored at once where there is an answer key, else pending. TooLate after the deadline."""
        pairs = [(clean(name), clean(value)) for name, value in fields]
        with self._store.write() as tx:
            row = one(tx, sa.select(qualification_request).where(qualification_request.c.id == request_id))
            if row is None or row["worker_id"] != worker_id:
                raise NotFound("There is no such test of yours.")
            kind = self._kind(tx, row["type_id"])
            late = grants.hand_in(tx, kind, row, pairs)
            entry = self._entry(tx, worker_id, kind)
        if late is not None:
            raise late
        return entry
