"""Status: where the work stands, read from the workspace alone, and the command that comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...curation.listing import count_statuses
from ...curation.truth.audit import AuditResult
from ...curation.types import Side, Status
from ...mturk.requester.progress import BatchSum
from ..app import App
from ..asking.audits import audits
from ..asking.heeded import count_heeded
from ..gate.look import not_looking
from ..gate.words import held
from ..market.pictures import reference_files
from ..wording import counted, noun
from ..workspace.films import films_in
from ..workspace.records import sources
from ..workspace.runs import runs
from .away import away_sentence
from .missing import missing

__all__ = ["SideStatus", "WorkStatus", "next_command", "read_status"]

_MERGE = "galloway merge"


@dataclass(frozen=True, slots=True)
class SideStatus:
    """One side in numbers; `decisions` counts faces by status, standing faces without a decision as undecided."""

    sources: int
    unextracted: int
    references: int
    faces: int
    decisions: dict[str, int]
    merged: str | None


@dataclass(frozen=True, slots=True)
class WorkStatus:
    """The whole workspace in numbers."""

    workspace: str
    database: str
    """The PostgreSQL database that has the rows; empty: galloway.db."""
    market: str
    sides: dict[str, SideStatus]
    votes: int
    batches: int
    assignments_wanted: int
    assignments_collected: int
    training_runs: int
    trained_iterations: int
    videos: tuple[str, ...]
    audits: dict[str, AuditResult]
    held_back: int
    unseen: str
    away: tuple[str, ...]
    """Faces that were approved after a merge had moved them away, and what brings them back."""
    missing: tuple[str, ...]
    """What of footage and faces the folder lacks, a sentence each."""
    next_command: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"audits": {name: audit.as_dict() for name, audit in self.audits.items()}}

    def as_lines(self) -> list[str]:
        lines = [f"{self.workspace} · market {self.market}" + (f" · rows in {self.database}" if self.database else "")]
        for name, side in self.sides.items():
            counts = ", ".join(f"{count} {status}" for status, count in side.decisions.items() if count)
            lines.append(
                f"side {name}: {counted(side.sources, 'source')}, "
                f"{counted(side.references, 'reference photograph')}, {counted(side.faces, 'face')}"
                + (f" ({counts})" if counts else "")
                + (f", approved faceset {side.merged}" if side.merged else "")
            )
        lines += self.missing
        answers = f"{self.assignments_collected} of {counted(self.assignments_wanted, 'assignment')} collected"
        lines.append(f"{counted(self.batches, 'batch', 'batches')}: {answers}, {counted(self.votes, 'vote')}")
        if self.held_back:
            held = f"{counted(self.held_back, 'picture')} {noun(self.held_back, 'is', 'are')} held back from workers"
            lines.append(f"{held}: galloway gate list")
        lines += [self.unseen] if self.unseen else []
        lines += self.away
        lines += [f"audit, {name}: {audit.text()}" for name, audit in self.audits.items()]
        lines.append(f"{counted(self.training_runs, 'training run')}, {counted(self.trained_iterations, 'iteration')}")
        lines += [f"result: {video}" for video in self.videos]
        return lines


def read_status(app: App, sums: Sequence[BatchSum] | None = None) -> WorkStatus:
    """Where the work stands. Needs no market and no engine. `sums` are the ledger's, if at hand."""
    counts = count_statuses(app.workspace.db, standing=True)
    sides = {side.value: _side(app, side, counts[side]) for side in Side}
    batches = app.ledger.batches()
    so_far = [row.progress for row in (app.ledger.sums() if sums is None else sums)]
    wanted, got = sum(row.assignments for row in so_far), sum(row.submitted for row in so_far)
    trained = _trained(app)
    following = _next(sides, bool(batches), wanted > got, trained, _converted(app))
    results = app.workspace.root / "results"
    return WorkStatus(
        workspace=app.settings.name,
        database=app.workspace.rows.place,
        market=app.settings.market.name,
        sides=sides,
        votes=count_heeded(app),
        batches=len(batches),
        assignments_wanted=wanted,
        assignments_collected=got,
        training_runs=len(runs(app.workspace)),
        trained_iterations=max(trained, default=0),
        videos=tuple(app.workspace.relative(item) for item in films_in(results)),
        audits=audits(app),
        held_back=held(app),
        unseen=not_looking(app),
        away=tuple(line for side in Side if (line := away_sentence(app, side))),
        missing=tuple(item.line() for item in missing(app)),
        next_command=following,
    )


def next_command(app: App) -> str:
    """What `read_status` names as the next command, found by counting alone: quick enough for every page."""
    counts = count_statuses(app.workspace.db, standing=True)
    sides = {side.value: _side(app, side, counts[side]) for side in Side}
    wanted, came = app.ledger.wanted_and_came()
    return _next(sides, wanted > 0, wanted > came, _trained(app), _converted(app))


def _trained(app: App) -> list[int]:
    return [run.record["result"]["iterations"] for run in runs(app.workspace) if run.finished]


def _converted(app: App) -> bool:
    return bool(films_in(app.workspace.root / "results"))


def _side(app: App, side: Side, counts: dict[Status, int]) -> SideStatus:
    ingested = sources(app.workspace, side)
    merged = app.standing_merge(side)
    return SideStatus(
        sources=len(ingested),
        unextracted=sum(item.faces is None for item in ingested),
        references=len(reference_files(app.workspace, side)),
        faces=sum(counts.values()),
        decisions={status.value: count for status, count in counts.items()},
        merged=merged.id if merged else None,
    )


def _next(
    sides: dict[str, SideStatus], published: bool, answers_missing: bool, trained: list[int], converted: bool
) -> str:
    for name, side in sides.items():
        if not side.sources:
            return f"galloway ingest --side {name} VIDEO --person NAME --basis own|consent|licence|public-domain"
    if any(side.unextracted for side in sides.values()):
        return "galloway extract"
    for name, side in sides.items():
        if not side.faces and not side.merged:  # nothing was found in its footage
            return f"galloway ingest --side {name} VIDEO --person NAME --basis own|consent|licence|public-domain"
    if all(side.merged for side in sides.values()):
        if not trained:
            return "galloway train"
        return "galloway serve" if converted else "galloway convert"
    open_faces = sum(side.decisions["undecided"] + side.decisions["disputed"] for side in sides.values())
    if published and answers_missing:
        return "galloway collect"
    if open_faces:
        return "galloway publish"
    return _MERGE
