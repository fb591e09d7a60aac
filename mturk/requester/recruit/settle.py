"""Pay each person once: what is to be done is planned from what the panel and the ledger say, then done step by step.

An intent is written before each call and the result after it. A reward is a state at the panel, so a doubt is resolved
by looking. A bonus is paid by a call that would pay again if it were repeated: it is marked as under way before it is
sent, and afterwards looked for in the submission; only when it has not shown for `GRACE`, many times what the panel
needs, is it taken for never sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, Protocol

from ...recruiting.values import Entry, EntryId, EntryState, Payment, PaymentKind, Study
from ...recruiting.wage import maximum_minutes, top_up
from ..errors import BudgetExceeded, PanelDoubt, PanelError, PanelRefused, PanelUnreachable
from .panel import Category, Panel, Submission, checked_reason

__all__ = ["DECIDE_WITHIN", "GRACE", "PayBook", "Settled", "Step", "plan", "refuse", "settle"]

GRACE = timedelta(hours=6)
"""Prolific pays bonuses "in the following minutes"."""
DECIDE_WITHIN = timedelta(days=7)
"""Finished work on which nobody has decided for so long is paid: waiting is not the worker's fault."""
_LEFT = ("RETURNED", "TIMED-OUT", "SCREENED OUT")
_OPEN = ("RESERVED", "ACTIVE")
_ZERO = Decimal("0.00")

Do = Literal["pay", "top up", "note", "ask to return", "wait", "look"]


class PayBook(Protocol):
    """The ledger. Each method is one committed transaction; a kind of payment exists once for a person."""

    def entries(self, key: str) -> Sequence[Entry]:
        """Everybody who came to a study."""

    def payments(self, key: str) -> Sequence[Payment]:
        """What was meant to be paid and what was."""

    def intend(self, entry: Entry, kind: PaymentKind, amount: Decimal, fee: Decimal, reason: str) -> Payment:
        """The payment, written now or before; an earlier one stands unchanged."""

    def note_ref(self, payment: Payment, ref: str) -> Payment:
        """The panel's id of it."""

    def note_paying(self, payment: Payment) -> Payment:
        """It may be paid from here on."""

    def note_unpaid(self, payment: Payment) -> Payment:
        """It is known that it was not."""

    def note_done(self, payment: Payment, state: EntryState) -> None:
        """It was; the entry stands so now."""

    def move(self, entry: EntryId, state: EntryState, panel_state: str | None = None) -> None:
        """Where an entry stands."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done about one person, and why. `state` is where the entry stands after it."""

    entry: Entry
    do: Do
    state: EntryState
    why: str = ""
    amount: Decimal = _ZERO
    panel_state: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a run did: how many were paid and topped up, for how much (fees apart), in how many cases it cannot say yet
    whether a payment arrived, how many belong on the next pay list, what a person has to look at, and whose sessions at
    the panel never came here."""

    paid: int
    topped_up: int
    amount: Decimal
    fees: Decimal
    doubtful: int
    waiting: int
    listed: int
    look: tuple[Step, ...]
    never_came: tuple[str, ...]


def plan(
    study: Study,
    entries: Iterable[Entry],
    payments: Iterable[Payment],
    submissions: Mapping[str, Submission] | None,
    now: datetime,
    approve: Collection[str] = (),
) -> list[Step]:
    """What is to be done. `submissions` are the panel's, None where it says nothing; the sessions in `approve` are paid
    on a person's word, whatever speaks against it. Raises PanelError for one of them with which nobody came."""
    entries = list(entries)
    strange = sorted(set(approve) - {entry.session for entry in entries})
    if strange:
        raise PanelError(
            f"Nobody came to {study.key} with the session {strange[0]}; nobody was paid. See: galloway recruit status "
            f"{study.key} --people"
        )
    done = {(payment.entry, payment.kind) for payment in payments if payment.status == "done"}
    steps: list[Step] = []
    for entry in entries:
        if submissions is None:
            steps += _by_list(study, entry, done, now, entry.session in approve)
        else:
            steps += _by_panel(study, entry, submissions.get(entry.session), done, now, entry.session in approve)
    return steps


