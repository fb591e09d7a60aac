"""Batches of a project while workers answer: how far they are, more answers or time for one, and taking one back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ...curation.types import Progress, no_progress
from ...mturk.requester.cancel import CancelResult
from ...mturk.requester.extend import ExtendResult, extend, quote_extension
from ...mturk.requester.money import Quote, written
from ..app import App
from ..asking.progress import BatchLine, batch_lines
from ..asking.settle import take_back
from ..errors import NothingToDo, StageError
from ..market.session import MarketSession, MarketTerms
from ..workspace.acts import note_act
from .batches import SentBatch, find_batch, keep_batch, sent_keys
from .project import Project
from .publish import check_price

__all__ = ["PlannedExtension", "ProjectBatch", "cancel_batch", "extend_batch", "plan_extension", "project_batches"]


@dataclass(frozen=True, slots=True)
class ProjectBatch:
    """One batch of a project; `line` is None where it was noted and nothing of it was sent yet."""

    key: str
    line: BatchLine | None

    @property
    def state(self) -> str:
        """planned, sending, open, complete or cancelled."""
        line = self.line
        if line is None:
            return "planned"
        if line.cancelled:
            return "cancelled"
        if line.published < line.hits:
            return "sending"
        return "complete" if line.submitted >= line.assignments else "open"


def project_batches(app: App, projects: list[Project]) -> dict[str, list[ProjectBatch]]:
    """The batches of each project, oldest first; counted once for all."""
    lines = {line.batch: line for line in batch_lines(app)}
    order = {key: place for place, key in enumerate(lines)}
    return {
        project.name: [
            ProjectBatch(key, lines.get(key))
            for key in sorted(sent_keys(project), key=lambda key: (order.get(key, len(order)), key))
        ]
        for project in projects
    }


@dataclass(frozen=True, slots=True)
class PlannedExtension:
    """What an extension would bring and cost: `price` is that of the whole batch afterwards, `more` what is added."""

    project: Project
    batch: SentBatch
    assignments: int
    until: datetime | None
    price: Quote
    more: Decimal

    @property
    def digest(self) -> str:
        """Names what a person agreed to; the end may move by the minutes in which they read it."""
        said = f"{self.batch.key} {self.assignments} {self.until is not None} {self.more} {self.price.total}"
        return hashlib.sha256(said.encode()).hexdigest()

    def text(self, currency: str) -> str:
        """What it is, for people: "5 workers a row, until 3 Mar 2027, 12:00 UTC: $0.40 more ($1.00 in all)"."""
        until = f", until {self.until:%d %b %Y, %H:%M} UTC" if self.until else ""
        whole = written(self.price.total, currency)
        return f"{self.assignments} workers a row{until}: {written(self.more, currency)} more ({whole} in all)"


def plan_extension(
    app: App, terms: MarketTerms, project: Project, key: str, *, assignments: int | None, hours: int | None
) -> PlannedExtension:
    """What it takes to have each row of a batch answered by `assignments` workers in all (None: as many as before),
    for `hours` from now (None: until it ends as it is). Nothing is written.

    Raises StageError, LedgerError or MTurkError where that cannot be, SafetyStop where the budget says no.
    """
    batch = find_batch(project, key)
    row = app.ledger.batch(terms.market.state_key, batch.key)
    if row is None:
        raise StageError(f"{batch.key} was not published on the market {terms.market.name}.")
    wanted = row["max_assignments"] if assignments is None else assignments
    price = quote_extension(app.ledger, terms.market.state_key, terms.market.fees, batch.key, wanted)
    until = None if hours is None else datetime.now(UTC) + timedelta(hours=hours)
    _check_ends(app, terms, batch, until)
    planned = PlannedExtension(project, batch, wanted, until, price, price.total - row["price"])
    if planned.more > 0:
        check_price(app, terms, batch.key, price)
    return planned


def _check_ends(app: App, terms: MarketTerms, batch: SentBatch, until: datetime | None) -> None:
    ends = [row.expires_at for row in app.ledger.progress(terms.market.state_key, [batch.key]) if row.expires_at]
    if until is None and ends and max(ends) <= datetime.now(UTC):
        raise StageError(f"The time of {batch.key} is over: say for how many hours it is open again (--hours).")
    if until is not None and batch.links_until is not None and until > batch.links_until:
        raise StageError(
            f"The links to the pictures of {batch.key} end on {batch.links_until:%d %b %Y, %H:%M} UTC and cannot be "
            "changed. Take fewer hours, or publish the same table as another turn."
        )


def extend_batch(
    app: App, session: MarketSession, planned: PlannedExtension, progress: Progress = no_progress
) -> ExtendResult:
    """Do it; run again after a kill it adds what is missing. The caller holds the workspace's lock.

    Raises NothingToDo where all of it stood so before.
    """
    batch = planned.batch
    keep_batch(
        planned.project, replace(batch, terms=batch.terms.model_copy(update={"assignments": planned.assignments}))
    )
    done = extend(app.ledger, session.client, batch.key, planned.assignments, until=planned.until, progress=progress)
    if not done.more and not done.later:
        raise NothingToDo(f"{batch.key} asks {planned.assignments} workers a row already. For more time: --hours N")
    note_act(app.workspace, "extend", batch.key, f"{done.more} pages with more places, {done.later} with a later end")
    return done


def cancel_batch(
    app: App, session: MarketSession, project: Project, key: str, *, pay: bool = True, progress: Progress = no_progress
) -> CancelResult:
    """Take a batch back as far as it goes now: nobody accepts it any more, work in hand may be finished, and answers
    that came are kept, and paid unless `pay` is False. Run it until it is done."""
    batch = find_batch(project, key)
    if app.ledger.batch(session.market.state_key, batch.key) is None:
        raise NothingToDo(f"Nothing of {batch.key} stands at the market {session.market.name}.")
    return take_back(app, session, batch.key, pay=pay, progress=progress)
