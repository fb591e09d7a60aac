"""Paying recruited people: settling by the panel, pay lists as CSV, refusals, completion codes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd

from ...curation.types import Progress, no_progress
from ...mturk.marketplace.errors import OperatorError
from ...mturk.recruiting.values import Entry
from ...mturk.requester.errors import PanelDoubt, PanelUnreachable
from ...mturk.requester.money import written
from ...mturk.requester.recruit.panel import Category
from ...mturk.requester.recruit.settle import Settled, Step, plan, refuse, settle
from ..errors import NothingToDo, StageError, WorkspaceBusy
from ..wording import counted
from ..workspace.acts import note_act
from .counter import Counter

__all__ = [
    "PayList",
    "next_list",
    "pay_list",
    "preview",
    "redeem_all",
    "refuse_one",
    "settle_again",
    "settle_paid_list",
    "settle_study",
]


def preview(counter: Counter, key: str, approve: Collection[str] = ()) -> list[Step]:
    """What settling would do now; nothing is sent but questions."""
    office, study = counter.office, counter.office.study(key)
    said = counter.panel(study).submissions(study)
    return plan(study, office.entries(key), office.payments(key), said, datetime.now(UTC), approve)


def settle_study(
    counter: Counter,
    key: str,
    *,
    approve: Collection[str] = (),
    budget: Decimal | None = None,
    progress: Progress = no_progress,
) -> Settled:
    """Pay what is due at the panel; of a study that is paid by lists, note what belongs on the next one."""
    study = counter.office.study(key)
    done = settle(
        counter.office,
        counter.panel(study),
        study,
        clock=lambda: datetime.now(UTC),
        approve=approve,
        budget=budget,
        progress=progress,
    )
    if done.paid or done.topped_up:
        paid = written(done.amount + done.fees, study.currency)
        note_act(counter.app.workspace, "pay", f"study {key}: {done.paid} people, {done.topped_up} topped up", paid)
    return done


def settle_again(look: Callable[[], None], pause: Callable[[str], bool]) -> None:
    """Look again and again, until `pause(why)` says False. `why` is what held this look up, "" for nothing: another
    command at work, a panel that does not answer; nothing else is waited for."""
    while True:
        why = ""
        try:
            look()
        except (WorkspaceBusy, PanelUnreachable, PanelDoubt) as error:
            why = str(error)
        if not pause(why):
            return


def refuse_one(counter: Counter, key: str, session: str, *, reason: str, category: Category) -> Entry:
    """Refuse one person's work for a reason of substance."""
    study = counter.office.study(key)
    found = [entry for entry in counter.office.entries(key) if entry.session == session]
    if not found:
        raise StageError(
            f"Nobody came to {key} with the session {session}. See: galloway recruit status {key} --people"
        )
    refuse(counter.office, counter.panel(study), found[0], reason=reason, category=category)
    note_act(counter.app.workspace, "reject", f"study {key}: one person's work")
    return found[0]


@dataclass(frozen=True, slots=True)
class PayList:
    """Who is to be paid by one list: participant, session, amount, completion code, what for."""

    number: int
    rows: pd.DataFrame
    total: Decimal


def next_list(counter: Counter, key: str) -> PayList:
    """A new list of everybody who is due and on no list yet. Raises NothingToDo, naming the last list."""
    _by_list(counter, key)
    number = counter.office.make_list(key)
    if not number:
        newest = max((payment.pay_list for payment in counter.office.payments(key)), default=0)
        again = f" The last list again: --list {newest}" if newest else ""
        raise NothingToDo(f"Nobody is due who is not on a list already.{again}")
    return pay_list(counter, key, number)


def pay_list(counter: Counter, key: str, number: int) -> PayList:
    """A list that was made, the same whenever it is asked for. Raises StageError for one that never was."""
    people = {entry.id: entry for entry in counter.office.entries(key)}
    mine = [payment for payment in counter.office.payments(key) if payment.pay_list == number and number > 0]
    if not mine:
        raise StageError(f"The study {key} has no pay list {number}. Make one: galloway recruit export {key}")
    rows = []
    for entry_id in dict.fromkeys(payment.entry for payment in mine):
        entry, parts = people[entry_id], [payment for payment in mine if payment.entry == entry_id]
        rows.append(
            {
                "participant": entry.participant,
                "session": entry.session,
                "amount": f"{sum((part.amount for part in parts), Decimal('0.00')):.2f}",
                "code": entry.code,
                "for": "; ".join(part.reason or counted(entry.done, "page") for part in parts),
                "paid": "yes" if all(part.status == "done" for part in parts) else "",
            }
        )
    return PayList(number, pd.DataFrame(rows), sum((payment.amount for payment in mine), Decimal("0.00")))


def settle_paid_list(counter: Counter, key: str, number: int) -> int:
    """A list was paid: how many payments that settles. Raises NothingToDo where it was noted before."""
    _by_list(counter, key)
    settled = counter.office.list_paid(key, number)
    if not settled:
        raise NothingToDo(f"The list {number} of {key} was noted as paid before.")
    return settled


def _by_list(counter: Counter, key: str) -> None:
    if counter.office.study(key).profile != "link":
        raise StageError(f"The people of {key} are paid by their panel: galloway recruit settle {key}")


def redeem_all(counter: Counter, key: str, codes: Sequence[str]) -> tuple[list[Entry], list[str]]:
    """Take completion codes, each once: whose they were, and what is wrong with the others."""
    taken, wrong = [], []
    for code in codes:
        try:
            taken.append(counter.office.redeem(key, code))
        except OperatorError as error:
            wrong.append(str(error))
    return taken, wrong