def _by_list(
    study: Study, entry: Entry, done: Collection[tuple[EntryId, str]], now: datetime, approve: bool
) -> list[Step]:
    if entry.state in ("approved", "paid", "rejected", "declined") or (entry.id, "reward") in done:
        return []
    if not approve:
        found = _undecided(entry, now) if entry.state == "pending" else _unfinished(study, entry, now)
        if found is None or found.do != "pay":
            return [] if found is None else [found]
    # The top-up first: once the reward is noted, the entry is not looked at again.
    return [replace(step, state="approved") for step in reversed(_payment(study, entry, done))]


def _unfinished(study: Study, entry: Entry, now: datetime) -> Step | None:
    """Whose pages were taken and who never came to the end: no panel says when such a person's time is over."""
    out_of_time = now - entry.landed_at > timedelta(minutes=maximum_minutes(study.minutes))
    if entry.state != "working" or not entry.done or not out_of_time:
        return None
    why = f"handed in {entry.done} of {study.hits} pages and never finished: pay or refuse it"
    return Step(entry, "look", entry.state, why)


def _payment(study: Study, entry: Entry, done: Collection[tuple[EntryId, str]]) -> list[Step]:
    extra = top_up(study, entry.seconds or 0)
    after: EntryState = "approved" if extra else "paid"
    steps = [] if (entry.id, "reward") in done else [Step(entry, "pay", after, "", study.reward)]
    if extra and (entry.id, "bonus") not in done:
        minutes = round((entry.seconds or 0) / 60, 1)
        why = f"it took {minutes} minutes: topped up to {study.floor} an hour"
        steps.append(Step(entry, "top up", "paid", why, extra))
    return steps


def _undecided(entry: Entry, now: datetime) -> Step:
    """ "pay", or why not yet."""
    if entry.rejected:
        return Step(
            entry, "look", entry.state, f"{entry.rejected} of {entry.done} pages were rejected: pay or refuse it"
        )
    if entry.undecided and entry.finished_at is not None and now - entry.finished_at < DECIDE_WITHIN:
        return Step(entry, "wait", entry.state, f"{entry.undecided} pages are not decided yet: galloway collect")
    return Step(entry, "pay", "approved")


def _by_panel(
    study: Study,
    entry: Entry,
    said: Submission | None,
    done: Collection[tuple[EntryId, str]],
    now: datetime,
    approve: bool,
) -> list[Step]:
    if entry.state in ("declined", "rejected", "paid"):
        return []
    if entry.state == "returned" and not _asks_return(entry, said, done):
        return _of_leaver(study, entry, said, done, approve)
    if said is None or said.participant != entry.participant:
        why = "the panel knows no such submission" if said is None else "the panel names another person for it"
        return [Step(entry, "note", "unknown", why)] if entry.state != "unknown" else []
    if said.status in _LEFT:
        return [Step(entry, "note", "returned", f"at the panel: {said.status.lower()}", panel_state=said.status)]
    if said.status == "REJECTED":
        return [Step(entry, "note", "rejected", "refused at the panel", panel_state=said.status)]
    if said.status == "APPROVED":
        return _payment(study, entry, done)
    if said.status in _OPEN:
        return [Step(entry, "wait", _known(entry), "still open at the panel", panel_state=said.status)]
    return _handed_in(study, entry, said, done, now, approve)


def _of_leaver(
    study: Study, entry: Entry, said: Submission | None, done: Collection[tuple[EntryId, str]], approve: bool
) -> list[Step]:
    """Who left here, or was out of time there, and whose work the panel has all the same."""
    if said is None or said.participant != entry.participant:
        return []
    if said.status == "APPROVED" or (approve and said.status == "AWAITING REVIEW"):
        return _payment(study, entry, done)
    if said.status != "AWAITING REVIEW" or entry.outcome == "NO_WORK":
        return []
    what = "was out of time at the panel" if entry.panel_state == "TIMED-OUT" else "left"
    return [Step(entry, "look", "returned", f"{what} and handed in there all the same: pay or refuse it")]


def _handed_in(
    study: Study,
    entry: Entry,
    said: Submission,
    done: Collection[tuple[EntryId, str]],
    now: datetime,
    approve: bool,
) -> list[Step]:
    if approve:
        return _payment(study, entry, done)
    if entry.outcome == "NO_WORK":
        return [Step(entry, "ask to return", "returned", "there was no work left")]
    if entry.outcome != "COMPLETED":
        return [Step(entry, "look", _known(entry), "handed in at the panel without the end here: pay or refuse it")]
    if said.code and said.code != study.codes.get("COMPLETED"):
        return [Step(entry, "look", _known(entry), f"entered another code, {said.code[:20]!r}: pay or refuse it")]
    found = _undecided(entry, now)
    return [found] if found.do != "pay" else _payment(study, entry, done)


