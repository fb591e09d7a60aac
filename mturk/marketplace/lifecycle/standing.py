"""Where a worker stands: qualifications, blocks, and so what they may see and accept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from ..errors import NotFound
from ..rules import qualifications as rules
from ..rules.qualifications import Held, Requirement
from ..store import Tx, ask, one
from ..store.round_trips import Asked
from ..store.tables import hit_type_requirement, qualification, qualification_type, worker, worker_block
from ..store.transactions import Row

__all__ = ["blocked_by", "find_worker", "held_qualifications", "held_worker", "here", "requirements_of", "unmet"]


_WORKER = sa.select(worker).where(worker.c.id == sa.bindparam("wanted"))
_HELD_WORKER = _WORKER.with_for_update()
_GRANTED = (
    sa.select(qualification.c.type_id, qualification.c.value)
    .join(qualification_type, qualification_type.c.id == qualification.c.type_id)
    .where(
        qualification.c.worker_id == sa.bindparam("wanted"),
        qualification.c.status == "Granted",
        qualification_type.c.deleted_at.is_(None),
    )
)
_GONE = sa.select(qualification_type.c.id).where(
    qualification_type.c.deleted_at.is_not(None),
    sa.exists().where(hit_type_requirement.c.qualification_type_id == qualification_type.c.id),
)
_BLOCKERS = sa.select(worker_block.c.requester_id).where(worker_block.c.worker_id == sa.bindparam("wanted"))


def find_worker(tx: Tx, worker_id: str) -> Row | None:
    """The worker's row, also of one who has left, or None."""
    return one(tx, _WORKER, {"wanted": worker_id})


def held_worker(tx: Tx, worker_id: str, more: Asked) -> tuple[Row, Row]:
    """(The worker's row, as it stays until the transaction's end; the first row of `more`, asked once it is held.)
    NotFound for one who has left."""
    ((person, *_), (about, *_)) = ask(tx, (_WORKER if tx.alone else _HELD_WORKER, {"wanted": worker_id}), more)
    return here(person), about


def here(person: Row | None) -> Row:
    """The row of a worker who works here. NotFound for one who has left."""
    if person is None or person["left_at"] is not None:
        raise NotFound("This account is closed.")
    return person


def held_qualifications(tx: Tx, person: Row) -> dict[str, Held]:
    """Everything granted to the worker, with the system qualifications. Deleted types that HITs ask for are GONE for
    everybody: what is deleted opens no HIT and closes none to a few only."""
    granted, gone = ask(tx, (_GRANTED, {"wanted": person["id"]}), (_GONE, {}))
    facts = ("country", "subdivision", "masters", "adult", "submitted", "approved", "rejected")
    system = rules.system_values(**{name: person[name] for name in facts})
    held = {row["type_id"]: Held(row["value"]) for row in granted}
    return {**held, **{row["id"]: rules.GONE for row in gone}, **system}


def requirements_of(text: str) -> tuple[Requirement, ...]:
    """The stored requirements of a HIT type."""
    return tuple(Requirement.read(item) for item in json.loads(text)) if text and text != "[]" else ()


def unmet(
    requirements: Iterable[Requirement], held: Mapping[str, Held], action: rules.Action = "Accept"
) -> tuple[Requirement, ...]:
    """The requirements that guard the action and do not hold."""
    return tuple(
        requirement
        for requirement in requirements
        if rules.guards(requirement, action) and not rules.meets(held.get(requirement.type_id), requirement)
    )


def blocked_by(tx: Tx, worker_id: str) -> set[str]:
    """Ids of the requesters who blocked the worker."""
    found = tx.conn.execute(_BLOCKERS, {"wanted": worker_id})
    return set(found.scalars())
