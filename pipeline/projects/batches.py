"""What was sent of a project, or was about to be: rows, page and terms, frozen in `batches/KEY.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from ...curation.files import write_atomic
from ...mturk.requester.errors import QuestionTooLarge
from ...mturk.requester.publish import BatchSpec, HitSpec
from ...mturk.requester.questions import html_question
from ..asking.words import WARNING
from ..errors import StageError
from .hosted import shown_row
from .project import Project, Terms
from .table import Table
from .template import filled, variables, veiled_page

__all__ = ["SentBatch", "batch_path", "find_batch", "keep_batch", "sent_batches", "sent_keys", "spec_of"]


@dataclass(frozen=True, slots=True)
class SentBatch:
    """What a batch was begun with; it stays so, whatever becomes of the project's files.

    `media` names the hosting key of each cell that names a file; `links_until` is when the last links to them end;
    `warned` are the cells whose pictures are blurred until they are tapped.
    """

    key: str
    terms: Terms
    template: str
    table: Table
    media: Mapping[str, str] = field(default_factory=dict)
    links_until: datetime | None = None
    warned: frozenset[str] = frozenset()

    def inputs(self) -> dict[str, dict[str, str]]:
        """HIT key → the row that it shows."""
        return {f"{number:06d}": row for number, row in enumerate(self.table.dicts(), 1)}


def spec_of(batch: SentBatch, link: Callable[[str], str], veil: Callable[[str], str] | None = None) -> BatchSpec:
    """The batch as it is published; `link` gives the address of a cell that names a file, `veil` that of its blurred
    picture.

    Raises StageError where a row's page is larger than the market takes.
    """
    terms, wanted = batch.terms, variables(batch.template)
    links = {cell: link(cell) for cell in batch.media}
    veils = {links[cell]: (veil or link)(cell) for cell in batch.warned}
    shown = {cell: veils.get(address, address) for cell, address in links.items()}
    pages = {
        key: veiled_page(
            filled(batch.template, shown_row(row, wanted, shown)),
            {shown[cell]: links[cell] for cell in row.values() if cell in batch.warned},
        )
        for key, row in batch.inputs().items()
    }
    said = WARNING if batch.warned else ""
    return BatchSpec(
        batch_key=batch.key,
        title=f"{terms.title} (may be sexual or violent)" if said else terms.title,
        description=f"{said} {terms.description}".strip(),
        keywords=terms.keywords,
        reward=terms.reward,
        max_assignments=terms.assignments,
        lifetime=timedelta(hours=terms.lifetime_hours),
        duration=timedelta(minutes=terms.minutes),
        auto_approval_delay=timedelta(hours=terms.auto_approve_hours),
        hits=[HitSpec(key, _question(key, page)) for key, page in pages.items()],
        expected_seconds=Decimal(terms.seconds),
        qualifications=terms.requirements(),
    )


def _question(key: str, page: str) -> str:
    try:
        return html_question(page)
    except QuestionTooLarge as error:
        raise StageError(
            f"The page of row {int(key)} is over the market's limit of 64 KB. Shorten the template, or link to long "
            "texts and pictures instead of putting them in. Nothing was sent."
        ) from error


def batch_path(project: Project, key: str) -> Path:
    """Where the batch is kept."""
    return project.folder / "batches" / f"{key}.json"


def sent_keys(project: Project) -> list[str]:
    """The names of its batches, without reading them."""
    return sorted(path.stem for path in (project.folder / "batches").glob("*.json"))


def sent_batches(project: Project) -> list[SentBatch]:
    """All its batches."""
    return [_read(batch_path(project, key)) for key in sent_keys(project)]


def find_batch(project: Project, key: str = "") -> SentBatch:
    """The batch of this name, without one the only one. Raises StageError where it is not there or not the only one."""
    keys = sent_keys(project)
    if not keys:
        raise StageError(
            f"Nothing of {project.name} was published. First: galloway project publish {project.name} FILE"
        )
    if not key and len(keys) > 1:
        raise StageError(f"{project.name} has several batches; name one of them: {', '.join(keys)}.")
    if key and key not in keys:
        raise StageError(f"{project.name} has no batch {key[:80]!r}; it has {', '.join(keys)}.")
    return _read(batch_path(project, key or keys[0]))


def keep_batch(project: Project, batch: SentBatch) -> None:
    """Write it down, before anything of it is sent."""
    path = batch_path(project, batch.key)
    path.parent.mkdir(exist_ok=True)
    until = None if batch.links_until is None else batch.links_until.isoformat()
    data = {
        "key": batch.key,
        "terms": batch.terms.model_dump(mode="json"),
        "template": batch.template,
        "columns": batch.table.columns,
        "rows": batch.table.rows,
        "media": dict(batch.media),
        "links_until": until,
        "warned": sorted(batch.warned),
    }
    write_atomic(path, json.dumps(data, ensure_ascii=False))


def _read(path: Path) -> SentBatch:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        table = Table(tuple(data["columns"]), tuple(tuple(row) for row in data["rows"]))
        until = data.get("links_until")
        return SentBatch(
            data["key"],
            Terms.model_validate(data["terms"]),
            data["template"],
            table,
            dict(data.get("media") or {}),
            None if until is None else datetime.fromisoformat(until).astimezone(UTC),
            frozenset(data.get("warned") or ()),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StageError(
            f"{path} is missing or damaged; it says what the rows of a batch were. Bring it back from a copy."
        ) from error
