"""Notifications go into the outbox in the transaction of the event itself."""

from __future__ import annotations

import json

import sqlalchemy as sa

from ..rules.notifications import document
from ..stamps import from_ms, new_id
from ..store import Tx, ask_one, tell
from ..store.tables import notification_spec, outbox
from ..store.transactions import Row

__all__ = ["compose", "emit"]


_SPEC = sa.select(notification_spec).where(
    notification_spec.c.hit_type_id == sa.bindparam("kind"), notification_spec.c.active
)
_QUEUE = outbox.insert()


def emit(tx: Tx, event_type: str, hit: Row, assignment_id: str = "") -> None:
    """Queue one event of a HIT, if its HIT type has an active notification for it."""
    if not hit.get("noted", True):
        return
    spec = ask_one(tx, _SPEC, {"kind": hit["type_id"]})
    if spec is None or event_type not in json.loads(spec["event_types"]):
        return
    ids = [("HITTypeId", hit["type_id"]), ("HITId", hit["id"])]
    if assignment_id:
        ids.append(("AssignmentId", assignment_id))
    row = compose(tx, event_type, spec, hit["requester_id"], ids)
    tell(tx, _QUEUE, {**row, "created_at": tx.now, "state": "Waiting", "next_at": tx.now})


def compose(tx: Tx, event_type: str, spec: Row, requester_id: str, ids: list[tuple[str, str]]) -> Row:
    """One event for a destination, as the outbox holds it and a courier sends it."""
    doc_id = new_id()
    at = from_ms(tx.now).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "id": doc_id,
        "requester_id": requester_id,
        "hit_type_id": spec["hit_type_id"],
        "destination": spec["destination"],
        "transport": spec["transport"],
        "body": document(doc_id=doc_id, customer_id=requester_id, event_type=event_type, at=at, ids=ids),
    }
