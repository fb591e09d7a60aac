"""Blocks and messages."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ..lifecycle import grants, standing
from ..rules.hittypes import check_text
from ..store import one
from ..store.tables import assignment, worker_block
from .base import Call, missing, page, wrong_value

__all__ = ["block", "list_blocks", "notify", "unblock"]

MOST_BLOCKS = 100_000


def block(call: Call) -> dict[str, Any]:
    """Keep a worker from accepting the caller's HITs; what is accepted may be submitted. The reason stays private."""
    if standing.find_worker(call.tx, call["WorkerId"]) is None:
        raise missing("Worker", call["WorkerId"])
    reason = check_text("Reason", call["Reason"], 2000)
    mine = sa.and_(worker_block.c.requester_id == call.owner, worker_block.c.worker_id == call["WorkerId"])
    if one(call.tx, sa.select(worker_block.c.seq).where(mine)) is not None:
        call.tx.conn.execute(worker_block.update().where(mine).values(reason=reason))
        return {}
    count = call.tx.conn.scalar(
        sa.select(sa.func.count()).select_from(worker_block).where(worker_block.c.requester_id == call.owner)
    )
    if (count or 0) >= MOST_BLOCKS:
        raise wrong_value(f"At most {MOST_BLOCKS} workers can be blocked.")
    call.tx.conn.execute(
        worker_block.insert().values(
            requester_id=call.owner, worker_id=call["WorkerId"], reason=reason, created_at=call.tx.now
        )
    )
    return {}


def unblock(call: Call) -> dict[str, Any]:
    """Lift a block; a worker who is not blocked is fine too."""
    call.tx.conn.execute(
        worker_block.delete().where(
            worker_block.c.requester_id == call.owner, worker_block.c.worker_id == call["WorkerId"]
        )
    )
    return {}


def list_blocks(call: Call) -> dict[str, Any]:
    """Whom the caller has blocked, and why."""
    statement = sa.select(worker_block).where(worker_block.c.requester_id == call.owner)
    found, members = page(call, statement, (worker_block.c.seq,))
    blocks = [{"WorkerId": item["worker_id"], "Reason": item["reason"]} for item in found]
    return {**members, "WorkerBlocks": blocks}


def notify(call: Call) -> dict[str, Any]:
    """A message to workers whose work the caller has decided about; failures are listed, not raised."""
    subject = check_text("Subject", call["Subject"], 200)
    text = check_text("MessageText", call["MessageText"], 4096)
    names = list(dict.fromkeys(call["WorkerIds"]))
    if not 1 <= len(names) <= 100:
        raise wrong_value(f"WorkerIds must name 1 to 100 workers, not {len(names)}.")
    failures = []
    for name in names:
        if why := _unreachable(call, name):
            failures.append(
                {
                    "NotifyWorkersFailureCode": "HardFailure",
                    "NotifyWorkersFailureMessage": why,
                    "WorkerId": name,
                }
            )
        else:
            grants.send(call.tx, name, call.requester["name"], subject, text)
    return {"NotifyWorkersFailureStatuses": failures}


def _unreachable(call: Call, worker_id: str) -> str:
    person = standing.find_worker(call.tx, worker_id)
    if person is None or person["left_at"] is not None:
        return "The worker does not exist."
    known = one(
        call.tx,
        sa.select(assignment.c.seq)
        .where(
            assignment.c.worker_id == worker_id,
            assignment.c.requester_id == call.owner,
            assignment.c.state.in_(("Approved", "Rejected")),
        )
        .limit(1),
    )
    return "" if known is not None else "You have not approved or rejected any work of this worker."
