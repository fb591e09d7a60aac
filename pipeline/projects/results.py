"""A project's answers in the columns of Mechanical Turk's website, and paying by the same file come back."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...curation.files import write_atomic
from ...curation.spreadsheet import csv_text, restored
from ...curation.truth.formats.detect import sheet_of
from ...curation.types import Progress, no_progress
from ...extras import require
from ...mturk.requester.collect import CollectedAssignment, collected
from ...mturk.requester.collect import collect as fetch
from ...mturk.requester.money import written
from ...mturk.requester.prices import Prices
from ...mturk.requester.settle import approve, reject
from ..app import App
from ..errors import NothingToDo, StageError
from ..market.session import MarketSession, MarketTerms
from ..workspace.acts import note_act
from .batches import SentBatch, sent_batches
from .project import find_project
from .template import variables

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Marks",
    "Results",
    "Settled",
    "known_results",
    "parquet",
    "plan_settling",
    "project_results",
    "settle_by_file",
    "write_results",
]

_HIT = (
    *("HITId", "HITTypeId", "Title", "Description", "Keywords", "Reward", "CreationTime", "MaxAssignments"),
    *("RequesterAnnotation", "AssignmentDurationInSeconds", "AutoApprovalDelayInSeconds", "Expiration"),
    *("NumberOfSimilarHITs", "LifetimeInSeconds"),
)
_WORK = (
    *("AssignmentId", "WorkerId", "AssignmentStatus", "AcceptTime", "SubmitTime", "AutoApprovalTime", "ApprovalTime"),
    *("RejectionTime", "RequesterFeedback", "WorkTimeInSeconds", "LifetimeApprovalRate", "Last30DaysApprovalRate"),
    "Last7DaysApprovalRate",
)
_LONGEST_REASON = 1024


@dataclass(frozen=True, slots=True)
class Results:
    """All answers, a row each, in the website's columns; `problems` are answers that could not be read."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    problems: tuple[str, ...]
    variables: tuple[str, ...] = ()
    """The columns that the pages show, in their order."""

    def frame(self) -> pd.DataFrame:
        """The rows as a table of text."""
        import pandas as pd

        return pd.DataFrame(
            [[row.get(name, "") for name in self.columns] for row in self.rows], columns=list(self.columns), dtype=str
        )


def project_results(app: App, session: MarketSession, name: str, progress: Progress = no_progress) -> Results:
    """Fetch every answer to the project from the market, and give all that were ever given.

    Raises NothingToDo where nothing of it was published there.
    """
    batches, found = _collected(app, session, name, progress)
    return _results(app, session.market.state_key, batches, found)


def known_results(app: App, terms: MarketTerms, name: str) -> Results:
    """The answers that were fetched before; nobody is asked. Raises as project_results does."""
    batches = _published(app, terms, name)
    found = collected(app.ledger, terms.market.state_key, [batch.key for batch in batches])
    return _results(app, terms.market.state_key, batches, found)


def _results(app: App, state_key: str, batches: Sequence[SentBatch], found: Sequence[CollectedAssignment]) -> Results:
    details = _Details(app, state_key, batches)
    rows = [details.row(item) for item in found]
    inputs = dict.fromkeys(f"Input.{column}" for batch in batches for column in batch.table.columns)
    answers = dict.fromkeys(column for row in rows for column in row if column.startswith("Answer."))
    problems = tuple(f"{item.assignment_id}: {item.problem}" for item in found if item.problem is not None)
    shown = tuple(dict.fromkeys(name for batch in batches for name in variables(batch.template)))
    return Results((*_HIT, *_WORK, *inputs, *answers, "Approve", "Reject"), tuple(rows), problems, shown)


def _collected(
    app: App, session: MarketSession, name: str, progress: Progress
) -> tuple[list[SentBatch], list[CollectedAssignment]]:
    batches = _published(app, session, name)
    return batches, fetch(app.ledger, session.client, [batch.key for batch in batches], progress)


def _published(app: App, terms: MarketTerms, name: str) -> list[SentBatch]:
    """What of the project stands at the market, or stood there."""
    begun = {row["batch_key"] for row in app.ledger.batches(terms.market.state_key)}
    found = [batch for batch in sent_batches(find_project(app.workspace, name)) if batch.key in begun]
    if not found:
        raise NothingToDo(
            f"Nothing of {name} was published on the market {terms.market.name}. First: galloway project publish "
            f"{name} FILE"
        )
    return found


