"""Forty workers of different speed through the real marketplace: what each was paid an hour, and every cent of it.

    python -m bench.fair [--seeds 3] [--quick]

A workspace publishes pages of faces on the embedded marketplace, whose clock the bench moves; workers accept, look
for as long as their speed says (with breaks that the page does not count), skip what they do not want to see, hand in.
Some answers are rejected with a reason, the workers appeal, and another person decides; what nobody decides is left to
the market's own delay; `collect` tops up by itself. Compared are the requester's ledger and the market's own account,
to the cent. Last, one worker takes the record along and erases the account. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import exp
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa
from galloway.mturk.marketplace.app import open_store
from galloway.mturk.marketplace.desk.work import Work
from galloway.mturk.marketplace.errors import OperatorError
from galloway.mturk.marketplace.office.operator import Operator
from galloway.mturk.marketplace.store import Store
from galloway.mturk.marketplace.store.tables import assignment, bonus
from galloway.mturk.requester.collect import collected
from galloway.pipeline.app import App
from galloway.pipeline.asking.collect import collect
from galloway.pipeline.asking.floor import worked_seconds
from galloway.pipeline.asking.publish import plan_round, publish_round
from galloway.pipeline.asking.settle import settle_by_hand
from galloway.pipeline.market.local import local_config, serve_market
from galloway.pipeline.market.session import MarketSession
from galloway.pipeline.workspace.records import FrozenTile, tiles_of

from tests.support.marketplace import FakeClock
from tests.support.workspace import built_app

WORKERS, FACES, PER_PAGE, REJECTED = 40, 36, 6, 4
SETTINGS = """
[ask]
learn = false
votes = {votes}
max_votes = 99
faces_per_hit = 6
reward = "0.04"
top_up = true
min_hourly_wage = "7.25"

[side_a]
questions = ["usable"]

[side_b]
questions = ["usable"]
"""
REASON = (
    "Every face of this page is marked as fine although three of them show no face at all, as you can see beside this; "
    "the page asks to mark those."
)
UPHELD = (
    "A second person looked at the page again: three of its six pictures show no face at all and all are marked as "
    "fine, and your appeal says nothing of them."
)


@dataclass
class Run:
    """One workspace, its market, and what happened."""

    app: App
    session: MarketSession
    store: Store
    clock: FakeClock
    dice: random.Random
    people: dict[str, float] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)

    @property
    def work(self) -> Work:
        return Work(self.store)

    def join(self, count: int) -> None:
        """Workers of half a second to nine seconds a face."""
        for number in range(count):
            token = self.work.invite().token
            session = self.work.join(token, name=f"worker {number:02d}", password="correct horse battery")
            self.people[session.worker.worker_id] = min(9.0, max(0.5, 2.2 * exp(self.dice.gauss(0, 0.6))))

    def answer_all(self) -> None:
        """Everybody answers every page there is, in turns."""
        pages = {key: page for batch in self.app.ledger.batches() for key, page in self.tiles(batch["batch_key"])}
        waiting = list(self.people)
        while waiting:
            for worker in list(waiting):
                if not self.one(worker, pages):
                    waiting.remove(worker)

    def tiles(self, batch: str) -> Iterator[tuple[str, dict[str, FrozenTile]]]:
        """(HIT key, tiles) of the pages of a batch."""
        yield from tiles_of(self.app.workspace, batch).items()

    def one(self, worker: str, pages: dict[str, dict[str, FrozenTile]]) -> bool:
        """Accept a page and hand it in; whether there was one."""
        groups = self.work.groups(worker).groups
        free = [group for group in groups if group.available]
        if not free:
            return False
        held = self.work.accept(worker, group_id=free[0].group_id)
        key = self.hit_key(held.hit_id)
        active = PER_PAGE * self.people[worker] * exp(self.dice.gauss(0, 0.25))
        idle = self.dice.uniform(30, 200) if self.dice.random() < 0.1 else self.dice.uniform(0, 3)
        self.clock.forward(seconds=active + idle)
        skips = self.dice.random() < 0.05
        value = "skip" if skips else "keep"
        fields = [(f"face.{tile}", value) for tile in pages[key]]
        Work(self.store).submit(held.assignment_id, [*fields, ("elapsed", str(round(1000 * active)))])
        if skips:
            self.skipped.add(held.assignment_id)
        return True

    def hit_key(self, hit_id: str) -> str:
        """Our name of the market's HIT."""
        return next(str(row["hit_key"]) for row in self.app.ledger.hits("local") if row["hit_id"] == hit_id)


