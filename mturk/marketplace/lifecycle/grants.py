"""Qualification requests: asking, testing, granting, refusing, revoking."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ..errors import BadForm, NotFound, TooLate
from ..rules import answers as forms
from ..rules.answerkey import parse_answer_key
from ..rules.questions import parse_question
from ..stamps import new_id
from ..store import Tx, one
from ..store.tables import message, qualification, qualification_request
from ..store.transactions import Row

__all__ = ["begin", "grant", "hand_in", "last_request", "refusal_to_ask", "send", "settle_request"]


def send(tx: Tx, worker_id: str, sender: str, subject: str, text: str) -> None:
    """Put a message into a worker's inbox."""
    tx.conn.execute(
        message.insert().values(
            id=new_id(), worker_id=worker_id, sender=sender, subject=subject, text=text, sent_at=tx.now
        )
    )


def granted(tx: Tx, type_id: str, worker_id: str) -> Row | None:
    """The worker's qualification of this type, granted or revoked, or None."""
    return one(
        tx,
        sa.select(qualification).where(qualification.c.type_id == type_id, qualification.c.worker_id == worker_id),
    )


def grant(tx: Tx, type_id: str, worker_id: str, value: int) -> None:
    """Grant, or overwrite what is there."""
    values = {"value": value, "status": "Granted", "granted_at": tx.now, "reason": ""}
    if granted(tx, type_id, worker_id) is None:
        tx.conn.execute(qualification.insert().values(type_id=type_id, worker_id=worker_id, **values))
    else:
        tx.conn.execute(
            qualification.update()
            .where(qualification.c.type_id == type_id, qualification.c.worker_id == worker_id)
            .values(values)
        )


def last_request(tx: Tx, type_id: str, worker_id: str) -> Row | None:
    """The worker's newest request of this type, or None."""
    return one(
        tx,
        sa.select(qualification_request)
        .where(qualification_request.c.type_id == type_id, qualification_request.c.worker_id == worker_id)
        .order_by(qualification_request.c.seq.desc())
        .limit(1),
    )


def retry_at(kind: Row, last: Row | None) -> int | None:
    """When the worker may ask (again), in ms; None: never. Without a retry delay there is one request ever."""
    if last is None:
        return 0
    if kind["retry_delay_s"] is None:
        return None
    return int((last["submitted_at"] or last["begun_at"]) + 1000 * kind["retry_delay_s"])


def refusal_to_ask(tx: Tx, kind: Row, worker_id: str) -> str:
    """Why the worker cannot ask for this qualification now, or ""."""
    have = granted(tx, kind["id"], worker_id)
    if have is not None and have["status"] == "Granted" and kind["test"] is None:
        return "You have this qualification already."
    last = last_request(tx, kind["id"], worker_id)
    if last is not None and last["state"] == "Pending":
        return "Your request is waiting for the requester's answer."
    again = retry_at(kind, last)
    if again is None:
        return "This qualification can be asked for only once."
    if again > tx.now:
        return f"You can ask for this qualification again in {-(-(again - tx.now) // 60_000)} minutes."
    return ""


def begin(tx: Tx, kind: Row, worker_id: str) -> Row:
    """Ask for the qualification: granted at once, pending, or (with a test) begun. Raises BadForm."""
    last = last_request(tx, kind["id"], worker_id)
    if last is not None and last["state"] == "Begun" and last["due_at"] > tx.now:
        return last
    if last is not None and last["state"] == "Begun":
        last = settle_request(tx, last, "Expired")
    if why := refusal_to_ask(tx, kind, worker_id):
        raise BadForm(why)
    tested = kind["test"] is not None
    row: Row = {
        "id": new_id(),
        "type_id": kind["id"],
        "requester_id": kind["requester_id"],
        "worker_id": worker_id,
        "state": "Begun" if tested else "Pending",
        "begun_at": tx.now,
        "due_at": tx.now + 1000 * kind["test_duration_s"] if tested else None,
        "submitted_at": None if tested else tx.now,
        "answer": None,
    }
    if kind["auto_granted"]:
        row["state"] = "Granted"
        grant(tx, kind["id"], worker_id, 1 if kind["auto_granted_value"] is None else kind["auto_granted_value"])
    tx.conn.execute(qualification_request.insert().values(row))
    return row


def hand_in(tx: Tx, kind: Row, request: Row, fields: Sequence[tuple[str, str]]) -> TooLate | None:
    """The answers to a test: scored where there is a key, else pending. BadForm leaves the test open; being too late
    is returned, because it ends the request."""
    if request["state"] != "Begun":
        raise NotFound("This test has been handed in already.")
    if request["due_at"] <= tx.now:
        settle_request(tx, request, "Expired")
        return TooLate("The time for this test is over.")
    form = parse_question(kind["test"], test=True).form
    assert form is not None
    answers, wrong = forms.form_answers(form, fields)
    if wrong:
        raise BadForm("Please mend your answers. " + "; ".join(wrong) + ".")
    document = forms.answers_xml(answers)
    state = "Pending"
    if kind["answer_key"] is not None:
        state = "Granted"
        grant(
            tx,
            kind["id"],
            request["worker_id"],
            parse_answer_key(kind["answer_key"]).score(forms.read_answers(document)),
        )
    settle_request(tx, request, state, answer=document, submitted_at=tx.now)
    return None


def settle_request(tx: Tx, request: Row, state: str, **values: object) -> Row:
    """Move a request to another state."""
    changes = {"state": state, **values}
    tx.conn.execute(qualification_request.update().where(qualification_request.c.id == request["id"]).values(changes))
    return {**request, **changes}
