"""CreateHITType, CreateHIT, CreateHITWithHITType, UpdateHITTypeOfHIT."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..lifecycle import funds, groups, hits, standing
from ..rules import money, review
from ..rules.hittypes import YEAR, HitTypeSpec, check_range, check_text, hit_type_spec
from ..rules.pages import check_page
from ..rules.qualifications import MASTERS, SYSTEM_TYPES
from ..rules.questions import Question, check_question, fill_layout
from ..stamps import new_id
from ..store import one
from ..store.tables import hit_type, hit_type_requirement, layout, qualification_type
from ..store.transactions import Row
from .base import (
    Call,
    hit_exists_already,
    missing,
    own_hit,
    remember_token,
    used_token,
    wrong_value,
)
from .shapes import hit_shape

__all__ = ["create_hit", "create_hit_type", "create_hit_with_hit_type", "update_hit_type"]

MOST_ASSIGNMENTS = 1_000_000_000


def create_hit_type(call: Call) -> dict[str, Any]:
    """Find or create by the seven attributes."""
    return {"HITTypeId": _hit_type(call, hit_type_spec(call.params))["id"]}


def create_hit(call: Call) -> dict[str, Any]:
    """Find or create the HIT type, then as CreateHITWithHITType."""
    funds.keep(call.tx, call.owner)
    used = used_token(call)
    if used is not None:
        raise hit_exists_already(used["object_id"])
    return _create(call, _hit_type(call, hit_type_spec(call.params)))


def create_hit_with_hit_type(call: Call) -> dict[str, Any]:
    """A HIT of an existing type."""
    funds.keep(call.tx, call.owner)
    used = used_token(call)
    if used is not None:
        raise hit_exists_already(used["object_id"])
    return _create(call, _own_type(call))


def update_hit_type(call: Call) -> dict[str, Any]:
    """Move an untouched HIT to another type; refused once anybody accepted it."""
    row, kind = own_hit(call), _own_type(call)
    if row["touched"] or row["status"] == "Disposed":
        raise hits.wrong_state(row, "Assignable,Reviewable without any assignment ever accepted")
    fee = _fee(call, kind, row["max_assignments"])
    cents = {"reward_cents": kind["reward_cents"]}
    hits.change(call.tx, row | cents, type_id=kind["id"], fee_cents=fee)
    return {}


def _own_type(call: Call) -> Row:
    """The HIT type that HITs are made of. One that asks for a qualification that was deleted makes none any more."""
    kind = one(call.tx, sa.select(hit_type).where(hit_type.c.id == call["HITTypeId"]))
    if kind is None or kind["requester_id"] != call.owner:
        raise missing("HITType", call["HITTypeId"])
    _check_qualification_types(call, {item.type_id for item in standing.requirements_of(kind["requirements"])})
    return kind


def _hit_type(call: Call, spec: HitTypeSpec) -> Row:
    names = {str(item["QualificationTypeId"]) for item in spec.requirements}
    _check_qualification_types(call, names)
    known = sa.select(hit_type).where(hit_type.c.requester_id == call.owner, hit_type.c.key_hash == spec.key_hash)
    found = one(call.tx, known)
    if found is not None:
        return found
    row: Row = {
        "id": new_id(),
        "group_id": new_id(),
        "requester_id": call.owner,
        "key_hash": spec.key_hash,
        "work_kind": spec.work_kind(call.owner),
        "title": spec.title,
        "description": spec.description,
        "keywords": spec.keywords,
        "reward_cents": spec.reward_cents,
        "duration_s": spec.duration_s,
        "auto_approval_s": spec.auto_approval_s,
        "requirements": json.dumps(spec.requirements),
        "created_at": call.tx.now,
        "words": groups.searched(spec.title, spec.description, spec.keywords, call.requester["name"]),
    }
    call.tx.conn.execute(hit_type.insert().values(row))
    for name in sorted(names):
        call.tx.conn.execute(hit_type_requirement.insert().values(hit_type_id=row["id"], qualification_type_id=name))
    return row


def _check_qualification_types(call: Call, names: set[str]) -> None:
    for name in sorted(names - SYSTEM_TYPES.keys()):
        kind = one(call.tx, sa.select(qualification_type).where(qualification_type.c.id == name))
        if kind is None or kind["deleted_at"] is not None:
            raise missing("QualificationType", name[:64])


def _fee(call: Call, kind: Row, places: int) -> int:
    masters = any(item.type_id in MASTERS for item in standing.requirements_of(kind["requirements"]))
    return money.reward_fee(
        kind["reward_cents"], percent=call.tx.config.fee_percent, assignments=places, masters=masters
    )


def _create(call: Call, kind: Row) -> dict[str, Any]:
    places = check_range("MaxAssignments", call.get("MaxAssignments", 1), 1, MOST_ASSIGNMENTS)
    lifetime = check_range("LifetimeInSeconds", call["LifetimeInSeconds"], 30, YEAR)
    annotation = call.get("RequesterAnnotation")
    if annotation is not None:
        check_text("RequesterAnnotation", annotation, 255)
    text, names = _question(call)
    row: Row = {
        "id": new_id(),
        "requester_id": call.owner,
        "type_id": kind["id"],
        "question": text,
        "layout_id": call.get("HITLayoutId"),
        "annotation": annotation,
        "max_assignments": places,
        "created_at": call.tx.now,
        "expires_at": call.tx.now + 1000 * lifetime,
        "fee_cents": _fee(call, kind, places),
        "reward_cents": kind["reward_cents"],
        "assignment_policy": _policy(call, "AssignmentReviewPolicy", names),
        "hit_policy": _policy(call, "HITReviewPolicy", names),
    }
    made = hits.insert(call.tx, row)
    remember_token(call, made["id"])
    return {"HIT": hit_shape({**kind, **made})}


@dataclass(frozen=True, slots=True)
class _Names:
    """What answers can be to, None where that is not known; `sure` where nothing else can be sent."""

    known: frozenset[str] | None
    sure: bool


def _question(call: Call) -> tuple[str, _Names]:
    """(the question's XML, what answers to it can name)."""
    given, layout_id = call.get("Question"), call.get("HITLayoutId")
    if (given is None) == (layout_id is None):
        raise wrong_value("Exactly one of Question and HITLayoutId must be given.")
    if given is not None:
        if call.get("HITLayoutParameters"):
            raise wrong_value("HITLayoutParameters need a HITLayoutId.")
        return str(given), _checked(call, check_question(given))
    found = one(call.tx, sa.select(layout).where(layout.c.id == layout_id))
    if found is None or found["requester_id"] != call.owner:
        raise missing("HITLayout", layout_id)
    parameters = [(item["Name"], item["Value"]) for item in call.get("HITLayoutParameters", ())]
    filled = fill_layout(found["html"], parameters)
    return filled, _checked(call, check_question(filled))


def _checked(call: Call, question: Question) -> _Names:
    """Refuse a page that nobody could ever answer: it would be sent empty, and paid. Doubts go beside the answer."""
    if question.form is not None:
        return _Names(frozenset(asked.identifier for asked in question.form.questions), True)
    if question.kind != "html":
        return _Names(None, False)
    found = check_page(question.html)
    if found.impossible:
        raise wrong_value("The question cannot be answered. " + " ".join(found.impossible)[:900])
    call.notes.extend(found.doubtful)
    return _Names(found.names, False)


def _policy(call: Call, name: str, names: _Names) -> str | None:
    """The policy as it is kept. One about a question that is not asked would decide about every worker."""
    policy = call.get(name)
    if policy is None:
        return None
    if name == "AssignmentReviewPolicy":
        about = sorted(review.parse_assignment_policy(policy).key)
    else:
        about = sorted(review.parse_hit_policy(policy, new=True).questions)
    strange = [question for question in about if names.known is not None and question not in names.known]
    if strange:
        words = f"{name}: the question has no {strange[0][:60]!r}."
        if names.sure:
            raise wrong_value(words)
        call.notes.append(words)
    return json.dumps(policy)
