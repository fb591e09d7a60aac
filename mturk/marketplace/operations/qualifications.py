"""Qualification types: create, read, list, change, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ..errors import Refused
from ..rules.answerkey import check_key, parse_answer_key
from ..rules.hittypes import YEAR, check_range, check_text
from ..rules.qualifications import SYSTEM_TYPES
from ..rules.questions import check_question, parse_question
from ..stamps import new_id
from ..store import one
from ..store.tables import qualification_request, qualification_type
from ..store.transactions import Row
from .base import Call, missing, page, wrong_value
from .shapes import qualification_type_shape

__all__ = ["create", "delete", "get", "list_types", "own_type", "update"]

_COLUMNS = {
    "Description": "description",
    "QualificationTypeStatus": "status",
    "Test": "test",
    "AnswerKey": "answer_key",
    "TestDurationInSeconds": "test_duration_s",
    "RetryDelayInSeconds": "retry_delay_s",
    "AutoGranted": "auto_granted",
    "AutoGrantedValue": "auto_granted_value",
}


def own_type(call: Call) -> Row:
    """The caller's living qualification type. Foreign and deleted ones do not exist."""
    name = call["QualificationTypeId"]
    row = one(call.tx, sa.select(qualification_type).where(qualification_type.c.id == name))
    if row is None or row["requester_id"] != call.owner or row["deleted_at"] is not None:
        raise missing("QualificationType", name)
    return row


def _given(params: Mapping[str, Any]) -> Row:
    """The columns that the call sets, each checked by itself."""
    if params.get("Test") is not None:
        check_question(params["Test"], test=True)
    if params.get("AnswerKey") is not None:
        parse_answer_key(params["AnswerKey"], new=True)
    if "TestDurationInSeconds" in params:
        check_range("TestDurationInSeconds", params["TestDurationInSeconds"], 1, YEAR)
    if "RetryDelayInSeconds" in params:
        check_range("RetryDelayInSeconds", params["RetryDelayInSeconds"], 0, YEAR)
    check_text("Description", params.get("Description", ""), 2000)
    return {column: params[name] for name, column in _COLUMNS.items() if name in params}


def _check_together(row: Row) -> None:
    if row["test"] is not None and row["test_duration_s"] is None:
        raise wrong_value("A Test needs TestDurationInSeconds.")
    if row["test"] is None and (row["answer_key"] is not None or row["test_duration_s"] is not None):
        raise wrong_value("AnswerKey and TestDurationInSeconds need a Test.")
    if row["test"] is not None and row["auto_granted"]:
        raise wrong_value("A QualificationType with a Test cannot be AutoGranted.")
    if row["auto_granted_value"] is not None and not row["auto_granted"]:
        raise wrong_value("AutoGrantedValue needs AutoGranted.")


def _check_key(row: Row) -> None:
    form = parse_question(row["test"], test=True).form if row["answer_key"] is not None else None
    if form is not None:
        check_key(parse_answer_key(row["answer_key"]), form)


def create(call: Call) -> dict[str, Any]:
    """A qualification type; its name is unique among the caller's."""
    name = check_text("Name", call["Name"], 200)
    if not name.strip():
        raise wrong_value("Name must not be empty.")
    row: Row = {
        **dict.fromkeys(_COLUMNS.values()),
        "auto_granted": False,
        **_given(call.params),
        "id": new_id(),
        "requester_id": call.owner,
        "name": name,
        "keywords": check_text("Keywords", call.get("Keywords", ""), 1000),
        "created_at": call.tx.now,
    }
    _check_together(row)
    _check_key(row)
    twin = one(
        call.tx,
        sa.select(qualification_type.c.id).where(
            qualification_type.c.requester_id == call.owner,
            qualification_type.c.name == name,
            qualification_type.c.deleted_at.is_(None),
        ),
    )
    if twin is not None:
        raise Refused(
            "You have already created a QualificationType with this name. A QualificationType's name must be unique "
            "among all of the QualificationTypes created by the same user.",
            "AWS.MechanicalTurk.QualificationTypeAlreadyExists",
        )
    call.tx.conn.execute(qualification_type.insert().values(row))
    return {"QualificationType": qualification_type_shape(row, owned=True)}


def update(call: Call) -> dict[str, Any]:
    """Change what may change: a test can be replaced but not removed, and rules out AutoGranted."""
    row = own_type(call)
    given = _given(call.params)
    if "Test" in call.params and "TestDurationInSeconds" not in call.params:
        raise wrong_value("Changing the Test needs TestDurationInSeconds, too.")
    after = {**row, **given}
    if given.get("auto_granted") is False:
        after["auto_granted_value"] = None
    _check_together(after)
    if given.keys() & {"test", "answer_key"}:
        _check_key(after)
    changed = {name: value for name, value in after.items() if value != row[name]}
    if changed:
        call.tx.conn.execute(qualification_type.update().where(qualification_type.c.id == row["id"]).values(changed))
    return {"QualificationType": qualification_type_shape(after, owned=True)}


def get(call: Call) -> dict[str, Any]:
    """An own, a public or a system type."""
    name = call["QualificationTypeId"]
    if name in SYSTEM_TYPES:
        return {"QualificationType": _system(name)}
    row = one(call.tx, sa.select(qualification_type).where(qualification_type.c.id == name))
    if row is None or row["deleted_at"] is not None:
        raise missing("QualificationType", name)
    return {"QualificationType": qualification_type_shape(row, owned=row["requester_id"] == call.owner)}


def _system(name: str) -> dict[str, Any]:
    title, description = SYSTEM_TYPES[name]
    return {
        "QualificationTypeId": name,
        "CreationTime": 0.0,
        "Name": title,
        "Description": description,
        "QualificationTypeStatus": "Active",
        "IsRequestable": False,
        "AutoGranted": False,
    }


def list_types(call: Call) -> dict[str, Any]:
    """Types by text in name, keywords or description; all requesters' unless MustBeOwnedByCaller."""
    table = qualification_type
    statement = sa.select(table).where(table.c.deleted_at.is_(None))
    if call["MustBeRequestable"]:
        statement = statement.where(table.c.status == "Active")
    if call.get("MustBeOwnedByCaller", False):
        statement = statement.where(table.c.requester_id == call.owner)
    for word in call.get("Query", "").lower().split()[:10]:
        text = sa.func.lower(table.c.name + " " + table.c.keywords + " " + table.c.description)
        statement = statement.where(text.contains(word, autoescape=True))
    found, members = page(call, statement, (table.c.seq,), newest_first=True)
    types = [qualification_type_shape(row, owned=row["requester_id"] == call.owner) for row in found]
    return {**members, "QualificationTypes": types}


def delete(call: Call) -> dict[str, Any]:
    """Delete the type: pending requests are refused, what was granted stays recorded but opens nothing any more."""
    row = own_type(call)
    call.tx.conn.execute(
        qualification_type.update()
        .where(qualification_type.c.id == row["id"])
        .values(deleted_at=call.tx.now, status="Inactive")
    )
    call.tx.conn.execute(
        qualification_request.update()
        .where(
            qualification_request.c.type_id == row["id"],
            qualification_request.c.state.in_(("Pending", "Begun")),
        )
        .values(state="Rejected", reason="The requester removed this qualification.")
    )
    return {}
