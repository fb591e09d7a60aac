"""Approve, reject and pay bonuses, each once. The payment table says what was meant and what is done."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from .client import MTurkClient
from .errors import AlreadyExists, BudgetExceeded, LedgerError, MTurkError, RequestRefused, WrongState
from .ledger import Ledger, Row
from .money import amount
from .prices import Prices
from .publish import Progress

__all__ = ["Bonus", "SettleResult", "approve", "bonus", "note_approvals", "reject"]

_ZERO = Decimal("0.00")
_FEEDBACK_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class SettleResult:
    """How many were settled by this run and how many had been before; what this run paid, fees apart."""

    done: int
    already: int
    paid: Decimal
    fees: Decimal


@dataclass(frozen=True, slots=True)
class Bonus:
    """A bonus for one assignment. `key` names it: the same key is paid once, whatever is run again."""

    assignment_id: str
    amount: Decimal
    reason: str
    key: str = "bonus"


def approve(
    ledger: Ledger,
    client: MTurkClient,
    assignment_ids: Sequence[str],
    *,
    feedback: str = "",
    override_rejection: bool = False,
    progress: Progress = lambda _what, _done, _total: None,
) -> SettleResult:
    """Approve and thereby pay. With `override_rejection` a rejected assignment is approved after all (30 days)."""
    kind = "override" if override_rejection else "approve"
    return _decide(ledger, client, assignment_ids, kind, feedback, progress)


def reject(
    ledger: Ledger,
    client: MTurkClient,
    assignment_ids: Sequence[str],
    *,
    reason: str,
    progress: Progress = lambda _what, _done, _total: None,
) -> SettleResult:
    """Reject: the worker is not paid and reads the reason, so there has to be one."""
    if not reason.strip():
        raise MTurkError("A rejection needs a reason that the worker can read; nothing was rejected.")
    return _decide(ledger, client, assignment_ids, "reject", reason.strip(), progress)


def _decide(
    ledger: Ledger,
    client: MTurkClient,
    assignment_ids: Sequence[str],
    kind: str,
    text: str,
    progress: Progress,
) -> SettleResult:
    if len(text) > _FEEDBACK_LIMIT:
        raise MTurkError(f"The text for the worker is over {_FEEDBACK_LIMIT} characters; nothing was decided.")
    done = already = 0
    paid = fees = _ZERO
    unique = list(dict.fromkeys(assignment_ids))
    prices = Prices(ledger, client.market.state_key, client.market.fees)
    for number, assignment_id in enumerate(unique):
        progress(kind, number, len(unique))
        row = _known(ledger, client, assignment_id)
        if _decide_one(ledger, client, prices, row, kind, text):
            done += 1
            if kind != "reject":
                reward, fee = prices.of(row)
                paid, fees = paid + reward, fees + fee
        else:
            already += 1
    progress(kind, len(unique), len(unique))
    return SettleResult(done, already, paid, fees)


def _known(ledger: Ledger, client: MTurkClient, assignment_id: str) -> Row:
    row = ledger.assignment(client.market.state_key, assignment_id)
    if row is None:
        raise LedgerError(
            f"Assignment {assignment_id} was not collected from the market {client.market.name!r}. "
            "Collect first: galloway collect"
        )
    return row


def _decide_one(ledger: Ledger, client: MTurkClient, prices: Prices, row: Row, kind: str, text: str) -> bool:
    """Decide one assignment; False where that stands already."""
    target = "Rejected" if kind == "reject" else "Approved"
    key = f"{kind}:{row['assignment_id']}"
    earlier = ledger.payment(row["state_key"], key)
    if row["status"] == target and (earlier is None or earlier["status"] == "done"):
        return False
    reward, fee = (_ZERO, _ZERO) if kind == "reject" else prices.of(row)
    if earlier is not None and earlier["status"] == "done":
        # The ledger's status is older than this payment: an approval that was overruled at the market since.
        raise _contradiction(row["assignment_id"], target, row["status"])
    ledger.intend_payment(_payment(row, key, kind, reward, fee, text, token=""))
    try:
        if kind == "reject":
            client.reject(row["assignment_id"], text)
        else:
            client.approve(row["assignment_id"], text, override_rejection=kind == "override")
    except WrongState:
        # Sent before and the answer lost, approved by its own delay, or decided by hand: the market knows.
        actual = client.get_assignment(row["assignment_id"]).status
        if actual != target:
            ledger.drop_intent(row["state_key"], key)
            raise _contradiction(row["assignment_id"], target, actual) from None
        ledger.mark_paid(row["state_key"], key, assignment_status=target)
        return False
    except RequestRefused:
        ledger.drop_intent(row["state_key"], key)
        raise
    ledger.mark_paid(row["state_key"], key, assignment_status=target)
    return True


def _contradiction(assignment_id: str, wanted: str, actual: str) -> LedgerError:
    overrules = (wanted, actual) == ("Approved", "Rejected")
    hint = " Approve it after all with an override (--override)." if overrules else ""
    return LedgerError(f"Assignment {assignment_id} is {actual} at the market and cannot become {wanted}.{hint}")


def _payment(
    row: Row, key: str, kind: str, value: Decimal, fee: Decimal, reason: str, *, token: str
) -> dict[str, object]:
    return {
        "state_key": row["state_key"],
        "payment_key": key,
        "kind": kind,
        "batch_key": row["batch_key"],
        "assignment_id": row["assignment_id"],
        "worker_id": row["worker_id"],
        "amount": value,
        "fee": fee,
        "reason": reason,
        "token": token,
    }


def bonus(
    ledger: Ledger,
    client: MTurkClient,
    bonuses: Sequence[Bonus],
    *,
    budget: Decimal | None = None,
    progress: Progress = lambda _what, _done, _total: None,
) -> SettleResult:
    """Pay bonuses, each key once. The sum, fees included, stays within `budget` or nothing is paid."""
    rows = [(_check_bonus(item), _known(ledger, client, item.assignment_id)) for item in bonuses]
    total = sum((item.amount + client.market.fees.per_bonus(item.amount) for item, _ in rows), _ZERO)
    if budget is not None and total > budget:
        raise BudgetExceeded(f"These bonuses would cost {total} and the budget is {budget}; nothing was paid.")
    done = already = 0
    paid = fees = _ZERO
    for number, (item, row) in enumerate(rows):
        progress("bonus", number, len(rows))
        if _pay(ledger, client, item, row):
            done += 1
            paid, fees = paid + item.amount, fees + client.market.fees.per_bonus(item.amount)
        else:
            already += 1
    progress("bonus", len(rows), len(rows))
    return SettleResult(done, already, paid, fees)


def _check_bonus(item: Bonus) -> Bonus:
    if not item.reason.strip():
        raise MTurkError(f"The bonus for assignment {item.assignment_id} needs a reason that the worker can read.")
    if amount(item.amount) == 0:
        raise MTurkError(f"The bonus for assignment {item.assignment_id} is nothing.")
    return item


def _pay(ledger: Ledger, client: MTurkClient, item: Bonus, row: Row) -> bool:
    """Pay one bonus; False where it had been paid."""
    key = f"bonus:{item.assignment_id}:{item.key}"
    earlier = ledger.payment(row["state_key"], key)
    if earlier is not None and (earlier["amount"], earlier["reason"]) != (amount(item.amount), item.reason):
        raise LedgerError(
            f"The bonus {item.key!r} of assignment {item.assignment_id} was begun as {earlier['amount']} "
            f"({earlier['reason']!r}). Give another bonus another key."
        )
    if earlier is not None and earlier["status"] == "done":
        return False
    if earlier is not None and _arrived(ledger, client, earlier):
        ledger.mark_paid(row["state_key"], key)
        return False
    token = hashlib.sha256("\x1f".join((row["state_key"], row["batch_key"], key)).encode()).hexdigest()[:64]
    fee = client.market.fees.per_bonus(item.amount)
    intent = ledger.intend_payment(_payment(row, key, "bonus", amount(item.amount), fee, item.reason, token=token))
    try:
        client.send_bonus(row["worker_id"], item.assignment_id, item.amount, item.reason, token)
    except AlreadyExists:
        ledger.mark_paid(row["state_key"], key)
        return False
    except RequestRefused:
        # boto3 repeats a call whose answer was lost; the refusal may be that of a repeat.
        if not _arrived(ledger, client, intent):
            ledger.drop_intent(row["state_key"], key)
        raise
    ledger.mark_paid(row["state_key"], key)
    return True


def _arrived(ledger: Ledger, client: MTurkClient, intent: Row) -> bool:
    """Whether the market paid a bonus whose answer was lost; it keeps a token for only 24 hours.

    Bonuses of the same assignment, amount and reason look alike there: one more than the ledger has done is ours.
    """

    def same(value: Decimal, reason: str) -> bool:
        return bool(value == intent["amount"] and reason.strip() == intent["reason"].strip())

    at_market = sum(same(paid.amount, paid.reason) for paid in client.list_bonuses(intent["assignment_id"]))
    recorded = sum(
        row["kind"] == "bonus" and row["status"] == "done" and same(row["amount"], row["reason"])
        for row in ledger.payments(intent["state_key"], [intent["batch_key"]])
        if row["assignment_id"] == intent["assignment_id"]
    )
    return bool(at_market > recorded)


def note_approvals(ledger: Ledger, client: MTurkClient, batch_keys: Sequence[str] | None = None) -> int:
    """Enter payments that happened without us: approved by its own delay, by a policy or by hand. How many."""
    state_key = client.market.state_key
    done = {
        row["assignment_id"]
        for row in ledger.payments(state_key, batch_keys)
        if row["kind"] in ("approve", "override") and row["status"] == "done"
    }
    prices = Prices(ledger, state_key, client.market.fees)
    noted = 0
    for row in ledger.assignments(state_key, batch_keys):
        if row["status"] == "Approved" and row["assignment_id"] not in done:
            key = f"approve:{row['assignment_id']}"
            reward, fee = prices.of(row)
            ledger.intend_payment(_payment(row, key, "approve", reward, fee, row["feedback"], token=""))
            ledger.mark_paid(state_key, key)
            noted += 1
    return noted