class _Details:
    """What the ledger knows of each answer, as the website wrote it."""

    def __init__(self, app: App, state_key: str, batches: Sequence[SentBatch]) -> None:
        keys = [batch.key for batch in batches]
        self._currency = app.settings.market.currency
        self._batches = {key: app.ledger.batch(state_key, key) for key in keys}
        self._hits = {(row["batch_key"], row["hit_key"]): row for row in app.ledger.hits(state_key, keys)}
        self._work = {row["assignment_id"]: row for row in app.ledger.assignments(state_key, keys)}
        self._inputs = {batch.key: batch.inputs() for batch in batches}
        self._decided = {
            row["assignment_id"]: row["done_at"]
            for row in app.ledger.payments(state_key, keys)
            if row["kind"] != "bonus" and row["status"] == "done"
        }

    def row(self, item: CollectedAssignment) -> dict[str, str]:
        """One answer."""
        inputs = self._inputs[item.batch_key].get(item.hit_key, {})
        return {
            **self._of_hit(item),
            **self._of_work(item),
            **{f"Input.{column}": cell for column, cell in inputs.items()},
            **{f"Answer.{question}": text for question, text in _answers(item.answers).items()},
        }

    def _of_hit(self, item: CollectedAssignment) -> dict[str, str]:
        batch, hit = self._batches[item.batch_key], self._hits[item.batch_key, item.hit_key]
        assert batch is not None
        return {
            "HITId": hit["hit_id"],
            "HITTypeId": hit["hit_type_id"] or "",
            "Title": batch["title"],
            "Description": batch["description"],
            "Keywords": batch["keywords"],
            "Reward": written(batch["reward"], self._currency),
            "CreationTime": _time(hit["published_at"]),
            "MaxAssignments": str(hit["max_assignments"]),
            "RequesterAnnotation": hit["annotation"],
            "AssignmentDurationInSeconds": str(batch["duration_seconds"]),
            "AutoApprovalDelayInSeconds": str(batch["auto_approval_seconds"]),
            "Expiration": _time(hit["expires_at"]),
            "LifetimeInSeconds": str(batch["lifetime_seconds"]),
        }

    def _of_work(self, item: CollectedAssignment) -> dict[str, str]:
        work = self._work[item.assignment_id]
        decided, auto = self._decided.get(item.assignment_id), work["auto_approval_at"]
        if item.status == "Approved" and decided is not None and auto is not None:
            decided = min(decided, auto)  # what was approved by its own delay was only noticed later
        return {
            "AssignmentId": item.assignment_id,
            "WorkerId": item.worker_id,
            "AssignmentStatus": item.status,
            "AcceptTime": _time(item.accepted_at),
            "SubmitTime": _time(item.submitted_at),
            "AutoApprovalTime": _time(auto),
            "ApprovalTime": _time(decided) if item.status == "Approved" else "",
            "RejectionTime": _time(decided) if item.status == "Rejected" else "",
            "RequesterFeedback": work["feedback"],
            "WorkTimeInSeconds": "" if item.seconds is None else str(round(item.seconds)),
        }


def _answers(given: Mapping[str, str]) -> dict[str, str]:
    """The answers as the website wrote them: those of crowd elements only as JSON, in `taskAnswers`."""
    try:
        inner: Any = json.loads(given.get("taskAnswers") or "[]")
    except (ValueError, RecursionError):  # whatever it is, it stays as it was given
        return dict(given)
    twice = set(inner[0]) if isinstance(inner, list) and inner and isinstance(inner[0], dict) else set()
    return {name: text for name, text in given.items() if name not in twice}


def _time(at: datetime | None) -> str:
    """A time as in the website's files: Wed Mar 04 13:03:14 UTC 2020."""
    return "" if at is None else f"{at:%a %b %d %H:%M:%S} UTC {at:%Y}"


def write_results(results: Results, out: Path) -> None:
    """Write them as CSV that no spreadsheet computes, or as Parquet where the name ends so; for the owner's eyes."""
    if out.suffix.lower() != ".parquet":
        write_atomic(out, csv_text(results.frame()), private=True)
        return
    write_atomic(out, parquet(results), private=True)


def parquet(results: Results) -> bytes:
    """The same as Parquet."""
    require("pyarrow")
    body = io.BytesIO()
    results.frame().to_parquet(body, index=False)
    return body.getvalue()


@dataclass(frozen=True, slots=True)
class Marks:
    """What a file of results says: assignments to approve, and those to reject with the reason. `pay` is what the
    approvals cost that were not made before, fees included."""

    approve: tuple[str, ...]
    reject: Mapping[str, str]
    already: int
    pay: Decimal


