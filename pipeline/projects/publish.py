"""Publish a project's spreadsheet, one HIT a row: priced before anything is sent, spent once.

Order, so that a kill at any point loses and doubles nothing: rows, page and terms are frozen in a file of the project →
ledger rows → HITs. The batch is named after project, market and cells: the same file is the same batch.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from ...curation.files import write_atomic
from ...curation.types import Progress, no_progress
from ...mturk.requester.errors import QuestionTooLarge
from ...mturk.requester.money import Quote, written
from ...mturk.requester.publish import BatchSpec, HitSpec, PublishResult, quote_batch
from ...mturk.requester.publish import publish as publish_once
from ...mturk.requester.questions import html_question
from ..app import App
from ..asking.progress import commitments
from ..errors import NothingToDo, SafetyStop, StageError
from ..market.session import MarketSession, MarketTerms
from .project import Project, Terms, find_project
from .table import Table, read_table
from .template import check_template, filled

__all__ = ["PlannedBatch", "SentBatch", "plan_batch", "preview_pages", "send_batch", "sent_batches"]


@dataclass(frozen=True, slots=True)
class SentBatch:
    """What a batch was begun with; it stays so, whatever becomes of the project's files."""

    key: str
    terms: Terms
    template: str
    table: Table

    def inputs(self) -> dict[str, dict[str, str]]:
        """HIT key → the row that it shows."""
        return {f"{number:06d}": row for number, row in enumerate(self.table.dicts(), 1)}


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """What would be published and what it costs."""

    batch: SentBatch
    path: Path
    spec: BatchSpec
    price: Quote
    begun: bool
    notes: tuple[str, ...]

    def lines(self, currency: str) -> list[str]:
        """The batch for people: what to look at, then the price."""
        again = " (goes on with one that was begun, at its terms)" if self.begun else ""
        return [*self.notes, f"{self.batch.key}{again}: {self.price.text(currency)}"]


def plan_batch(app: App, terms: MarketTerms, name: str, file: Path, *, turn: int = 1) -> PlannedBatch:
    """What publishing `file` would send. Nothing is written.

    `turn` 2 asks the same rows once more. Raises StageError where page and file do not fit, SafetyStop where budget or
    hourly pay say no.
    """
    project = find_project(app.workspace, name)
    table = read_table(file, project.variables)
    key = _key(name, terms.market.state_key, table, turn)
    path = _batches(project) / f"{key}.json"
    begun = app.ledger.batch(terms.market.state_key, key) is not None
    batch = _read(path) if begun else SentBatch(key, project.terms, project.template, table)
    doubts = check_template(batch.template, f"The template of {name}")
    spec = _spec(batch)
    price = quote_batch(spec, terms.market.fees)
    planned = PlannedBatch(batch, path, spec, price, begun, (*table.notes, *doubts))
    _check_price(app, terms, planned)
    return planned


def send_batch(
    app: App, session: MarketSession, planned: PlannedBatch, progress: Progress = no_progress
) -> PublishResult:
    """Send what of the batch does not stand at the market yet. The caller holds the workspace's lock.

    Raises NothingToDo where all of it stood there before.
    """
    planned.path.parent.mkdir(exist_ok=True)
    write_atomic(planned.path, _written(planned.batch))
    done = publish_once(app.ledger, session.client, planned.spec, progress)
    if not done.sent and not done.adopted:
        raise NothingToDo(
            f"These rows were published before, as {done.batch_key}. To ask them once more: --turn N, with the next N."
        )
    return done


def preview_pages(project: Project, table: Table, count: int) -> list[Path]:
    """The pages of the first rows, written into the project's folder `preview`."""
    folder = project.folder / "preview"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("row-*.html"):
        old.unlink()
    pages = []
    for number, row in enumerate(list(table.dicts())[:count], 1):
        pages.append(folder / f"row-{number}.html")
        write_atomic(pages[-1], filled(project.template, row), durable=False)
    return pages


def sent_batches(project: Project) -> list[SentBatch]:
    """What was sent of the project, or was about to be."""
    return [_read(path) for path in sorted(_batches(project).glob("*.json"))]


def _key(name: str, state_key: str, table: Table, turn: int) -> str:
    """The batch's name: another on each market, where a page may first be tried out."""
    return f"{name}-{hashlib.sha256(f'{state_key} {table.digest}'.encode()).hexdigest()[:12]}-r{turn}"


def _batches(project: Project) -> Path:
    return project.folder / "batches"


def _written(batch: SentBatch) -> str:
    table = {"columns": batch.table.columns, "rows": batch.table.rows}
    data = {"key": batch.key, "terms": batch.terms.model_dump(mode="json"), "template": batch.template, **table}
    return json.dumps(data, ensure_ascii=False)


def _read(path: Path) -> SentBatch:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        table = Table(tuple(data["columns"]), tuple(tuple(row) for row in data["rows"]))
        return SentBatch(data["key"], Terms.model_validate(data["terms"]), data["template"], table)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StageError(
            f"{path} is missing or damaged; it says what the rows of a batch were. Bring it back from a copy."
        ) from error


def _spec(batch: SentBatch) -> BatchSpec:
    terms = batch.terms
    spec = BatchSpec(
        batch_key=batch.key,
        title=terms.title,
        description=terms.description,
        keywords=terms.keywords,
        reward=terms.reward,
        max_assignments=terms.assignments,
        lifetime=timedelta(hours=terms.lifetime_hours),
        duration=timedelta(minutes=terms.minutes),
        auto_approval_delay=timedelta(hours=terms.auto_approve_hours),
        hits=(),
        expected_seconds=Decimal(terms.seconds),
    )
    return replace(spec, hits=[HitSpec(key, _question(batch, key, row)) for key, row in batch.inputs().items()])


def _question(batch: SentBatch, key: str, row: dict[str, str]) -> str:
    try:
        return html_question(filled(batch.template, row))
    except QuestionTooLarge as error:
        raise StageError(
            f"The page of row {int(key)} is over the market's limit of 64 KB. Shorten the template, or link to long "
            "texts and pictures instead of putting them in. Nothing was sent."
        ) from error


def _check_price(app: App, terms: MarketTerms, planned: PlannedBatch) -> None:
    ask, currency, price = app.settings.ask, app.settings.market.currency, planned.price
    committed = commitments(app, terms.market.state_key)
    committed.pop(planned.batch.key, None)
    before = sum(committed.values(), Decimal("0.00"))
    if ask.budget is not None and before + price.total > ask.budget:
        raise SafetyStop(
            f"This batch costs {written(price.total, currency)}, {written(before, currency)} is spent or committed, "
            f"and the budget is {written(ask.budget, currency)}. Raise ask.budget in galloway.toml, or send fewer rows."
        )
    if terms.market.paying and price.hourly_wage is not None and price.hourly_wage < ask.min_hourly_wage:
        raise SafetyStop(
            f"The pay amounts to {written(price.hourly_wage, currency)} an hour, below the floor of "
            f"{written(ask.min_hourly_wage, currency)}. Raise reward in project.toml."
        )
