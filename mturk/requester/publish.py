"""Publish a batch so that it is spent once, whatever is killed or cut off in between.

Plan (all HITs in one transaction) → for each HIT: intent row → CreateHIT with a deterministic token → result row.
On every run the market is asked first which of the unsent HITs it already has, by RequesterAnnotation over all pages
of ListHITs: the market forgets a token after 24 hours, an annotation never.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from .client import HitInfo, HitRequest, MTurkClient
from .errors import AlreadyExists, InsufficientFunds, LedgerError, MTurkError
from .ledger import Ledger, Row
from .money import FeeSchedule, Quote, amount, check_budget, quote
from .questions import check_size, question_digest

__all__ = [
    "MASTERS",
    "BatchSpec",
    "HitSpec",
    "Progress",
    "PublishResult",
    "PublishedHit",
    "batch_row",
    "hit_rows",
    "publish",
    "quote_batch",
    "request_token",
]

_log = logging.getLogger(__name__)

Progress = Callable[[str, int, int | None], None]
MASTERS = frozenset({"2ARFPLSP75KLA8M8DH1HTEQVJT3SY6", "2F1QJWKUDD8XADTFD2Q0G6UTO95ALH"})
"""The Masters qualifications of AWS's sandbox and production: they cost another 5 %."""


@dataclass(frozen=True, slots=True)
class HitSpec:
    """One HIT of a batch. `key` names it for ever within the batch; `max_assignments` None means the batch's."""

    key: str
    question_xml: str
    max_assignments: int | None = None


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """What is published together. `batch_key` names it for ever within the market.

    `budget` is a wall for the whole batch, fees included. `expected_seconds` is the working time of one assignment,
    from which the hourly wage follows.
    """

    batch_key: str
    title: str
    description: str
    keywords: str
    reward: Decimal
    max_assignments: int
    lifetime: timedelta
    duration: timedelta
    auto_approval_delay: timedelta
    hits: Sequence[HitSpec]
    budget: Decimal | None = None
    expected_seconds: Decimal | None = None
    qualifications: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class PublishedHit:
    """A HIT that exists at the market."""

    hit_key: str
    hit_id: str
    group_id: str


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What stands at the market now: `sent` by this run, `adopted` from an earlier run's calls whose answer was
    lost, `already` recorded before. `price` is that of the whole batch."""

    batch_key: str
    hits: tuple[PublishedHit, ...]
    sent: int
    adopted: int
    already: int
    price: Quote


def request_token(state_key: str, batch_key: str, hit_key: str, digest: str) -> str:
    """The UniqueRequestToken of a HIT: 64 hex digits, the same on every run."""
    parts = "\x1f".join((state_key, batch_key, hit_key, digest))
    return hashlib.sha256(parts.encode()).hexdigest()[:64]


def quote_batch(spec: BatchSpec, fees: FeeSchedule) -> Quote:
    """What the whole batch costs."""
    masters = any(item.get("QualificationTypeId") in MASTERS for item in spec.qualifications)
    places = [item.max_assignments or spec.max_assignments for item in spec.hits]
    return quote(spec.reward, places, fees, masters=masters, seconds=spec.expected_seconds)


def publish(
    ledger: Ledger,
    client: MTurkClient,
    spec: BatchSpec,
    progress: Progress = lambda _what, _done, _total: None,
    *,
    at_market: Sequence[HitInfo] | None = None,
) -> PublishResult:
    """Publish what of the batch does not stand at the market yet. Running it again is always safe.

    `at_market` is what `look_up` found in this run; whoever publishes several batches looks once for all of them.
    Raises BudgetExceeded and InsufficientFunds before anything is sent, LedgerError where the batch was begun with
    other terms or other HITs, MarketUnreachable where the market stops answering (run it again then).
    """
    _check_limits(spec)
    price = quote_batch(spec, client.market.fees)
    check_budget(price, spec.budget, what=f"Batch {spec.batch_key}")
    state_key = client.market.state_key
    rows = _plan(ledger, state_key, spec, price)
    open_rows = [row for row in rows if row["hit_id"] is None]
    already = len(rows) - len(open_rows)
    adopted = sent = 0
    if open_rows:
        unsent = _adopt_found(ledger, open_rows, look_up(client, progress) if at_market is None else at_market)
        adopted = len(open_rows) - len(unsent)
        _check_funds(client, spec, unsent)
        # The pages of this run, not those of an earlier one: their image links are the ones that still live. Token and
        # annotation stay those of the first run, by which a HIT is one HIT.
        questions = {item.key: item.question_xml for item in spec.hits}
        for number, row in enumerate(unsent):
            progress("publish", already + adopted + number, len(rows))
            if _send(ledger, client, spec, row, questions[row["hit_key"]]):
                sent += 1
            else:
                adopted += 1
    progress("publish", len(rows), len(rows))
    hits = tuple(
        PublishedHit(row["hit_key"], row["hit_id"], row["group_id"]) for row in ledger.hits(state_key, [spec.batch_key])
    )
    return PublishResult(spec.batch_key, hits, sent, adopted, already, price)


def _plan(ledger: Ledger, state_key: str, spec: BatchSpec, price: Quote) -> list[Row]:
    """The batch's HIT rows, written now or by an earlier run; an earlier run's terms have to be the same."""
    existing = ledger.batch(state_key, spec.batch_key)
    if existing is None:
        ledger.plan(batch_row(state_key, spec, price), hit_rows(state_key, spec))
    else:
        _check_same(existing, ledger.hits(state_key, [spec.batch_key]), spec)
    return ledger.hits(state_key, [spec.batch_key])


def batch_row(state_key: str, spec: BatchSpec, price: Quote) -> dict[str, Any]:
    """The ledger's row of a batch."""
    return {
        "state_key": state_key,
        "batch_key": spec.batch_key,
        "title": spec.title,
        "description": spec.description,
        "keywords": spec.keywords,
        "reward": amount(spec.reward),
        "max_assignments": spec.max_assignments,
        "lifetime_seconds": int(spec.lifetime.total_seconds()),
        "duration_seconds": int(spec.duration.total_seconds()),
        "auto_approval_seconds": int(spec.auto_approval_delay.total_seconds()),
        "budget": spec.budget,
        "price": price.total,
    }


