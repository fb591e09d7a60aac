"""Qualifications of workers: requests, grants, scores."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ..errors import Refused
from ..lifecycle import grants, standing
from ..rules.hittypes import check_text
from ..store import one
from ..store.tables import qualification, qualification_request, qualification_type
from ..store.transactions import Row
from .base import Call, missing, page
from .qualifications import own_type
from .shapes import seconds

__all__ = [
    "accept",
    "associate",
    "disassociate",
    "get_score",
    "list_pending",
    "list_workers",
    "reject",
]


def _pending(call: Call) -> Row:
    name = call["QualificationRequestId"]
    row = one(call.tx, sa.select(qualification_request).where(qualification_request.c.id == name))
    if row is None or row["requester_id"] != call.owner or row["state"] in ("Begun", "Expired"):
        raise missing("QualificationRequest", name[:64])
    if row["state"] != "Pending":
        raise Refused(
            f"This QualificationRequest is currently in the state '{row['state']}'.  "
            "This operation can be called with a status of: Submitted",
            "AWS.MechanicalTurk.InvalidQualificationRequestState",
        )
    return row


def accept(call: Call) -> dict[str, Any]:
    """Grant what a worker asked for; the value is 1 where none is given."""
    request = _pending(call)
    grants.grant(call.tx, request["type_id"], request["worker_id"], call.get("IntegerValue", 1))
    grants.settle_request(call.tx, request, "Granted")
    return {}


def reject(call: Call) -> dict[str, Any]:
    """Refuse what a worker asked for; the reason is shown to the worker."""
    request = _pending(call)
    reason = check_text("Reason", call.get("Reason", ""), 2000)
    grants.settle_request(call.tx, request, "Rejected", reason=reason)
    return {}


def associate(call: Call) -> dict[str, Any]:
    """Grant without a request, or change the value; the worker is told unless SendNotification is false."""
    kind = own_type(call)
    person = standing.find_worker(call.tx, call["WorkerId"])
    if person is None or person["left_at"] is not None:
        raise missing("Worker", call["WorkerId"])
    value = call.get("IntegerValue", 1)
    grants.grant(call.tx, kind["id"], person["id"], value)
    if call.get("SendNotification", True):
        text = f"{call.requester['name']} has granted you the qualification “{kind['name']}” with the value {value}."
        grants.send(call.tx, person["id"], call.requester["name"], "You received a qualification", text)
    return {}


def disassociate(call: Call) -> dict[str, Any]:
    """Granted → Revoked; the reason is shown to the worker."""
    kind = own_type(call)
    row = _score(call, kind["id"])
    if row["status"] != "Granted":
        raise _revoked(row)
    reason = check_text("Reason", call.get("Reason", ""), 2000)
    call.tx.conn.execute(
        qualification.update().where(qualification.c.seq == row["seq"]).values(status="Revoked", reason=reason)
    )
    return {}


def _score(call: Call, type_id: str) -> Row:
    row = grants.granted(call.tx, type_id, call["WorkerId"])
    if row is None:
        raise Refused(
            f"Qualification {type_id} of worker {call['WorkerId']} does not exist.",
            "AWS.MechanicalTurk.QualificationDoesNotExist",
        )
    return row


def _revoked(row: Row) -> Refused:
    return Refused(
        f"This Qualification is currently in the state '{row['status']}'.  "
        "This operation can be called with a status of: Granted",
        "AWS.MechanicalTurk.InvalidQualificationState",
    )


def _shape(row: Row) -> dict[str, Any]:
    return {
        "QualificationTypeId": row["type_id"],
        "WorkerId": row["worker_id"],
        "GrantTime": seconds(row["granted_at"]),
        "IntegerValue": row["value"],
        "Status": row["status"],
    }


def get_score(call: Call) -> dict[str, Any]:
    """A granted qualification of one of the caller's types."""
    row = _score(call, own_type(call)["id"])
    if row["status"] != "Granted":
        raise _revoked(row)
    return {"Qualification": _shape(row)}


def list_workers(call: Call) -> dict[str, Any]:
    """Who holds a type (default), or held it."""
    kind = own_type(call)
    statement = sa.select(qualification).where(
        qualification.c.type_id == kind["id"], qualification.c.status == call.get("Status", "Granted")
    )
    found, members = page(call, statement, (qualification.c.seq,))
    return {**members, "Qualifications": [_shape(row) for row in found]}


def list_pending(call: Call) -> dict[str, Any]:
    """Requests that wait for the caller, oldest first."""
    statement = (
        sa.select(qualification_request, qualification_type.c.test)
        .join(qualification_type, qualification_type.c.id == qualification_request.c.type_id)
        .where(qualification_request.c.requester_id == call.owner, qualification_request.c.state == "Pending")
    )
    if call.get("QualificationTypeId") is not None:
        statement = statement.where(qualification_request.c.type_id == own_type(call)["id"])
    found, members = page(call, statement, (qualification_request.c.seq,))
    requests = []
    for row in found:
        item = {
            "QualificationRequestId": row["id"],
            "QualificationTypeId": row["type_id"],
            "WorkerId": row["worker_id"],
            "SubmitTime": seconds(row["submitted_at"]),
        }
        for name, column in (("Test", "test"), ("Answer", "answer")):
            if row[column] is not None:
                item[name] = row[column]
        requests.append(item)
    return {**members, "QualificationRequests": requests}
