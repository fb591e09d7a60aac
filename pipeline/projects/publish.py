"""Publish a project's spreadsheet, one HIT a row: priced before anything is sent, spent once.

Order, so that a kill at any point loses and doubles nothing: pictures are copied into the workspace → rows, page and
terms are frozen in a file of the project → pictures stand where workers find them → ledger rows → HITs. The batch is
named after project, market and cells: the same table is the same batch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from ...curation.files import write_atomic
from ...curation.types import Progress, no_progress
from ...mturk.requester.hosting import LocalHosting
from ...mturk.requester.money import Quote, written
from ...mturk.requester.publish import PublishResult, quote_batch
from ...mturk.requester.publish import publish as publish_once
from ..app import App
from ..asking.gate import check_pictures, opted_in
from ..asking.progress import commitments
from ..asking.shown import with_veils
from ..checking.standing import not_stopped
from ..errors import NothingToDo, SafetyStop, StageError
from ..gate.look import rulings
from ..market.media import keep_media, media_body, media_link, note_shown
from ..market.pictures import put_pictures, veiled_key
from ..market.session import MarketSession, MarketTerms
from ..workspace.acts import note_act
from ..workspace.folder import Workspace
from .batches import SentBatch, find_batch, keep_batch, spec_of
from .gate import check_held, gate_rows
from .hosted import Files, files_of, shown_row
from .project import Project, find_project
from .table import Table, read_table
from .template import check_template, preview_page

__all__ = [
    "PlannedBatch",
    "check_price",
    "pages_of",
    "plan_again",
    "plan_batch",
    "preview_pages",
    "send_batch",
]

_LONGER = timedelta(days=14)
"""So much longer than the batch links to our own server live, so that it can be extended; a bucket's end soon."""
_LONGEST_LINK = "https://pictures.example/" + "x" * 400


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """What would be published and what it costs. `files` are those that its cells name and that are not kept yet."""

    project: Project
    batch: SentBatch
    price: Quote
    begun: bool
    notes: tuple[str, ...]
    files: Files = field(default_factory=lambda: Files({}))
    held: tuple[str, ...] = ()
    """Cells whose pictures are held back: nothing is sent before somebody says what becomes of them."""

    @property
    def digest(self) -> str:
        """Names rows, page, terms, files and price: what a person agreed to is what is sent."""
        batch = self.batch
        said = (batch.key, batch.terms.model_dump_json(), batch.template, str(self.price), sorted(self.files.by_cell))
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def lines(self, currency: str) -> list[str]:
        """The batch for people: what to look at, then the price."""
        again = " (goes on with one that was begun, at its terms)" if self.begun else ""
        return [*self.notes, f"{self.batch.key}{again}: {self.price.text(currency)}"]


def plan_batch(
    app: App,
    terms: MarketTerms,
    name: str,
    file: Path,
    *,
    turn: int = 1,
    media: Path | None = None,
    look: bool = False,
    progress: Progress = no_progress,
) -> PlannedBatch:
    """What publishing `file` would send. Nothing is written but, with `look`, what is known of its pictures.

    `turn` 2 asks the same rows once more; `media` is a folder with the pictures, sounds and films that cells name.
    Raises StageError where page, file and folder do not fit, SafetyStop where budget or hourly pay say no.
    """
    project = find_project(app.workspace, name)
    table = read_table(file, project.variables)
    key = _key(name, terms.market.state_key, table, turn)
    if app.ledger.batch(terms.market.state_key, key) is not None:
        return plan_again(app, terms, name, key, notes=table.notes)
    files = files_of(table, project.variables, media)
    gate = gate_rows(app, table, files, project.variables, look=look, progress=progress)
    media_of = {cell: "" for cell in files.by_cell if cell not in gate.kept_out}
    batch = SentBatch(key, project.terms, project.template, gate.table, media_of, warned=gate.warned)
    planned = _planned(app, terms, project, batch, (*table.notes, *files.notes, *gate.notes), gate.files)
    return replace(planned, held=gate.held)


def plan_again(app: App, terms: MarketTerms, name: str, key: str, *, notes: Iterable[str] = ()) -> PlannedBatch:
    """What is left to send of a batch that was begun, from its own file. Raises as plan_batch does."""
    project = find_project(app.workspace, name)
    return _planned(app, terms, project, find_batch(project, key), notes, None)


def _planned(
    app: App, terms: MarketTerms, project: Project, batch: SentBatch, notes: Iterable[str], files: Files | None
) -> PlannedBatch:
    doubts = check_template(batch.template, f"The template of {project.name}")
    if batch.media:
        _until(terms, batch)  # says now what keeps links from being made
    price = quote_batch(spec_of(batch, lambda _cell: _LONGEST_LINK), terms.market.fees)
    planned = PlannedBatch(project, batch, price, files is None, (*notes, *doubts), files or Files({}))
    check_price(app, terms, batch.key, price)
    return planned


