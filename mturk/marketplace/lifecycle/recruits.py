"""People from a panel: their studies and entries in the database, and what their entry lets them take."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ...recruiting.signing import completion_code, study_secret, worker_of
from ...recruiting.values import Entry, EntryId, Group, Outcome, Study
from ..errors import NotEligible
from ..stamps import from_ms
from ..store import Tx, one, rows
from ..store.recruit_tables import recruit_entry, recruit_study
from ..store.tables import assignment, hit_type, worker
from ..store.transactions import Row

__all__ = [
    "DONE",
    "entries",
    "entry_of",
    "find_entry",
    "find_study",
    "finish",
    "forget",
    "forget_leavers",
    "held_by",
    "hook_path",
    "minted",
    "permit",
    "read_study",
    "terms_of",
    "working",
]

_OUTSIDE = ("key", "source", "panel_id", "status")
"""What stands in columns of its own, because it is looked for or changes."""
_MONEY = ("reward", "floor", "fee_percent", "budget")
DONE = ("Submitted", "Approved", "Rejected")


def terms_of(study: Study) -> str:
    """A study's terms as they are stored."""
    return json.dumps({name: value for name, value in asdict(study).items() if name not in _OUTSIDE}, default=str)


def read_study(row: Row) -> Study:
    """A stored study."""
    terms: dict[str, Any] = json.loads(row["terms"])
    terms["groups"] = tuple(Group(**group) for group in terms["groups"])
    for name in _MONEY:
        terms[name] = None if terms[name] is None else Decimal(terms[name])
    return Study(**terms, **{name: row[name] for name in _OUTSIDE})


def find_study(tx: Tx, key: str) -> Study | None:
    """The study, or None."""
    row = one(tx, sa.select(recruit_study).where(recruit_study.c.key == key))
    return None if row is None else read_study(row)


def find_entry(tx: Tx, study: str, **wanted: str) -> Row | None:
    """The entry of a study by its participant or session, or None."""
    query = sa.select(recruit_entry).where(recruit_entry.c.study_key == study)
    for name, value in wanted.items():
        query = query.where(recruit_entry.c[name] == value)
    return one(tx, query)


def working(tx: Tx, worker_id: str) -> list[Row]:
    """The entries under which a worker works now, the one that was entered last first."""
    mine = sa.and_(recruit_entry.c.worker_id == worker_id, recruit_entry.c.state == "working")
    return rows(tx, sa.select(recruit_entry).where(mine).order_by(recruit_entry.c.consented_at.desc()))


def minted(tx: Tx, study: Study, participant: str) -> Row:
    """The worker who stands for a source's participant; made on the first visit. NotEligible for an erased one."""
    worker_id = worker_of(tx.key, study.source, participant)
    person = one(tx, sa.select(worker).where(worker.c.id == worker_id))
    if person is None:
        tx.conn.execute(worker.insert().values(id=worker_id, name=None, source=study.source, joined_at=tx.now))
        person = one(tx, sa.select(worker).where(worker.c.id == worker_id))
    assert person is not None
    if person["left_at"] is not None:
        raise NotEligible(
            "You had everything erased that was stored about you here, so this link does not work any more."
        )
    return person


_COUNTS = (
    sa.select(assignment.c.entry_seq, assignment.c.state, sa.func.count().label("count"))
    .where(assignment.c.entry_seq.in_(sa.bindparam("seqs", expanding=True)))
    .group_by(assignment.c.entry_seq, assignment.c.state)
)


def entry_of(tx: Tx, row: Row) -> Entry:
    """One entry with its counts."""
    return entries(tx, [row])[0]


def entries(tx: Tx, found: list[Row]) -> list[Entry]:
    """Entries with their counts."""
    counts: dict[tuple[int, str], int] = {}
    for start in range(0, len(found), 500):
        seqs = [row["seq"] for row in found[start : start + 500]]
        counts |= {(row["entry_seq"], row["state"]): row["count"] for row in rows(tx, _COUNTS, {"seqs": seqs})}
    return [_entry(row, {state: counts.get((row["seq"], state), 0) for state in DONE}) for row in found]