def hit_rows(state_key: str, spec: BatchSpec) -> list[dict[str, Any]]:
    """The ledger's rows of a batch's HITs, with their tokens and annotations."""
    rows = []
    for position, item in enumerate(spec.hits):
        digest = question_digest(item.question_xml)
        token = request_token(state_key, spec.batch_key, item.key, digest)
        rows.append(
            {
                "state_key": state_key,
                "batch_key": spec.batch_key,
                "hit_key": item.key,
                "position": position,
                "question": item.question_xml,
                "question_digest": digest,
                "token": token,
                # The token alone makes it unique; the rest is for a person who looks at the account.
                "annotation": f"galloway:{token}:{spec.batch_key}:{item.key}"[:255],
                "max_assignments": item.max_assignments or spec.max_assignments,
            }
        )
    return rows


def _check_same(existing: Row, rows: Sequence[Row], spec: BatchSpec) -> None:
    name = f"Batch {spec.batch_key}"
    if existing["cancelled_at"] is not None:
        raise LedgerError(f"{name} was cancelled on {existing['cancelled_at']:%d %B %Y}. Publish a new round instead.")
    if [row["hit_key"] for row in rows] != [item.key for item in spec.hits]:
        raise LedgerError(f"{name} was begun with other HITs. Publish a new round, or cancel the batch first.")
    if existing["reward"] != amount(spec.reward) or existing["max_assignments"] != spec.max_assignments:
        raise LedgerError(
            f"{name} was begun at {existing['reward']} for {existing['max_assignments']} workers a HIT. "
            "Finish it at those terms (set ask.reward and ask.votes back) or cancel it first."
        )


def look_up(client: MTurkClient, progress: Progress = lambda _what, _done, _total: None) -> list[HitInfo]:
    """Every HIT that the market has, all pages: what `publish` compares its unsent HITs with."""
    found = []
    for number, info in enumerate(client.list_hits()):
        if number % 100 == 0:
            progress("look what the market has", number, None)
        found.append(info)
    return found


def _adopt_found(ledger: Ledger, open_rows: Sequence[Row], at_market: Iterable[HitInfo]) -> list[Row]:
    """Record the HITs that the market has already; the rows that it has not."""
    wanted = {row["annotation"]: row for row in open_rows}
    found: dict[str, HitInfo] = {}
    for info in at_market:
        if info.annotation in wanted:
            if info.annotation in found:
                raise LedgerError(
                    f"The market has two HITs for {wanted[info.annotation]['hit_key']}: {info.hit_id} and "
                    f"{found[info.annotation].hit_id}. Expire one of them there, then publish again."
                )
            found[info.annotation] = info
    for annotation, info in found.items():
        _record(ledger, wanted[annotation], info, adopted=True)
    return [row for row in open_rows if row["annotation"] not in found]