def send_batch(
    app: App, session: MarketSession, planned: PlannedBatch, progress: Progress = no_progress
) -> PublishResult:
    """Send what of the batch does not stand at the market yet. The caller holds the workspace's lock.

    Raises NothingToDo where all of it stood there before.
    """
    batch = planned.batch
    check_held(planned.held)
    if planned.files.by_cell:
        batch = replace(batch, media=_kept(app.workspace, planned.files, progress))
    if batch.media:
        batch = replace(batch, links_until=_until(session, batch))
    keep_batch(planned.project, batch)
    _show(app, session, batch, progress)
    spec = spec_of(batch, lambda cell: _link(session, batch, cell), lambda cell: _link(session, batch, cell, veil=True))
    if batch.warned:
        spec = replace(spec, qualifications=[*spec.qualifications, *opted_in(session)])
    spec = replace(spec, qualifications=[*spec.qualifications, not_stopped(session)])
    done = publish_once(app.ledger, session.client, spec, progress)
    if not done.sent and not done.adopted:
        raise NothingToDo(
            f"These rows were published before, as {done.batch_key}. To ask them once more: --turn N, with the next N."
        )
    note_act(app.workspace, "publish", f"{done.batch_key}: {len(done.hits)} pages", planned.price.total)
    return done


def _kept(workspace: Workspace, files: Files, progress: Progress) -> dict[str, str]:
    kept = {}
    for number, (cell, path) in enumerate(files.by_cell.items()):
        progress("copy pictures", number, len(files.by_cell))
        kept[cell] = keep_media(workspace, path)
    return kept


def _show(app: App, session: MarketSession, batch: SentBatch, progress: Progress) -> None:
    """Have the batch's files where their links lead, before anybody is paid to look at them."""
    if not batch.media:
        return
    keys = sorted(set(batch.media.values()))
    check_pictures(rulings(app), batch.key, keys)
    note_shown(app.workspace, session.market.state_key, batch.key, keys)
    for key in keys:
        if media_body(app.workspace, key) is None:
            raise StageError(
                f"The file {key[1:]} that a page is to show is gone from {app.workspace.root / 'media'}; nothing more "
                "was sent. Bring it back from a copy, or publish the table with its folder as another turn."
            )
    put_pictures(app.workspace, app.store, session.hosting, with_veils(app, keys), progress)


def _until(terms: MarketTerms, batch: SentBatch) -> datetime:
    """When links to the batch's files end: whoever accepts at its last moment can still look."""
    longer = _LONGER if isinstance(terms.hosting, LocalHosting) else timedelta(hours=1)
    asked = timedelta(hours=batch.terms.lifetime_hours, minutes=batch.terms.minutes)
    until = datetime.now(UTC) + asked + longer
    terms.hosting.url("m" + "0" * 32, until)
    return until


def _link(terms: MarketTerms, batch: SentBatch, cell: str, *, veil: bool = False) -> str:
    assert batch.links_until is not None
    key = batch.media[cell]
    return terms.hosting.url(veiled_key(key) if veil else key, batch.links_until)


def pages_of(project: Project, table: Table, media: Path | None = None) -> list[str]:
    """The pages of a few rows as workers see them; nothing can be sent from them. Raises as plan_batch does."""
    wanted = project.variables
    links = {cell: media_link(path) for cell, path in files_of(table, wanted, media).by_cell.items()}
    return [preview_page(project.template, shown_row(row, wanted, links)) for row in table.dicts()]


def preview_pages(project: Project, table: Table, count: int, media: Path | None = None) -> list[Path]:
    """The same of the first rows, written into the project's folder `preview`."""
    folder = project.folder / "preview"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("row-*.html"):
        old.unlink()
    pages = []
    for number, page in enumerate(pages_of(project, table.part(0, count), media), 1):
        pages.append(folder / f"row-{number}.html")
        write_atomic(pages[-1], page, durable=False)
    return pages


def _key(name: str, state_key: str, table: Table, turn: int) -> str:
    """The batch's name: another on each market, where a page may first be tried out."""
    return f"{name}-{hashlib.sha256(f'{state_key} {table.digest}'.encode()).hexdigest()[:12]}-r{turn}"


def check_price(app: App, terms: MarketTerms, key: str, price: Quote) -> None:
    """Nothing where the batch may cost so much. Raises SafetyStop where budget or hourly pay say no."""
    ask, currency = app.settings.ask, app.settings.market.currency
    committed = commitments(app, terms.market.state_key)
    committed.pop(key, None)
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