def _entry(row: Row, counts: Mapping[str, int]) -> Entry:
    return Entry(
        id=EntryId(row["seq"]),
        study=row["study_key"],
        participant=row["participant"],
        session=row["session"],
        worker_id=row["worker_id"],
        group_id=row["group_id"],
        state=row["state"],
        outcome=row["outcome"],
        code=row["code"],
        landed_at=from_ms(row["landed_at"]),
        finished_at=None if row["finished_at"] is None else from_ms(row["finished_at"]),
        redeemed_at=None if row["redeemed_at"] is None else from_ms(row["redeemed_at"]),
        panel_state=row["panel_state"],
        done=sum(counts.values()),
        approved=counts["Approved"],
        rejected=counts["Rejected"],
    )


def held_by(tx: Tx, entry_seq: int) -> str:
    """The assignment that is at hand under an entry, "" for none."""
    mine = sa.and_(assignment.c.entry_seq == entry_seq, assignment.c.state == "Accepted")
    return tx.conn.scalar(sa.select(assignment.c.id).where(mine).order_by(assignment.c.seq)) or ""


def permit(tx: Tx, person: Row, hit: Row) -> int | None:
    """The entry under which a worker takes a HIT; None for workers who were not recruited. NotEligible where no entry
    of the worker covers it, or it covers no more."""
    if not person["source"]:
        return None
    group_id = tx.conn.scalar(sa.select(hit_type.c.group_id).where(hit_type.c.id == hit["type_id"]))
    for row in working(tx, person["id"]):
        study = find_study(tx, row["study_key"])
        assert study is not None
        wanted = {row["group_id"]} if row["group_id"] else {group.group_id for group in study.groups}
        taken = entry_of(tx, row).done + bool(held_by(tx, row["seq"]))
        if group_id in wanted and taken < study.hits:
            return int(row["seq"])
    raise NotEligible("This is not part of what you were asked to do, or you have done all of it.")


def finish(tx: Tx, study: Study, row: Row, outcome: Outcome) -> None:
    """The person has done all there was to do: the entry waits for its pay, under a code that nobody else gets."""
    code = completion_code(study_secret(tx.key, study.key), row["participant"], row["session"])
    state = "pending" if outcome == "COMPLETED" else "returned"
    values = {"state": state, "outcome": outcome, "code": code, "finished_at": tx.now}
    mine = sa.and_(recruit_entry.c.seq == row["seq"], recruit_entry.c.state == "working")
    tx.conn.execute(recruit_entry.update().where(mine).values(values))


def forget(tx: Tx, worker_id: str) -> None:
    """Erase by which name a panel knows a worker who has left, wherever nothing is to be paid any more."""
    mine = sa.and_(recruit_entry.c.worker_id == worker_id, recruit_entry.c.state.not_in(("pending", "approved")))
    gone = sa.literal("erased ") + sa.cast(recruit_entry.c.seq, sa.String)
    tx.conn.execute(recruit_entry.update().where(mine).values(participant=gone, session=gone, code=""))


def forget_leavers(tx: Tx, entry_seqs: Collection[int]) -> None:
    """The same for those of these entries whose workers have left: they are paid now."""
    of_left = sa.select(worker.c.id).where(worker.c.left_at.is_not(None))
    mine = sa.and_(recruit_entry.c.seq.in_(entry_seqs), recruit_entry.c.worker_id.in_(of_left))
    for worker_id in tx.conn.scalars(sa.select(recruit_entry.c.worker_id).where(mine)).all():
        forget(tx, worker_id)


def hook_path(state_dir: Path, source: str) -> Path:
    """Where the secret is kept with which a panel signs its reports."""
    return state_dir / f"{source}.hook"