def plan_settling(app: App, terms: MarketTerms, name: str, file: Path) -> Marks:
    """What settling by `file` would do, by what was fetched; nobody is asked, nothing is written.

    Raises as settle_by_file does.
    """
    marks = _marks(file)
    batches = _published(app, terms, name)
    keys = [batch.key for batch in batches]
    rows = {row["assignment_id"]: row for row in app.ledger.assignments(terms.market.state_key, keys)}
    for assignment, reason in marks.items():
        status = rows[assignment]["status"] if assignment in rows else None
        _check_mark(name, assignment, status, "Approved" if reason is None else "Rejected")
    if not marks:
        raise NothingToDo(_no_marks(file))
    new = [one for one, reason in marks.items() if reason is None and rows[one]["status"] != "Approved"]
    prices = Prices(app.ledger, terms.market.state_key, terms.market.fees)
    pay = sum((sum(prices.of(rows[one]), Decimal("0.00")) for one in new), Decimal("0.00"))
    rejected = {one: reason for one, reason in marks.items() if reason is not None}
    already = len(marks) - len(new) - sum(rows[one]["status"] != "Rejected" for one in rejected)
    return Marks(
        tuple(new), {one: why for one, why in rejected.items() if rows[one]["status"] != "Rejected"}, already, pay
    )


@dataclass(frozen=True, slots=True)
class Settled:
    """What a file settled: by this run and before; what this run paid, fees apart; rows without a word."""

    approved: int
    rejected: int
    already: int
    left: int
    paid: Decimal


def settle_by_file(
    app: App, session: MarketSession, name: str, file: Path, progress: Progress = no_progress
) -> Settled:
    """Approve what has a mark in `Approve`, reject with the reason in `Reject`. Twice changes nothing.

    Raises StageError for a file that contradicts itself, the market or the project, before anything is decided;
    NothingToDo where all of it stood so before.
    """
    marks = _marks(file)
    _, found = _collected(app, session, name, progress)
    status = {item.assignment_id: item.status for item in found}
    for assignment, reason in marks.items():
        _check_mark(name, assignment, status.get(assignment), "Approved" if reason is None else "Rejected")
    paid = approve(
        app.ledger, session.client, [one for one, reason in marks.items() if reason is None], progress=progress
    )
    rejected = already = 0
    for text in dict.fromkeys(reason for reason in marks.values() if reason is not None):
        ids = [one for one, reason in marks.items() if reason == text]
        done = reject(app.ledger, session.client, ids, reason=text, progress=progress)
        rejected, already = rejected + done.done, already + done.already
    if not paid.done and not rejected:
        raise NothingToDo("All that the file says was settled so before." if marks else _no_marks(file))
    if paid.done:
        note_act(app.workspace, "pay", f"{paid.done} answers approved by file", paid.paid + paid.fees)
    if rejected:
        note_act(app.workspace, "reject", f"{rejected} answers rejected by file")
    return Settled(paid.done, rejected, paid.already + already, len(status) - len(marks), paid.paid)


def _no_marks(file: Path) -> str:
    return f"{file} has nothing in its columns Approve and Reject. Put an x into Approve, or a reason into Reject."


def _marks(file: Path) -> dict[str, str | None]:
    """Assignment → the reason of its rejection, None where it is to be approved; rows without a mark are left out."""
    wanted = ("AssignmentId", "Approve", "Reject")
    sheet = sheet_of(file, wanted)
    missing = [column for column in wanted if column not in sheet.header]
    if missing:
        raise StageError(
            f"{sheet.name} has no column {', '.join(missing)}. Take the file that `galloway project results` writes."
        )
    marks: dict[str, str | None] = {}
    for line, cells in sheet.rows():
        place = f"{sheet.name}, {sheet.unit} {line}"
        if not cells:
            raise StageError(f"{place}: more cells than the header has columns. Nothing was settled.")
        row = dict(zip(sheet.header, cells, strict=True))
        yes, reason = row["Approve"], restored(row["Reject"])
        if not yes and not reason:
            continue
        _check_cells(place, yes, reason)
        decision = reason or None
        if marks.setdefault(row["AssignmentId"], decision) != decision:
            raise StageError(f"{place}: the assignment stands there twice, decided differently. Nothing was settled.")
    return marks


def _check_cells(place: str, yes: str, reason: str) -> None:
    if yes and reason:
        raise StageError(f"{place}: both Approve and Reject are filled. Nothing was settled.")
    if reason.casefold() == "x" or len(reason) > _LONGEST_REASON:
        raise StageError(
            f"{place}: Reject needs a reason of at most {_LONGEST_REASON} letters, which the worker reads. Nothing was "
            "settled."
        )


def _check_mark(name: str, assignment: str, status: str | None, target: str) -> None:
    if status is None:
        raise StageError(f"{assignment} is no answer to the project {name}. Nothing was settled.")
    if status not in ("Submitted", target):
        hint = " To approve it after all: galloway batch approve ASSIGNMENT --override." if target == "Approved" else ""
        raise StageError(f"{assignment} is {status} already and cannot become {target}. Nothing was settled.{hint}")