@contextmanager
def started(folder: Path, seed: int, workers: int) -> Iterator[Run]:
    """A workspace whose market goes by a clock of ours."""
    app = built_app(folder, faces=FACES, settings=SETTINGS.format(votes=workers))
    clock = FakeClock()
    config = replace(local_config(app.workspace), clock=clock, clock_skew_seconds=10**10)
    with serve_market(app.workspace, config), app.market("local") as session:
        store = open_store(config)
        try:
            yield Run(app, session, store, clock, random.Random(seed))
        finally:
            store.close()


def decide(run: Run) -> dict[str, int]:
    """Some answers are rejected with a reason; the workers appeal; somebody else decides, for one in two of them."""
    waiting = [item.assignment_id for item in collected(run.app.ledger, "local") if item.status == "Submitted"]
    chosen = sorted(set(waiting) - run.skipped)[:REJECTED]  # who skips is never rejected for it
    settle_by_hand(run.app, run.session, chosen, reason=REASON)
    office, refused, shown = Operator(run.store), 0, 0
    for number, name in enumerate(chosen):
        worker = _worker(run, name)
        record = run.work.record(worker, name)
        shown += record.feedback == REASON and bool(run.work.preview(worker, hit_id=record.hit_id).frame_url)
        run.work.appeal(worker, name, "I looked at each of them.")
        pay = bool(number % 2)
        try:
            office.decide_appeal(name, pay=pay, answer=UPHELD, by=record.requester_name)
        except OperatorError:
            refused += 1
        office.decide_appeal(name, pay=pay, answer=UPHELD, by="another person")
    return {"rejected": len(chosen), "own_decision_refused": refused, "shown_with_reason": shown}


def _worker(run: Run, name: str) -> str:
    return next(item.worker_id for item in collected(run.app.ledger, "local") if item.assignment_id == name)