def _known(entry: Entry) -> EntryState:
    """An entry that the panel did not know and knows now goes on where it was."""
    if entry.state != "unknown":
        return entry.state
    return "pending" if entry.outcome == "COMPLETED" else "working"


def _asks_return(entry: Entry, said: Submission | None, done: Collection[tuple[EntryId, str]]) -> bool:
    """Whether somebody who found no work still waits at the panel."""
    waits = said is not None and said.status == "AWAITING REVIEW"
    return entry.outcome == "NO_WORK" and waits and (entry.id, "return") not in done


def settle(
    book: PayBook,
    panel: Panel,
    study: Study,
    *,
    clock: Callable[[], datetime],
    approve: Collection[str] = (),
    budget: Decimal | None = None,
    progress: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
) -> Settled:
    """Do all that is due now. Run again after anything: what was done stands, what is in doubt is looked at first.

    `budget` counts instead of the study's own. Raises BudgetExceeded before anything is sent where it does not cover
    what is due, PanelUnreachable, and PanelRefused where the token is not accepted.
    """
    entries, payments = book.entries(study.key), book.payments(study.key)
    said = panel.submissions(study)
    steps = plan(study, entries, payments, said, clock(), approve)
    _check_budget(study, study.budget if budget is None else budget, steps, payments)
    payer = _Payer(book, panel, study, clock)
    for number, step in enumerate(steps):
        progress("settle", number, len(steps))
        payer.take(step)
    progress("settle", len(steps), len(steps))
    came = {entry.session for entry in entries}
    strangers = [
        one.session for one in (said or {}).values() if one.status == "AWAITING REVIEW" and one.session not in came
    ]
    return payer.settled(steps, strangers)


def _check_budget(study: Study, budget: Decimal | None, steps: Sequence[Step], payments: Sequence[Payment]) -> None:
    begun = {(payment.entry, payment.kind) for payment in payments}
    kinds: dict[Do, PaymentKind] = {"pay": "reward", "top up": "bonus"}
    fresh = [step for step in steps if step.do in kinds and (step.entry.id, kinds[step.do]) not in begun]
    due = sum((step.amount + study.fee(step.amount) for step in fresh), _ZERO)
    meant = sum((payment.amount + payment.fee for payment in payments), _ZERO)
    if budget is not None and fresh and meant + due > budget:
        raise BudgetExceeded(
            f"Settling {study.key} would cost {due} after {meant}, and its budget is {budget}; nothing was sent. "
            f"Who has worked is owed it all the same: galloway recruit settle {study.key} --budget {meant + due}"
        )


