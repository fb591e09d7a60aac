"""The requester's side of recruiting: studies, who came, and the ledger of what each person was paid.

Each method is one committed transaction. A payment is written as an intent before anything is sent; one reward, one
top-up and one refusal exist for a person, whatever is run again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ...recruiting.signing import panel_link, person_link, study_secret
from ...recruiting.values import (
    Entry,
    EntryId,
    EntryState,
    Payment,
    PaymentId,
    PaymentKind,
    Study,
    StudyStatus,
)
from ..errors import OperatorError
from ..lifecycle import recruits
from ..rules.money import to_decimal
from ..stamps import from_ms
from ..store import Store, Tx, one, rows
from ..store.database import make_engine, reading
from ..store.recruit_tables import recruit_entry, recruit_payment, recruit_study
from ..store.tables import hit, hit_type, worker
from ..store.transactions import Row

__all__ = ["Recruiting", "Sources", "recorded_sources"]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where recruited workers came from, and by source what was paid to them or is owed: rewards, top-ups, fees."""

    of_worker: Mapping[str, str]
    rewards: Mapping[str, Decimal]
    bonuses: Mapping[str, Decimal]
    fees: Mapping[str, Decimal]


class Recruiting:
    """Studies and their people, for whoever publishes and pays."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- studies ------------------------------------------------------------------------------------------------
    def open_work(self, group_id: str) -> tuple[int, int]:
        """(how many assignments of a group of HITs are still to be had, of how many HITs: one person does each once).
        OperatorError for a group that is not there."""
        free = hit.c.max_assignments - hit.c.held - hit.c.submitted - hit.c.approved - hit.c.rejected
        with self._store.read() as tx:
            kind = one(tx, sa.select(hit_type.c.id).where(hit_type.c.group_id == group_id))
            if kind is None:
                raise OperatorError(
                    f"There is no group of HITs {group_id} on this marketplace. See: galloway batch list"
                )
            mine = sa.and_(hit.c.type_id == kind["id"], hit.c.status == "Assignable", free > 0)
            found = tx.conn.execute(sa.select(sa.func.sum(free), sa.func.count()).where(mine)).one()
            return int(found[0] or 0), int(found[1])

    def add_study(self, study: Study) -> None:
        """Keep a new study. OperatorError where the key is taken."""
        with self._store.write() as tx:
            if recruits.find_study(tx, study.key) is not None:
                raise OperatorError(
                    f"There is a study {study.key!r} already. While nobody took a place it can be made anew: galloway "
                    f"recruit remove {study.key}"
                )
            about = {"key": study.key, "source": study.source, "panel_id": study.panel_id, "status": study.status}
            terms = recruits.terms_of(study)
            tx.conn.execute(recruit_study.insert().values({**about, "terms": terms, "created_at": tx.now}))

    def studies(self) -> tuple[Study, ...]:
        """All studies, oldest first."""
        with self._store.read() as tx:
            return tuple(map(recruits.read_study, rows(tx, sa.select(recruit_study).order_by(recruit_study.c.seq))))

    def study(self, key: str) -> Study:
        """One study. OperatorError if it is not there."""
        with self._store.read() as tx:
            found = recruits.find_study(tx, key)
        if found is None:
            raise OperatorError(f"There is no study {key!r}. See: galloway recruit status")
        return found

    def change_study(self, key: str, *, status: StudyStatus | None = None, panel_id: str | None = None) -> Study:
        """Note where a study stands, or what the panel calls it."""
        given = {"status": status, "panel_id": panel_id}
        with self._store.write() as tx:
            values = {name: value for name, value in given.items() if value is not None}
            tx.conn.execute(recruit_study.update().where(recruit_study.c.key == key).values(values))
        return self.study(key)

    def remove_study(self, key: str) -> None:
        """Forget a study, and who only declined. OperatorError where somebody agreed to its terms."""
        came = sa.and_(recruit_entry.c.study_key == key, recruit_entry.c.state != "declined")
        with self._store.write() as tx:
            if one(tx, sa.select(recruit_entry.c.seq).where(came).limit(1)) is not None:
                raise OperatorError(
                    f"People took places of the study {key}, so its terms stay and so does it. Let nobody new in: "
                    f"galloway recruit stop {key}"
                )
            tx.conn.execute(recruit_entry.delete().where(recruit_entry.c.study_key == key))
            tx.conn.execute(recruit_study.delete().where(recruit_study.c.key == key))

    def link(self, study: Study, site: str, group: str = "") -> str:
        """The link that goes to the panel, who fills in the people."""
        return panel_link(site, study, study_secret(self._store.key, study.key), group)

    def person_link(self, study: Study, site: str, participant: str, session: str, until: int | None) -> str:
        """The link of one person."""
        return person_link(site, study, study_secret(self._store.key, study.key), participant, session, until)

    # -- people -------------------------------------------------------------------------------------------------
    def entries(self, key: str) -> tuple[Entry, ...]:
        """Everybody who came, in that order."""
        with self._store.read() as tx:
            mine = sa.select(recruit_entry).where(recruit_entry.c.study_key == key).order_by(recruit_entry.c.seq)
            return tuple(recruits.entries(tx, rows(tx, mine)))

    def move(self, entry: EntryId, state: EntryState, panel_state: str | None = None) -> None:
        """Note where a person's entry stands, and what the panel says of it."""
        values: dict[str, Any] = {"state": state}
        with self._store.write() as tx:
            if panel_state is not None:
                values |= {"panel_state": panel_state[:32], "panel_at": tx.now}
            tx.conn.execute(recruit_entry.update().where(recruit_entry.c.seq == entry).values(values))

    def redeem(self, key: str, code: str) -> Entry:
        """Take a completion code, once. OperatorError for one that we did not give, or that was taken before."""
        with self._store.write() as tx:
            wanted = code.strip().upper()
            row = recruits.find_entry(tx, key, code=wanted) if wanted else None
            if row is None:
                raise OperatorError(f"{code[:40]!r} is no completion code of the study {key}.")
            if row["redeemed_at"] is not None:
                when = from_ms(row["redeemed_at"])
                raise OperatorError(f"The code {wanted} was taken before, on {when:%d %B %Y, %H:%M} UTC.")
            taken = recruit_entry.update().where(recruit_entry.c.seq == row["seq"])
            tx.conn.execute(taken.values(redeemed_at=tx.now))
            return recruits.entry_of(tx, {**row, "redeemed_at": tx.now})

    # -- the ledger ---------------------------------------------------------------------------------------------
    def payments(self, key: str) -> tuple[Payment, ...]:
        """What was meant to be paid and what was, in the order of intent."""
        mine = sa.select(recruit_payment).where(recruit_payment.c.study_key == key).order_by(recruit_payment.c.seq)
        with self._store.read() as tx:
            return tuple(map(_payment, rows(tx, mine)))

    def intend(self, entry: Entry, kind: PaymentKind, amount: Decimal, fee: Decimal, reason: str) -> Payment:
        """The payment of this kind for this person: written now, or the one that was written before, unchanged."""
        mine = sa.and_(recruit_payment.c.entry_seq == entry.id, recruit_payment.c.kind == kind)
        with self._store.write() as tx:
            if one(tx, sa.select(recruit_payment.c.seq).where(mine)) is None:
                values = {"study_key": entry.study, "entry_seq": entry.id, "kind": kind, "reason": reason}
                money = {"amount_cents": round(amount * 100), "fee_cents": round(fee * 100)}
                tx.conn.execute(
                    recruit_payment.insert().values({**values, **money, "status": "intent", "intent_at": tx.now})
                )
            return _payment(rows(tx, sa.select(recruit_payment).where(mine))[0])

    def note_ref(self, payment: Payment, ref: str) -> Payment:
        """The panel's own id of the payment, before it is paid."""
        return self._change(payment, ref=ref)

    def note_paying(self, payment: Payment) -> Payment:
        """From here on it may have been paid."""
        return self._change(payment, status="paying", paying=True)

    def note_unpaid(self, payment: Payment) -> Payment:
        """It is known that it was not paid."""
        return self._change(payment, status="intent", paying=False)

    def note_done(self, payment: Payment, state: EntryState) -> None:
        """It was paid, or refused; the person's entry stands so now. Both or neither."""
        with self._store.write() as tx:
            self._finish(tx, [payment.id])
            tx.conn.execute(recruit_entry.update().where(recruit_entry.c.seq == payment.entry).values(state=state))
            recruits.forget_leavers(tx, [payment.entry])

    def _change(self, payment: Payment, *, paying: bool | None = None, **values: Any) -> Payment:
        mine = recruit_payment.c.seq == payment.id
        with self._store.write() as tx:
            if paying is not None:
                values["paying_at"] = tx.now if paying else None
            tx.conn.execute(recruit_payment.update().where(mine, recruit_payment.c.status != "done").values(values))
            return _payment(rows(tx, sa.select(recruit_payment).where(mine))[0])

    def _finish(self, tx: Tx, ids: Sequence[int]) -> None:
        mine = sa.and_(recruit_payment.c.seq.in_(ids), recruit_payment.c.status != "done")
        tx.conn.execute(recruit_payment.update().where(mine).values(status="done", done_at=tx.now))

    # -- pay lists ----------------------------------------------------------------------------------------------
    def make_list(self, key: str) -> int:
        """Put everything that is due and on no list yet on a new one; its number, 0 where nothing is due.

        A top-up waits for its reward: its intent is written first, and a person whose list was paid is paid."""
        reward = recruit_payment.alias("reward")
        due = sa.and_(
            sa.exists().where(reward.c.entry_seq == recruit_payment.c.entry_seq, reward.c.kind == "reward"),
            recruit_payment.c.study_key == key,
            recruit_payment.c.kind.in_(("reward", "bonus")),
            recruit_payment.c.status == "intent",
            recruit_payment.c.pay_list == 0,
        )
        newest = sa.select(sa.func.max(recruit_payment.c.pay_list)).where(recruit_payment.c.study_key == key)
        with self._store.write() as tx:
            number = int(tx.conn.scalar(newest) or 0) + 1
            changed = tx.conn.execute(recruit_payment.update().where(due).values(pay_list=number))
            return number if changed.rowcount else 0

    def list_paid(self, key: str, number: int) -> int:
        """A list was paid outside: how many payments that settles, 0 where it was noted before. OperatorError for a
        list that was never made."""
        mine = sa.and_(recruit_payment.c.study_key == key, recruit_payment.c.pay_list == number)
        with self._store.write() as tx:
            found = rows(tx, sa.select(recruit_payment).where(mine)) if number > 0 else []
            if not found:
                raise OperatorError(
                    f"The study {key} has no pay list {number}. Make one: galloway recruit export {key}"
                )
            fresh = [row for row in found if row["status"] != "done"]
            self._finish(tx, [row["seq"] for row in fresh])
            people = {row["entry_seq"] for row in fresh}
            tx.conn.execute(recruit_entry.update().where(recruit_entry.c.seq.in_(people)).values(state="paid"))
            recruits.forget_leavers(tx, people)
            return len(fresh)