def account(run: Run) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Rewards and bonuses by the requester's ledger, and by the market's own account."""
    done = [row for row in run.app.ledger.payments("local") if row["status"] == "done" and row["kind"] != "reject"]
    ours = {row["assignment_id"]: row["amount"] for row in done if row["kind"] in ("approve", "override")}
    with run.store.read() as tx:
        rewards = tx.conn.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(assignment.c.reward_cents), 0)).where(
                assignment.c.state == "Approved"
            )
        )
        extra = tx.conn.scalar(sa.select(sa.func.coalesce(sa.func.sum(bonus.c.amount_cents), 0)))
    zero = Decimal("0.00")
    return (
        sum(ours.values(), zero),
        sum((row["amount"] for row in done if row["kind"] == "bonus"), zero),
        Decimal(int(rewards or 0)) / 100,
        Decimal(int(extra or 0)) / 100,
    )


def hourly(run: Run) -> dict[str, tuple[Decimal, Decimal]]:
    """Worker → pay an hour of measured active time, without and with what was paid on top; rejected work left out."""
    found = collected(run.app.ledger, "local")
    seconds: dict[str, float] = defaultdict(float)
    pay: dict[str, Decimal] = defaultdict(lambda: Decimal(0))
    top: dict[str, Decimal] = defaultdict(lambda: Decimal(0))
    of = {item.assignment_id: item for item in found if item.status == "Approved"}
    for item in of.values():
        seconds[item.worker_id] += worked_seconds(item)
        pay[item.worker_id] += Decimal("0.04")
    for row in run.app.ledger.payments("local"):
        if row["kind"] == "bonus" and row["status"] == "done" and row["assignment_id"] in of:
            top[row["worker_id"]] += row["amount"]
    return {
        worker: (pay[worker] * 3600 / Decimal(str(taken)), (pay[worker] + top[worker]) * 3600 / Decimal(str(taken)))
        for worker, taken in seconds.items()
    }


def late(run: Run) -> float:
    """The longest time from hand-in to pay, in days."""
    with run.store.read() as tx:
        rows = tx.conn.execute(
            sa.select(assignment.c.submitted_at, assignment.c.approved_at).where(assignment.c.state == "Approved")
        ).all()
    return max((approved - submitted) / 86_400_000 for submitted, approved in rows)


def leaves(run: Run) -> dict[str, bool]:
    """One worker takes the record along and erases the account: what is in the one, and what is left of the other."""
    office, worker = Operator(run.store), collected(run.app.ledger, "local")[0].worker_id
    name = next(row.name for row in office.workers() if row.worker_id == worker)
    text = json.dumps(office.export_worker(worker), default=str)
    run.work.leave(worker, "correct horse battery")
    after = json.dumps(office.export_worker(worker), default=str)
    return {
        "record_has_name_and_work": "correct" not in text
        and name in text
        and collected(run.app.ledger, "local")[0].assignment_id in text,
        "name_is_gone": name not in after,
    }


def measure(folder: Path, seed: int, workers: int) -> dict[str, Any]:
    """One crowd, from the first page to the last cent."""
    with started(folder, seed, workers) as run:
        publish_round(run.app, run.session, plan_round(run.app, run.session))
        run.join(workers)
        run.answer_all()
        collect(run.app, run.session, pay=False)
        decided = decide(run)
        run.clock.forward(hours=73)  # what nobody decides is approved by the market's own delay
        for _ in range(3):
            got = collect(run.app, run.session)
        rates = hourly(run)
        floor = run.app.settings.ask.min_hourly_wage
        ours = account(run)
        skips = [item for item in collected(run.app.ledger, "local") if item.assignment_id in run.skipped]
        spent = run.app.ledger.paid("local")
        return {
            "seed": seed,
            "workers": len(rates),
            "answers": got.assignments,
            "met_before": sum(before >= floor for before, _ in rates.values()) / len(rates),
            "met": sum(after >= floor for _, after in rates.values()) / len(rates),
            "lowest_before": str(min(before for before, _ in rates.values()).quantize(Decimal("0.01"))),
            "lowest": str(min(after for _, after in rates.values()).quantize(Decimal("0.01"))),
            "median": str(median(after for _, after in rates.values()).quantize(Decimal("0.01"))),
            "rewards": [str(ours[0]), str(ours[2])],
            "top_ups": [str(ours[1]), str(ours[3])],
            "cents_apart": str(abs(ours[0] - ours[2]) + abs(ours[1] - ours[3])),
            "fees": str(sum((row.fee * row.count for row in spent), Decimal("0.00"))),
            "days_to_pay": round(late(run), 2),
            "skipped_pages": len(skips),
            "skipped_unpaid": sum(
                item.status != "Approved" for item in skips if item.assignment_id not in _rejected(run)
            ),
            **decided,
            "still_rejected": len(_rejected(run)),
            **leaves(run),
            "problems": list(got.problems),
        }


def _rejected(run: Run) -> set[str]:
    return {item.assignment_id for item in collected(run.app.ledger, "local") if item.status == "Rejected"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one seed, twelve workers")
    wish = parser.parse_args()
    rows = []
    for seed in range(1, 2 if wish.quick else wish.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            row = measure(Path(folder) / "ws", seed, 12 if wish.quick else WORKERS)
        rows.append(row)
        print(
            f"seed {seed}: {row['workers']} workers, {row['answers']} answers; floor met for {row['met_before']:.0%} "
            f"by the reward, {row['met']:.0%} after top-ups (lowest {row['lowest_before']}, then {row['lowest']}); "
            f"rewards {row['rewards'][0]} and top-ups {row['top_ups'][0]}, {row['cents_apart']} apart from the "
            f"market's account; paid after {row['days_to_pay']} days at most; {row['still_rejected']} of "
            f"{row['rejected']} rejections stand; {row['skipped_pages']} pages skipped, "
            f"{row['skipped_unpaid']} of them unpaid",
            flush=True,
        )
        assert not row["problems"], row["problems"]
    worst = min(rows, key=lambda row: row["met"])
    print(json.dumps({"bench": "fair", "seeds": len(rows), "met_worst": worst["met"], "worst": worst}))


if __name__ == "__main__":
    main()
