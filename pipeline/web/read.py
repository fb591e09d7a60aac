"""What the pages show, as plain values read from the workspace. Nothing here writes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from statistics import median
from typing import Any

import sqlalchemy as sa

from ...curation.listing import count_statuses
from ...curation.types import Question, Side
from ...mturk.requester.ledger import assignment as assignment_table
from ...mturk.requester.ledger import batch as ledger_batch
from ...mturk.requester.ledger import hit as hit_table
from ...mturk.requester.ledger import payment as payment_table
from ..app import App
from ..asking.collect import simulated_workers
from ..stages.commitments import committed
from ..stages.status import WorkStatus
from ..workspace.schema import batch_table, faceset_table

__all__ = [
    "BatchRow",
    "FacesetRow",
    "HitRow",
    "Step",
    "batches",
    "facesets",
    "flow",
    "hits",
    "questions_of",
    "spent",
    "tallies",
]

_ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Step:
    """One station of the flow: `state` is done, active or waiting."""

    key: str
    name: str
    figure: str
    note: str
    state: str
    endpoint: str


def tallies(app: App) -> dict[str, dict[str, int]]:
    """Per side, how many of all faces that were found have which status; also those that a merge moved away."""
    found = count_statuses(app.workspace.db)
    return {side.value: {status.value: count for status, count in counts.items()} for side, counts in found.items()}


def flow(status: WorkStatus, counts: dict[str, dict[str, int]]) -> list[Step]:
    """The flow from footage to video, with its counts; `counts` are the tallies of both sides."""
    sides = status.sides.values()
    faces = sum(sum(side.values()) for side in counts.values())
    settled = sum(side["approved"] + side["rejected"] for side in counts.values())
    open_faces = sum(side["disputed"] + side["undecided"] for side in counts.values())
    merged = sum(side.merged is not None for side in sides)
    sources = sum(side.sources for side in sides)
    videos = sum(not name.endswith("-side-by-side.mp4") for name in status.videos)
    got, wanted = status.assignments_collected, status.assignments_wanted
    steps = [
        ("footage", "Footage", sources, _plural(sources, "source"), sources > 0, "pages.overview"),
        ("faces", "Faces", faces, "found", faces > 0, "faces.listing"),
        (
            "hits",
            "HITs",
            status.batches,
            _plural(status.batches, "batch", "batches"),
            status.batches > 0,
            "pages.batches",
        ),
        ("answers", "Answers", got, f"of {wanted} assignments", 0 < wanted <= got, "pages.workers"),
        ("decisions", "Decisions", settled, f"{open_faces} open", faces > 0 and open_faces == 0, "faces.listing"),
        ("faceset", "Approved", merged, "of 2 facesets", merged == 2, "pages.facesets"),
        (
            "model",
            "Model",
            status.trained_iterations,
            "iterations",
            status.trained_iterations > 0,
            "training.listing",
        ),
        ("video", "Video", videos, _plural(videos, "result"), videos > 0, "results.listing"),
    ]
    states = _states([(figure, done) for _, _, figure, _, done, _ in steps])
    return [
        Step(key, name, f"{figure:,}", note, state, endpoint)
        for (key, name, figure, note, _, endpoint), state in zip(steps, states, strict=True)
    ]


_ADVICE = {
    "ingest": "add footage.",
    "extract": "find the faces in the footage.",
    "publish": "ask people about the faces that need an answer.",
    "collect": "fetch what people answered.",
    "merge": "apply the decisions to the facesets.",
    "train": "train a model on the approved facesets.",
    "convert": "swap the face in the video.",
    "serve": "look at the results.",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """The next step: the command's name, and what it does in words."""

    key: str
    text: str


def advice(status: WorkStatus) -> Advice:
    """What the next command of the status does."""
    key = status.next_command.split()[1]
    return Advice(key, _ADVICE[key])


def _states(steps: Sequence[tuple[int, bool]]) -> list[str]:
    """Done, active (begun, or the first that is not done) and waiting."""
    states: list[str] = []
    for figure, done in steps:
        first = all(state == "done" for state in states)
        states.append("done" if done else "active" if figure or first else "waiting")
    return states


def _plural(count: int, one: str, many: str = "") -> str:
    return one if count == 1 else (many or f"{one}s")


# Batches


_PLAN = ("batch_key", "market", "side", "question", "round", "reward", "planned_at")


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
    created_at: datetime | None
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
        if self.published < self.hits:
            return "sending"
        return "complete" if self.collected >= self.places else "open"


