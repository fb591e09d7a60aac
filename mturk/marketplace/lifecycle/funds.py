"""Requesters' money: a constant in the sandbox, a ledger with holds otherwise."""

from __future__ import annotations

import sqlalchemy as sa

from ..errors import Refused
from ..store import Tx, one
from ..store.tables import ledger, requester

__all__ = ["SANDBOX_CENTS", "available", "hold", "keep", "pay", "top_up"]

SANDBOX_CENTS = 10_000_00


def _balance(tx: Tx, requester_id: str, *, hold: bool = False) -> tuple[int, int]:
    asked = sa.select(requester.c.balance_cents, requester.c.hold_cents).where(requester.c.id == requester_id)
    row = one(tx, asked.with_for_update() if hold and not tx.alone else asked)
    assert row is not None
    return row["balance_cents"], row["hold_cents"]


def available(tx: Tx, requester_id: str) -> tuple[int, int]:
    """(spendable, on hold) in cents."""
    if tx.config.sandbox:
        return SANDBOX_CENTS, 0
    balance, held = _balance(tx, requester_id)
    return max(0, balance - held), held


def hold(tx: Tx, requester_id: str, cents: int) -> None:
    """Reserve `cents` more, or release them when negative. Raises Refused (InsufficientFunds)."""
    if tx.config.sandbox or cents == 0:
        return
    if cents > 0:
        balance, held = _balance(tx, requester_id, hold=True)
        if balance - held < cents:
            raise insufficient()
    tx.conn.execute(
        requester.update().where(requester.c.id == requester_id).values(hold_cents=requester.c.hold_cents + cents)
    )


def pay(tx: Tx, requester_id: str, kind: str, cents: int, assignment_id: str, *, held: bool) -> None:
    """Debit `cents`. `held` payments were reserved when the HIT was made and cannot fail for want of money."""
    if tx.config.sandbox:
        return
    if not held:
        balance, reserved = _balance(tx, requester_id, hold=True)
        if balance - reserved < cents:
            raise insufficient()
    _book(tx, requester_id, kind, -cents, assignment_id)


def keep(tx: Tx, requester_id: str) -> None:
    """Let one transaction of this requester at a time go on from here: tokens are used once, types made once, and a
    HIT that came later is never seen before one that came earlier."""
    if not tx.alone:
        tx.conn.execute(sa.select(requester.c.seq).where(requester.c.id == requester_id).with_for_update())


def top_up(tx: Tx, requester_id: str, cents: int) -> None:
    """Credit a requester: what the operator does when money came in."""
    _book(tx, requester_id, "top-up", cents, None)


def _book(tx: Tx, requester_id: str, kind: str, cents: int, assignment_id: str | None) -> None:
    tx.conn.execute(
        requester.update().where(requester.c.id == requester_id).values(balance_cents=requester.c.balance_cents + cents)
    )
    tx.conn.execute(
        ledger.insert().values(
            requester_id=requester_id, at=tx.now, kind=kind, cents=cents, assignment_id=assignment_id
        )
    )


def insufficient() -> Refused:
    """MTurk's own sentence, with the command that helps here."""
    return Refused(
        "This Requester has insufficient funds in their account to complete this transaction. "
        "Please ask the operator to add funds: galloway market requester fund NAME AMOUNT",
        "AWS.MechanicalTurk.InsufficientFunds",
    )
