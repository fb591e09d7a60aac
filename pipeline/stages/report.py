"""Report: the agreement report of everything asked so far, as text, one-file HTML, JSON and tables.

Workers are pseudonyms in it: the market's ids stay in the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...curation.files import replacing, write_atomic
from ...curation.report import Costs, Report, ReportInput, build
from ...curation.spreadsheet import csv_text
from ...curation.types import Decision, FaceId, Progress, Question, VoterKind, WorkerId, no_progress
from ...curation.votes import Votes
from ...extras import require
from ...mturk.marketplace.pages.words import LANGUAGES, Spoken
from ...mturk.requester.workers import pseudonym
from ..app import App
from ..asking.audits import audits
from ..asking.decide import decisions_before_round, infer
from ..asking.heeded import count_heeded, heeded_state, heeded_votes
from ..errors import StageError
from ..market.pictures import hosting_secret, place_of, worker_jpeg
from ..recruiting.counter import sources_of
from ..workspace.state import json_object

if TYPE_CHECKING:
    import pandas as pd

    from ...mturk.marketplace.office.recruiting import Sources

__all__ = ["KeptReport", "WrittenReport", "build_report", "kept_report", "write_report"]


_WRITTEN = "agreement-written.json"


def _html(language: str) -> str:
    return "agreement.html" if language == "en" else f"agreement.{language}.html"


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """Where the report is; `text` is its summary for a terminal."""

    html: Path
    json: Path
    tables: tuple[Path, ...]
    text: str


@dataclass(frozen=True, slots=True)
class KeptReport:
    """The document in reports/ as it was written last: `made_at`, and how many votes came or went `since`; `old` says
    whether anything that it counts changed."""

    html: Path
    made_at: datetime
    since: int
    old: bool


def kept_report(app: App, language: str) -> KeptReport | None:
    """What `write_report` wrote into the workspace; None where nobody did, or it was removed. Nothing is counted."""
    folder = app.workspace.root / "reports"
    known = json_object((folder / _WRITTEN).read_bytes()) if (folder / _WRITTEN).is_file() else None
    html = folder / _html(language)
    if not known or not isinstance(known.get("votes"), int) or not html.is_file():
        return None
    made_at = datetime.fromisoformat(str(known["made_at"]))
    old = known.get("state") != _state(app)
    return KeptReport(html, made_at, abs(count_heeded(app) - known["votes"]) if old else 0, old)


def _state(app: App) -> str:
    """The same as long as the report would say the same."""
    return f"{heeded_state(app)} {app.ledger.count_answers()}"


def build_report(app: App) -> Report:
    """The report of this moment. Raises StageError where nobody has voted yet."""
    votes = heeded_votes(app)
    if not votes:
        raise StageError("There are no votes yet. Publish and collect first: galloway publish, galloway collect")
    known = infer(app, votes=votes)
    before = decisions_before_round(app)
    secret = hosting_secret(app.workspace.root)
    aliases = {worker: WorkerId(pseudonym(worker, secret)) for worker in votes.those("worker_id")}
    crowd = votes.those("worker_id", kind=VoterKind.WORKER)
    shown = votes.renamed("worker_id", lambda worker: aliases[worker] if worker in crowd else worker)
    came = sources_of(app)
    faces = {face.face_id: face for face in known.faces}
    moved = app.store.rejected_in()

    def thumbnail(face_id: FaceId) -> bytes | None:
        face = faces.get(face_id)
        if face is None:
            return None
        path = place_of(app.workspace, face, moved.get(face_id))
        return worker_jpeg(path, 96) if path.is_file() else None

    def name(face_id: FaceId) -> str:
        face = faces.get(face_id)
        return f"{face.side.value}/{face.name}" if face else str(face_id)

    return build(
        ReportInput(
            title=f"{app.settings.name}: agreement report",
            questions=_by_question(shown, known.decisions),
            generated_at=datetime.now(UTC),
            thumbnails=thumbnail,
            costs=_costs(app, came),
            simulated=frozenset(shown.those("worker_id", simulated=True)),
            previous={item: [d for d in before if d.question is item] for item in Question},
            names=name,
            audits=audits(app, faces=known.faces, votes=votes),
            sources={aliases[worker]: origin for worker, origin in _origins(came, aliases).items()},
            spent_by_source=_spent(app, came),
        )
    )


def write_report(
    app: App, folder: Path | None = None, *, parquet: bool = False, progress: Progress = no_progress
) -> WrittenReport:
    """Write `agreement.html` (and `agreement.de.html`, in German), `agreement.json` and one CSV or Parquet file
    per table into `folder` (default: reports/), and each question's votes as `votes-QUESTION.csv`, which
    `galloway votes` and other programs read."""
    if parquet:
        require("pyarrow")
    folder = folder or app.workspace.root / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    known = {"state": _state(app), "votes": count_heeded(app), "made_at": datetime.now(UTC).isoformat()}
    report = build_report(app)
    html, data = folder / _html("en"), folder / "agreement.json"
    for language in LANGUAGES:
        write_atomic(folder / _html(language), report.to_html(Spoken(language)), durable=False)
    progress("pages", 1, 3)
    write_atomic(data, report.to_json(), durable=False)
    progress("pages", 2, 3)
    frames = report.to_frames()
    votes = frames["votes"].rename(columns={"face": "task"})
    kind = "parquet" if parquet else "csv"
    tables = {f"agreement-{name}.{kind}": frame for name, frame in frames.items()}
    for name, part in votes.groupby("question", sort=False):
        tables[f"votes-{name}.csv"] = part.drop(columns="question")
    paths = [_write_table(folder / name, frame) for name, frame in tables.items()]
    write_atomic(folder / _WRITTEN, json.dumps(known) + "\n", durable=False)
    progress("pages", 3, 3)
    return WrittenReport(html, data, tuple(paths), report.to_text())


def _write_table(path: Path, frame: pd.DataFrame) -> Path:
    with replacing(path, durable=False) as partial:
        if path.suffix == ".parquet":
            frame.to_parquet(partial, index=False)
        else:
            partial.write_text(csv_text(frame), encoding="utf-8", newline="")
    return path


def _by_question(votes: Votes, decisions: Sequence[Decision]) -> dict[Question, tuple[Votes, list[Decision]]]:
    found = {}
    for question in Question:
        cast = votes.at(votes.where(question=question))
        if len(cast):
            found[question] = (cast, [item for item in decisions if item.question is question])
    return found


INVITED = "invited"
"""The source of workers who came by an invite link."""


def _origins(came: Sources, workers: Iterable[WorkerId]) -> dict[WorkerId, str]:
    """Where each worker came from; nothing where nobody was recruited."""
    return {worker: came.of_worker.get(worker, INVITED) for worker in workers} if came.of_worker else {}


def _spent(app: App, came: Sources) -> dict[str, Decimal]:
    """What was spent by source, fees included: the market pays invited workers, their panel the recruited ones."""
    if not came.of_worker:
        return {}
    by_market = [row for row in _paid_by_market(app, came) if row["status"] == "done"]
    spent = {INVITED: sum((row["amount"] + row["fee"] for row in by_market), Decimal("0.00"))}
    for part in (came.rewards, came.bonuses, came.fees):
        for source, amount in part.items():
            spent[source] = spent.get(source, Decimal("0.00")) + amount
    return spent


def _paid_by_market(app: App, came: Sources) -> list[Any]:
    return [row for row in app.ledger.payments(None) if row["worker_id"] not in came.of_worker]


def _costs(app: App, came: Sources) -> Costs:
    rewards = sum(came.rewards.values(), Decimal("0.00"))
    fees, bonuses = sum(came.fees.values(), Decimal("0.00")), sum(came.bonuses.values(), Decimal("0.00"))
    for row in _paid_by_market(app, came):
        if row["status"] != "done":
            continue
        fees += row["fee"]
        if row["kind"] == "bonus":
            bonuses += row["amount"]
        else:
            rewards += row["amount"]
    return Costs(rewards=rewards, fees=fees, bonuses=bonuses, currency=app.settings.market.currency)