def batches(app: App) -> list[BatchRow]:
    """All batches, newest first; those that are planned and not in the ledger yet too."""
    with app.workspace.db.connect() as db:
        plans = {row.batch_key: row for row in db.execute(sa.select(*(batch_table.c[name] for name in _PLAN)))}
        ledger = {row.batch_key: row for row in db.execute(sa.select(ledger_batch))}
        counted = {row.batch_key: row for row in db.execute(_hit_counts())}
        work: dict[str, list[Any]] = defaultdict(list)
        columns = assignment_table.c
        wanted = (columns.batch_key, columns.worker_id, columns.status, columns.accepted_at, columns.submitted_at)
        for row in db.execute(sa.select(*wanted)):
            work[row.batch_key].append(row)
        money: dict[str, list[Any]] = defaultdict(list)
        for row in db.execute(sa.select(payment_table).where(payment_table.c.status == "done")):
            money[row.batch_key].append(row)
    simulated = simulated_workers(app)
    keys = sorted({*plans, *ledger}, key=lambda key: (_begun(plans.get(key), ledger.get(key)), key), reverse=True)
    return [
        _batch(key, plans.get(key), ledger.get(key), counted.get(key), work[key], money[key], simulated) for key in keys
    ]


def _hit_counts() -> sa.Select[Any]:
    return sa.select(
        hit_table.c.batch_key,
        sa.func.count().label("hits"),
        sa.func.count(hit_table.c.hit_id).label("published"),
        sa.func.sum(hit_table.c.max_assignments).label("places"),
        sa.func.min(hit_table.c.group_id).label("group_id"),
    ).group_by(hit_table.c.batch_key)


def _begun(plan: Any, row: Any) -> datetime:
    if plan is not None:
        return datetime.fromisoformat(plan.planned_at)
    return row.created_at if row is not None else datetime.min.replace(tzinfo=UTC)


def _batch(
    key: str,
    plan: Any,
    row: Any,
    counts: Any,
    work: Sequence[Any],
    money: Sequence[Any],
    simulated: Collection[str],
) -> BatchRow:
    reward = row.reward if row is not None else Decimal(plan.reward)
    people = [item for item in work if item.worker_id not in simulated]
    times = [(item.submitted_at - item.accepted_at).total_seconds() for item in people]
    seconds = median(times) if times else None
    status = Counter(item.status for item in work)
    return BatchRow(
        key=key,
        market=row.state_key if row is not None else plan.market,
        side=plan.side if plan is not None else "",
        question=plan.question if plan is not None else "",
        round=plan.round if plan is not None else 0,
        reward=reward,
        created_at=_begun(plan, row),
        hits=counts.hits if counts else 0,
        published=counts.published if counts else 0,
        places=counts.places if counts else 0,
        collected=len(work),
        approved=status["Approved"],
        rejected=status["Rejected"],
        price=row.price if row is not None else _ZERO,
        paid=sum((item.amount for item in money), _ZERO),
        fees=sum((item.fee for item in money), _ZERO),
        seconds=seconds,
        wage=(reward * 3600 / Decimal(seconds)).quantize(_ZERO) if seconds else None,
        group_id=counts.group_id if counts else None,
        cancelled=row is not None and row.cancelled_at is not None,
        simulated=bool(work) and not people,
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
    """The HITs of a batch, in order, without their questions."""
    found = sa.select(assignment_table.c.hit_key, sa.func.count().label("collected"))
    found = found.where(assignment_table.c.batch_key == batch_key).group_by(assignment_table.c.hit_key)
    columns = hit_table.c
    query = (
        sa.select(columns.hit_key, columns.hit_id, columns.status, columns.max_assignments, columns.expires_at)
        .where(columns.batch_key == batch_key)
        .order_by(columns.position)
    )
    with app.workspace.db.connect() as db:
        collected = {row.hit_key: row.collected for row in db.execute(found)}
        return [
            HitRow(
                row.hit_key, row.hit_id, row.status, row.max_assignments, collected.get(row.hit_key, 0), row.expires_at
            )
            for row in db.execute(query)
        ]


def spent(app: App, rows: Sequence[BatchRow]) -> tuple[Decimal, Decimal, Decimal]:
    """What the batches cost or can still cost, paid to workers, fees."""
    return (
        sum((committed(app, market) for market in {row.market for row in rows}), _ZERO),
        sum((row.paid for row in rows), _ZERO),
        sum((row.fees for row in rows), _ZERO),
    )


# Facesets


@dataclass(frozen=True, slots=True)
class FacesetRow:
    """One merge of a side: the faceset that it approved."""

    id: str
    side: str
    merge_id: str
    parent: str | None
    digest: str
    faces: int
    rejected: int
    approved_at: datetime
    undone_at: datetime | None


def facesets(app: App) -> dict[str, list[FacesetRow]]:
    """The merges of both sides, newest first."""
    found: dict[str, list[FacesetRow]] = {side.value: [] for side in Side}
    with app.workspace.db.connect() as db:
        for row in db.execute(sa.select(faceset_table).order_by(faceset_table.c.approved_at.desc())):
            found[row.side].append(
                FacesetRow(
                    row.id,
                    row.side,
                    row.merge_id,
                    row.parent,
                    row.digest,
                    row.faces,
                    row.rejected,
                    datetime.fromisoformat(row.approved_at),
                    datetime.fromisoformat(row.undone_at) if row.undone_at else None,
                )
            )
    return found


def questions_of(app: App, side: Side) -> tuple[Question, ...]:
    """What a side is asked."""
    return (app.settings.side_a if side is Side.A else app.settings.side_b).questions