def _payment(row: Row) -> Payment:
    return Payment(
        id=PaymentId(row["seq"]),
        entry=EntryId(row["entry_seq"]),
        kind=row["kind"],
        amount=to_decimal(row["amount_cents"]),
        fee=to_decimal(row["fee_cents"]),
        reason=row["reason"],
        ref=row["ref"],
        status=row["status"],
        intent_at=from_ms(row["intent_at"]),
        paying_at=None if row["paying_at"] is None else from_ms(row["paying_at"]),
        done_at=None if row["done_at"] is None else from_ms(row["done_at"]),
        pay_list=row["pay_list"],
    )


_PAID = (
    sa.select(
        recruit_study.c.source,
        recruit_payment.c.kind,
        sa.func.sum(recruit_payment.c.amount_cents).label("cents"),
        sa.func.sum(recruit_payment.c.fee_cents).label("fees"),
    )
    .join(recruit_study, recruit_study.c.key == recruit_payment.c.study_key)
    .join(recruit_entry, recruit_entry.c.seq == recruit_payment.c.entry_seq)
    .where(
        recruit_payment.c.kind.in_(("reward", "bonus")),
        sa.or_(recruit_payment.c.status == "done", recruit_entry.c.state.in_(("pending", "approved"))),
    )
    .group_by(recruit_study.c.source, recruit_payment.c.kind)
)


def recorded_sources(state_dir: Path, url: str) -> Sources:
    """Where recruited workers came from and what they were paid. Only reads: nothing is made or brought up to date, and
    a database of a release before has nobody to tell of."""
    nobody = Sources({}, {}, {}, {})
    if url.startswith("sqlite") and not (state_dir / "market.db").is_file():
        return nobody
    engine = make_engine(url)
    try:
        with reading(engine) as connection:
            if not sa.inspect(connection).has_table("recruit_payment"):
                return nobody
            came = connection.execute(sa.select(worker.c.id, worker.c.source).where(worker.c.source != ""))
            of_worker = {row.id: row.source for row in came}
            paid = connection.execute(_PAID).mappings().all()
    finally:
        engine.dispose()
    found = replace(nobody, of_worker=of_worker)
    fees: dict[str, Decimal] = {}
    for row in paid:
        fees[row["source"]] = fees.get(row["source"], Decimal(0)) + to_decimal(int(row["fees"]))
    kinds = {
        kind: {row["source"]: to_decimal(int(row["cents"])) for row in paid if row["kind"] == kind}
        for kind in ("reward", "bonus")
    }
    return replace(found, rewards=kinds["reward"], bonuses=kinds["bonus"], fees=fees)
