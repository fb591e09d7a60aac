"""How far batches are, what they can still bring, and what they can still cost: counted by the ledger, never loaded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal
from statistics import median
from weakref import WeakKeyDictionary

from ...curation.types import FaceId, Question
from ...mturk.requester.ledger import Row
from ...mturk.requester.money import CENT
from ...mturk.requester.progress import BatchProgress, BatchSum, HitProgress, Paid, summed
from ..app import App
from ..workspace.records import (
    OWN_PAGES,
    FrozenBatch,
    asked_tiles,
    frozen_batches,
    simulated_workers,
    unfinished_batches,
)

__all__ = [
    "BatchLine",
    "BatchRow",
    "HitRow",
    "Waiting",
    "batch_lines",
    "batches",
    "budget_left",
    "commitments",
    "committed",
    "hits",
    "open_hits",
    "spent",
    "waiting_faces",
    "waiting_pairs",
]

_ZERO = Decimal("0.00")
Waiting = set[tuple[FaceId, Question]]


# What can still bring an answer


def open_hits(app: App, state_key: str) -> set[tuple[str, str]]:
    """(batch, HIT) keys whose page can still bring an answer: places left, and nobody's time is over yet."""
    held = _held(app, state_key)
    return {row.key for row in app.ledger.progress(state_key) if _is_open(row, held[row.batch_key])}


def _held(app: App, state_key: str) -> dict[str, timedelta]:
    """For how long a worker may hold a HIT of each batch."""
    return {row["batch_key"]: timedelta(seconds=row["duration_seconds"]) for row in app.ledger.batches(state_key)}


def _is_open(row: HitProgress, held: timedelta) -> bool:
    """Whether an answer can still come: whoever holds the HIT at its end may finish it."""
    in_time = row.expires_at is None or row.expires_at + held > datetime.now(UTC)
    return row.status not in ("disposed", "ended") and row.answers < row.places and in_time


def waiting_pairs(app: App, state_key: str) -> Waiting:
    """(face, question) pairs on pages that can still bring votes: not gold tiles, and the page is still open."""
    answerable = open_hits(app, state_key)
    planned = set(unfinished_batches(app.workspace, state_key))
    return {
        (face_id, question)
        for batch_key, hit_key, face_id, question in asked_tiles(app.workspace, state_key)
        if (batch_key, hit_key) in answerable or batch_key in planned
    }


def waiting_faces(app: App, state_key: str) -> set[FaceId]:
    """The faces among them: a page can answer two questions about each."""
    return {face_id for face_id, _ in waiting_pairs(app, state_key)}


# What can still be asked for


def committed(app: App, state_key: str, sums: Sequence[BatchSum] | None = None) -> Decimal:
    """Money of a market that is spent or may still be asked for."""
    return sum(commitments(app, state_key, sums).values(), _ZERO)


def budget_left(app: App, state_key: str) -> Decimal | None:
    """What of the budget is neither spent nor committed, below 0 where it is passed; None without a budget."""
    if app.settings.ask.budget is None:
        return None
    return app.settings.ask.budget - committed(app, state_key)


def commitments(app: App, state_key: str, sums: Sequence[BatchSum] | None = None) -> dict[str, Decimal]:
    """The same for each batch. A batch costs at most its price; places that ended unanswered, because the batch was
    taken back or its time is over, and rejected answers cost nothing. Bonuses come on top."""
    mine = [row for row in sums if row.state_key == state_key] if sums is not None else app.ledger.sums(state_key)
    places: dict[str, int] = defaultdict(int, {row.progress.batch_key: row.progress.assignments for row in mine})
    live: dict[str, int] = defaultdict(int, {row.progress.batch_key: row.live for row in mine})
    bonuses: dict[str, Decimal] = defaultdict(lambda: _ZERO)
    for paid in app.ledger.paid(state_key):
        if paid.kind == "bonus":
            bonuses[paid.batch_key] += (paid.amount + paid.fee) * paid.count
    return {
        batch["batch_key"]: _share(batch["price"], live[batch["batch_key"]], places[batch["batch_key"]])
        + bonuses[batch["batch_key"]]
        for batch in app.ledger.batches(state_key)
    }


def _share(price: Decimal, live: int, places: int) -> Decimal:
    """All HITs of a batch have as many places, so each place costs the same."""
    return price if live >= places else (price * live / places).quantize(CENT, ROUND_UP)


