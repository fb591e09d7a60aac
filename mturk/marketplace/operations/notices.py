"""UpdateNotificationSettings and SendTestEventNotification."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ..lifecycle.events import compose
from ..rules.notifications import VERSIONS, check_destination
from ..stamps import new_id
from ..store import one
from ..store.tables import hit_type, notification_spec
from .base import Call, missing, wrong_value

__all__ = ["send_test_event", "update_settings"]


def _checked(call: Call, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The notification's columns. Raises Refused."""
    if spec["Version"] not in VERSIONS:
        raise wrong_value(f"Notification Version must be {' or '.join(VERSIONS)}, not {spec['Version'][:40]}.")
    if not spec["EventTypes"] or "Ping" in spec["EventTypes"]:
        raise wrong_value("EventTypes needs at least one event; Ping is for SendTestEventNotification only.")
    check_destination(
        spec["Transport"],
        spec["Destination"],
        aws_endpoint_url=call.tx.config.aws_endpoint_url,
        webhook_hosts=call.tx.config.webhook_hosts,
    )
    return {
        "destination": spec["Destination"],
        "transport": spec["Transport"],
        "event_types": json.dumps(sorted(set(spec["EventTypes"]))),
    }


def update_settings(call: Call) -> dict[str, Any]:
    """Set, replace, switch on or switch off the one notification of a HIT type."""
    kind = one(call.tx, sa.select(hit_type).where(hit_type.c.id == call["HITTypeId"]))
    if kind is None or kind["requester_id"] != call.owner:
        raise missing("HITType", call["HITTypeId"])
    mine = notification_spec.c.hit_type_id == kind["id"]
    known = one(call.tx, sa.select(notification_spec).where(mine))
    given, active = call.get("Notification"), call.get("Active")
    if given is None and active is None:
        raise wrong_value("At least one of Notification and Active must be given.")
    if given is None and known is None:
        raise wrong_value(f"HITType {kind['id']} has no notification that Active could switch.")
    values: dict[str, Any] = {} if given is None else _checked(call, given)
    if active is not None or known is None:
        values["active"] = True if active is None else active
    if known is None:
        call.tx.conn.execute(notification_spec.insert().values(hit_type_id=kind["id"], **values))
    else:
        call.tx.conn.execute(notification_spec.update().where(mine).values(values))
    return {}


def send_test_event(call: Call) -> dict[str, Any]:
    """One event of the wanted type for the destination, whatever EventTypes says, with made-up ids; it is sent at once,
    after this transaction."""
    spec = {**_checked(call, {**call["Notification"], "EventTypes": ["HITCreated"]}), "hit_type_id": new_id()}
    kind = call["TestEventType"]
    ids = [] if kind == "Ping" else [("HITTypeId", spec["hit_type_id"]), ("HITId", new_id())]
    if kind.startswith("Assignment"):
        ids.append(("AssignmentId", new_id()))
    return compose(call.tx, kind, spec, call.owner, ids)