class _Payer:
    """Takes the steps and counts what came of them."""

    def __init__(self, book: PayBook, panel: Panel, study: Study, clock: Callable[[], datetime]) -> None:
        self._book, self._panel, self._study, self._clock = book, panel, study, clock
        self._paid: list[Payment] = []
        self._doubtful: set[EntryId] = set()
        self._refused: list[Step] = []
        self._listed = 0

    def settled(self, steps: Sequence[Step], strangers: Sequence[str]) -> Settled:
        return Settled(
            paid=sum(payment.kind == "reward" for payment in self._paid),
            topped_up=sum(payment.kind == "bonus" for payment in self._paid),
            amount=sum((payment.amount for payment in self._paid), _ZERO),
            fees=sum((payment.fee for payment in self._paid), _ZERO),
            doubtful=len(self._doubtful) - len(self._refused),
            waiting=sum(step.do == "wait" for step in steps),
            listed=self._listed,
            look=(*(step for step in steps if step.do == "look"), *self._refused),
            never_came=tuple(strangers),
        )

    def take(self, step: Step) -> None:
        entry = step.entry
        if entry.id in self._doubtful:
            return  # its reward is in doubt, so its top-up waits
        if step.do in ("note", "wait", "look"):
            if step.state != entry.state or step.panel_state:
                self._book.move(entry.id, step.state, step.panel_state or None)
        elif step.do == "ask to return":
            self._once(self._book.intend(entry, "return", _ZERO, _ZERO, step.why), step)
        elif step.do == "pay":
            self._once(self._intend(step, "reward"), step)
        else:
            self._bonus(self._intend(step, "bonus"), step)

    def _intend(self, step: Step, kind: PaymentKind) -> Payment:
        return self._book.intend(step.entry, kind, step.amount, self._study.fee(step.amount), step.why)

    def _once(self, payment: Payment, step: Step) -> None:
        """What becomes a state at the panel: asked again it changes nothing, and looking tells."""
        if payment.status == "done":
            return
        if not self._panel.pays and payment.kind == "reward":
            self._book.move(step.entry.id, "approved")
            self._listed += 1
            return
        payment = self._book.note_paying(payment)
        session = step.entry.session
        if payment.kind == "reward" and self._stands(session):
            self._finish(payment, step)
            return
        try:
            self._panel.approve(session) if payment.kind == "reward" else self._panel.ask_return(session)
        except (PanelDoubt, PanelRefused) as error:
            if payment.kind == "reward" and self._stands(session):
                self._finish(payment, step)
            elif isinstance(error, PanelDoubt):
                self._doubtful.add(step.entry.id)
            else:
                self._note_refused(payment, step, error)
            return
        except PanelUnreachable:
            self._book.note_unpaid(payment)
            raise
        self._finish(payment, step)

    def _stands(self, session: str) -> bool:
        try:
            said = self._panel.submission(session)
        except PanelError:
            return False
        return said is not None and said.status == "APPROVED"

    def _finish(self, payment: Payment, step: Step) -> None:
        self._book.note_done(payment, step.state)
        self._paid.append(payment)

    def _bonus(self, payment: Payment, step: Step) -> None:
        if payment.status == "done" or not self._panel.pays:
            return
        if payment.status == "paying" and not self._never_sent(payment, step):
            return
        if not payment.ref:
            try:
                payment = self._book.note_ref(payment, self._new_bonus(payment, step))
            except PanelDoubt:
                self._doubtful.add(step.entry.id)  # set up or not, it costs nothing before it is paid
                return
            except PanelRefused as error:
                self._note_refused(payment, step, error)
                return
        payment = self._book.note_paying(payment)
        try:
            self._panel.pay_bonus(payment.ref)
        except PanelUnreachable:
            self._book.note_unpaid(payment)
            raise
        except PanelRefused as error:
            self._note_refused(payment, step, error)
        except PanelDoubt:
            self._doubtful.add(step.entry.id)
        else:
            self._finish(payment, step)

    def _note_refused(self, payment: Payment, step: Step, error: PanelRefused) -> None:
        """One person's payment that the panel refuses holds up nobody else's; a token that it refuses does."""
        self._book.note_unpaid(payment)
        if error.status in (401, 403):
            raise error
        self._doubtful.add(step.entry.id)
        self._refused.append(replace(step, do="look", why=str(error)))

    def _new_bonus(self, payment: Payment, step: Step) -> str:
        return self._panel.create_bonus(self._study, step.entry.session, payment.amount)

    def _never_sent(self, payment: Payment, step: Step) -> bool:
        """Whether a payment that was under way never arrived; one that did is noted."""
        said = self._panel.submission(step.entry.session)
        if said is not None and payment.amount in said.bonuses:
            self._finish(payment, step)
            return False
        assert payment.paying_at is not None
        if said is None or self._clock() - payment.paying_at < GRACE:
            self._doubtful.add(step.entry.id)
            return False
        return True


def refuse(book: PayBook, panel: Panel, entry: Entry, *, reason: str, category: Category) -> None:
    """Refuse a person's work, once, for a reason of substance that the person reads. Raises PanelError where it was
    paid already."""
    reason = checked_reason(reason)
    if entry.state not in ("pending", "working", "unknown", "returned"):
        raise PanelError(f"The entry of {entry.session} is {entry.state}; only what is not decided can be refused.")
    payment = book.intend(entry, "reject", _ZERO, _ZERO, reason)
    if payment.status == "done":
        return
    payment = book.note_paying(payment)
    try:
        panel.reject(entry.session, reason, category)
    except (PanelUnreachable, PanelRefused):
        book.note_unpaid(payment)
        raise
    except PanelDoubt:
        said = panel.submission(entry.session)
        if said is None or said.status != "REJECTED":
            raise
    book.note_done(payment, "rejected")