# One batch in numbers


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One batch in numbers, for the command line."""

    batch: str
    market: str
    hits: int
    published: int
    assignments: int
    submitted: int
    approved: int
    rejected: int
    price: Decimal
    cancelled: bool


def batch_lines(app: App) -> list[BatchLine]:
    """All batches that were begun, oldest first."""
    so_far = {row.progress.batch_key: row.progress for row in app.ledger.sums()}
    lines = []
    for row in app.ledger.batches():
        done = so_far.get(row["batch_key"]) or summed(row["batch_key"], ())
        lines.append(
            BatchLine(
                row["batch_key"],
                row["state_key"],
                done.hits,
                done.published,
                done.assignments,
                done.submitted,
                done.approved,
                done.rejected,
                row["price"],
                row["cancelled_at"] is not None,
            )
        )
    return lines


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One batch: what was asked, how far it is, what it costs.

    `wage` is per hour, from the median working time of people; None where only simulated workers answered.
    """

    key: str
    market: str
    side: str
    question: str
    round: int
    reward: Decimal
    created_at: datetime
    hits: int
    published: int
    places: int
    collected: int
    approved: int
    rejected: int
    price: Decimal
    paid: Decimal
    fees: Decimal
    seconds: float | None
    wage: Decimal | None
    group_id: str | None
    cancelled: bool
    simulated: bool

    @property
    def share(self) -> float:
        """Collected of wanted, 0 to 1."""
        return min(1.0, self.collected / self.places) if self.places else 0.0

    @property
    def state(self) -> str:
        if self.cancelled:
            return "cancelled"
        if self.published < self.hits or not self.hits:
            return "sending"
        return "complete" if self.collected >= self.places else "open"


def batches(app: App, sums: Sequence[BatchSum] | None = None) -> list[BatchRow]:
    """All batches, newest first; those that are planned and not in the ledger yet too. What one person
    answers alone is on no market and no batch. `sums` are the ledger's, if at hand."""
    plans = {plan.key: plan for plan in frozen_batches(app.workspace) if not plan.market.startswith(OWN_PAGES)}
    ledger = {row["batch_key"]: row for row in app.ledger.batches()}
    so_far = {row.progress.batch_key: row.progress for row in (app.ledger.sums() if sums is None else sums)}
    people = _medians(app)
    money: dict[str, list[Paid]] = defaultdict(list)
    for row in app.ledger.paid():
        money[row.batch_key].append(row)
    rows = [
        _batch(plans.get(key), ledger.get(key), so_far.get(key) or summed(key, ()), people.get(key), money[key])
        for key in {*plans, *ledger}
    ]
    return sorted(rows, key=lambda row: (row.created_at, row.key), reverse=True)


_kept: WeakKeyDictionary[App, tuple[int, dict[str, float]]] = WeakKeyDictionary()


def _medians(app: App) -> dict[str, float]:
    """Batch → the median seconds in which people, not simulated workers, did its pages; read once as long as nothing is
    collected."""
    count = app.ledger.count_answers()
    if app not in _kept or _kept[app][0] != count:
        simulated = simulated_workers(app.workspace)
        times: dict[str, list[float]] = defaultdict(list)
        for key, worker, seconds in app.ledger.working_times():
            if worker not in simulated:
                times[key].append(seconds)
        _kept[app] = count, {key: median(seconds) for key, seconds in times.items()}
    return _kept[app][1]


def _batch(
    plan: FrozenBatch | None,
    row: Row | None,
    done: BatchProgress,
    seconds: float | None,
    money: Sequence[Paid],
) -> BatchRow:
    """`seconds` are those in which people, not simulated workers, did a page."""
    market, reward, begun, price, cancelled = _terms(plan, row)
    return BatchRow(
        key=done.batch_key,
        market=market,
        side=plan.side.value if plan is not None else "",
        question=plan.page.value if plan is not None else "",
        round=plan.round if plan is not None else 0,
        reward=reward,
        created_at=begun,
        hits=done.hits,
        published=done.published,
        places=done.assignments,
        collected=done.submitted,
        approved=done.approved,
        rejected=done.rejected,
        price=price,
        paid=sum((item.amount * item.count for item in money), _ZERO),
        fees=sum((item.fee * item.count for item in money), _ZERO),
        seconds=seconds,
        wage=(reward * 3600 / Decimal(seconds)).quantize(_ZERO) if seconds else None,
        group_id=done.group_id,
        cancelled=cancelled,
        simulated=done.submitted > 0 and seconds is None,
    )


def _terms(plan: FrozenBatch | None, row: Row | None) -> tuple[str, Decimal, datetime, Decimal, bool]:
    """Market, reward, when it began, price, whether it was taken back: of the ledger where it knows the batch."""
    if row is None:
        assert plan is not None
        return plan.market, plan.reward, plan.planned_at, _ZERO, plan.closed
    begun = plan.planned_at if plan is not None else row["created_at"]
    return row["state_key"], row["reward"], begun, row["price"], row["cancelled_at"] is not None


def spent(
    app: App, rows: Sequence[BatchRow], sums: Sequence[BatchSum] | None = None
) -> tuple[Decimal, Decimal, Decimal]:
    """What the batches cost or can still cost, paid to workers, fees."""
    return (
        sum((committed(app, market, sums) for market in {row.market for row in rows}), _ZERO),
        sum((row.paid for row in rows), _ZERO),
        sum((row.fees for row in rows), _ZERO),
    )


@dataclass(frozen=True, slots=True)
class HitRow:
    """One HIT of a batch."""

    key: str
    hit_id: str | None
    status: str
    places: int
    collected: int
    expires_at: datetime | None


def hits(app: App, batch_key: str) -> list[HitRow]:
    """The HITs of a batch, in order."""
    return [
        HitRow(row.hit_key, row.hit_id, row.status, row.places, row.answers, row.expires_at)
        for row in app.ledger.progress(batch_keys=[batch_key])
    ]
