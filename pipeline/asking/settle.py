"""Batches after publishing: how far they are, what was submitted, pay by hand, and taking a batch back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ...curation.types import Progress, no_progress
from ...mturk.requester.cancel import CancelResult, cancel
from ...mturk.requester.collect import collected
from ...mturk.requester.errors import BudgetExceeded
from ...mturk.requester.money import written
from ...mturk.requester.settle import Bonus, SettleResult, approve, bonus, reject
from ...mturk.requester.workers import block, blocked, pseudonym, unblock
from ..app import App
from ..errors import NothingToDo, StageError
from ..market.pictures import hosting_secret
from ..market.session import MarketSession
from ..workspace.acts import note_act
from ..workspace.judged import mark_swap_sent, swap_batches, swap_tiles
from ..workspace.records import frozen_batches, mark_sent, tiles_of
from .progress import committed
from .shown import clear_pictures

__all__ = [
    "Work",
    "blocked_workers",
    "is_only_planned",
    "pay_bonus",
    "set_block",
    "settle_by_hand",
    "submitted_work",
    "take_back",
]


@dataclass(frozen=True, slots=True)
class Work:
    """One submitted assignment; the worker is a pseudonym."""

    assignment: str
    hit: str
    worker: str
    status: str
    seconds: float | None
    comment: str


def submitted_work(app: App, batch_key: str, *, most: int | None = None) -> list[Work]:
    """What was collected of a batch; with `most` what has no decision comes first, and no more is read. Raises
    StageError for a batch that is not there."""
    if is_only_planned(app, batch_key):
        return []
    batch = _batch(app, batch_key)
    secret = hosting_secret(app.workspace.root)
    return [
        Work(
            item.assignment_id,
            item.hit_key,
            pseudonym(item.worker_id, secret),
            item.status,
            item.seconds,
            item.answers.get("comment", ""),
        )
        for item in collected(app.ledger, batch["state_key"], [batch_key], most=most)
    ]


def _batch(app: App, batch_key: str) -> Any:
    found = [row for row in app.ledger.batches() if row["batch_key"] == batch_key]
    if not found:
        raise StageError(f"There is no batch {batch_key}. See: galloway batch list")
    return found[0]


def is_only_planned(app: App, batch_key: str, state_key: str | None = None) -> bool:
    """Whether a batch (of that market, about faces or a film) was frozen, and a kill came before anything of it was
    written to be sent."""
    begun = {row["batch_key"] for row in app.ledger.batches()}
    plans = {item.key for item in frozen_batches(app.workspace, state_key) if not item.closed}
    plans |= {item.key for item in swap_batches(app.workspace, market=state_key or "") if item.published_at is None}
    return batch_key not in begun and batch_key in plans


def _close(app: App, batch_key: str) -> None:
    """Nothing of the batch is sent any more: the next round is planned without it."""
    mark_sent(app.workspace, batch_key)
    mark_swap_sent(app.workspace, batch_key)


def take_back(
    app: App,
    session: MarketSession,
    batch_key: str,
    *,
    pay: bool = True,
    gone: bool = False,
    progress: Progress = no_progress,
) -> CancelResult:
    """Take a batch back as far as it goes now; answers that came in are kept, and paid unless `pay` is False.

    Faces or moments that lose their page are asked again by the next publish. `gone`: what the market does not know is
    gone. Of a batch that was planned and never begun to be sent, nothing is sent any more.
    """
    if is_only_planned(app, batch_key, session.market.state_key):
        pages = len(tiles_of(app.workspace, batch_key)) or len(swap_tiles(app.workspace, batch_key))
        note_act(app.workspace, "cancel", f"batch {batch_key}", f"{pages} pages, 0 answers paid")
        _close(app, batch_key)
        clear_pictures(app, session.hosted)
        return CancelResult(0, 0, 0, 0, 0, pages, None)
    result = cancel(app.ledger, session.client, batch_key, approve_submitted=pay, gone=gone, progress=progress)
    told = f"{result.deleted + result.never_sent} pages, {result.approved} answers paid"
    note_act(app.workspace, "cancel", f"batch {batch_key}", told)
    _close(app, batch_key)
    clear_pictures(app, session.hosted)
    return result


def settle_by_hand(
    app: App,
    session: MarketSession,
    assignment_ids: Sequence[str],
    *,
    reason: str | None = None,
    override: bool = False,
    feedback: str = "",
) -> SettleResult:
    """Approve assignments, or with `reason` reject them. Raises NothingToDo where all were settled so before."""
    if reason is None:
        done = approve(app.ledger, session.client, assignment_ids, feedback=feedback, override_rejection=override)
    else:
        done = reject(app.ledger, session.client, assignment_ids, reason=reason)
    if not done.done:
        raise NothingToDo("All of these were settled like that before.")
    if reason is None:
        note_act(app.workspace, "pay", f"{done.done} answers approved by hand", done.paid + done.fees)
    else:
        note_act(app.workspace, "reject", f"{done.done} answers rejected by hand")
    return done


def pay_bonus(
    app: App, session: MarketSession, assignment_id: str, amount: Decimal, *, reason: str, key: str
) -> SettleResult:
    """Pay a bonus once under this key. Raises NothingToDo where it was paid before, BudgetExceeded where the budget
    does not cover it."""
    _check_budget(app, session, assignment_id, amount, key)
    done = bonus(app.ledger, session.client, [Bonus(assignment_id, amount, reason, key)])
    if not done.done:
        raise NothingToDo(
            f"The bonus {key!r} of {assignment_id} was paid before. Another one needs another name: --key NAME"
        )
    note_act(app.workspace, "pay", "a bonus", done.paid + done.fees)
    return done


def _check_budget(app: App, session: MarketSession, assignment_id: str, amount: Decimal, key: str) -> None:
    budget, state_key = app.settings.ask.budget, session.market.state_key
    if budget is None or app.ledger.payment(state_key, f"bonus:{assignment_id}:{key}") is not None:
        return  # one that was begun is looked for and finished
    spent, cost = committed(app, state_key), amount + session.market.fees.per_bonus(amount)
    if spent + cost > budget:
        costs, before, most = (written(value, app.settings.market.currency) for value in (cost, spent, budget))
        raise BudgetExceeded(
            f"This bonus costs {costs}, {before} is spent or committed, and the budget is {most}; nothing was paid. "
            "Raise ask.budget in galloway.toml first."
        )


def set_block(app: App, session: MarketSession, name: str, *, reason: str, off: bool = False) -> None:
    """Block the worker with this pseudonym from everything we publish on the market, or with `off` unblock.

    Votes that were given stay; what they are worth is for the inference to say. Raises StageError for a pseudonym that
    did no work for us, NothingToDo where that stands already.
    """
    names = _pseudonyms(app, session)
    if name.upper() not in names:
        raise StageError(f"No worker {name} did work for us on the market {session.market.name}. See: galloway report")
    worker_id = names[name.upper()]
    if (worker_id in blocked(session.client)) is not off:
        raise NothingToDo(f"{name} is {'not blocked' if off else 'blocked already'}.")
    if off:
        unblock(session.client, worker_id, reason)
    else:
        block(session.client, worker_id, reason)
    note_act(app.workspace, "worker", f"{name.upper()} {'no longer blocked' if off else 'blocked'}")


def blocked_workers(app: App, session: MarketSession) -> dict[str, str]:
    """Pseudonym → reason of the workers whom we blocked on the market."""
    secret = hosting_secret(app.workspace.root)
    return {pseudonym(worker_id, secret): reason for worker_id, reason in blocked(session.client).items()}


def _pseudonyms(app: App, session: MarketSession) -> dict[str, str]:
    secret = hosting_secret(app.workspace.root)
    workers = {row["worker_id"] for row in app.ledger.assignments(session.market.state_key)}
    return {pseudonym(worker_id, secret): worker_id for worker_id in workers}