def _check_funds(client: MTurkClient, spec: BatchSpec, unsent: Sequence[Row]) -> None:
    """The balance has to cover everything that is still to be sent, before the first of it is."""
    if not unsent:
        return
    masters = any(item.get("QualificationTypeId") in MASTERS for item in spec.qualifications)
    rest = quote(spec.reward, [row["max_assignments"] for row in unsent], client.market.fees, masters=masters)
    balance = client.balance()
    if balance < rest.total:
        raise InsufficientFunds(
            f"Batch {spec.batch_key} still needs {rest.total} and the balance on {client.market.name!r} is {balance}; "
            "nothing was sent. Add funds or publish fewer faces.",
            operation="create_hit",
        )


def _send(ledger: Ledger, client: MTurkClient, spec: BatchSpec, row: Row, question: str) -> bool:
    """Send one HIT; True where this call made it, False where it turned out to be there."""
    key = (row["state_key"], row["batch_key"], row["hit_key"])
    request = HitRequest(
        title=spec.title,
        description=spec.description,
        keywords=spec.keywords,
        reward=spec.reward,
        max_assignments=row["max_assignments"],
        lifetime=spec.lifetime,
        duration=spec.duration,
        auto_approval_delay=spec.auto_approval_delay,
        question_xml=question,
        annotation=row["annotation"],
        token=row["token"],
        qualifications=spec.qualifications,
    )
    ledger.mark_intent(*key, question, question_digest(question))
    try:
        info = client.create_hit(request)
    except AlreadyExists as error:
        _record(ledger, row, _existing(client, row, error), adopted=True)
        return False
    _record(ledger, row, info, adopted=False)
    return True


def _existing(client: MTurkClient, row: Row, error: AlreadyExists) -> HitInfo:
    """The HIT that a used token belongs to, if it is ours."""
    if error.hit_id is not None:
        info = client.get_hit(error.hit_id)
        if info.annotation == row["annotation"]:
            return info
    for info in client.list_hits():
        if info.annotation == row["annotation"]:
            return info
    raise LedgerError(
        f"The market says that HIT {row['hit_key']} was sent before ({error}), but has none with its annotation. "
        "It was made by something else or deleted; publish a new round."
    ) from error


def _record(ledger: Ledger, row: Row, info: HitInfo, *, adopted: bool) -> None:
    ledger.mark_published(row["state_key"], row["batch_key"], row["hit_key"], info, adopted=adopted)
    _log.info("published", extra={"batch": row["batch_key"], "hit": row["hit_key"], "adopted": adopted})


def _check_limits(spec: BatchSpec) -> None:
    """The service's limits that botocore lets through, checked before anything is written."""
    name = f"Batch {spec.batch_key}"
    keys = [item.key for item in spec.hits]
    rules = (
        (bool(keys), "has no HITs"),
        (len(set(keys)) == len(keys), "names a HIT twice"),
        (all(0 < len(key) <= 100 for key in (spec.batch_key, *keys)), "has a key that is not 1 to 100 characters long"),
        (0 < len(spec.title) <= 128, "needs a title of at most 128 characters"),
        (0 < len(spec.description) <= 2000, "needs a description of at most 2,000 characters"),
        (len(spec.keywords) <= 1000, "has keywords over 1,000 characters"),
        (all(1 <= (item.max_assignments or spec.max_assignments) <= 10**9 for item in spec.hits), "asks no workers"),
        (30 <= spec.lifetime.total_seconds() <= 31_536_000, "needs a lifetime of 30 seconds to a year"),
        (30 <= spec.duration.total_seconds() <= 31_536_000, "needs a working time of 30 seconds to a year"),
        (0 <= spec.auto_approval_delay.total_seconds() <= 2_592_000, "needs an auto-approval delay of at most 30 days"),
        (len(spec.qualifications) <= 10, "has more than 10 qualification requirements"),
    )
    for holds, complaint in rules:
        if not holds:
            raise MTurkError(f"{name} {complaint}; nothing was sent.")
    for item in spec.hits:
        check_size(item.question_xml, what=f"HIT {item.key} of batch {spec.batch_key}")
