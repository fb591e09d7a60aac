"""Overview, batches, the agreement report, workers and facesets."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, g, jsonify, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from ...curation.listing import Order, Wanted, count_faces, page_of_faces
from ...curation.types import Progress, Side
from ...mturk.marketplace.pages.words import Spoken
from ...mturk.requester.ledger import STANDING
from ..app import App
from ..asking import progress
from ..asking.due import due_at_most, due_for
from ..asking.heeded import count_heeded
from ..asking.settle import submitted_work
from ..checking.kept import crew_page, keep_crew
from ..market.local import running_market
from ..stages.report import build_report, kept_report
from ..stages.status import read_status
from ..workspace import approved, records
from . import read
from .lasting import begin, running_jobs
from .opened import jobs, may_act, open_workspace

__all__ = ["REPORT_CSP", "blueprint"]

blueprint = Blueprint("pages", __name__)
REPORT_AT_ONCE = 500
"""Up to so many votes a page waits for the agreement report: a tenth of a second."""
_THUMBNAILS = 48
_SHOWN = 200
"""So many HITs and answers of a batch are on its page; ten thousand would be 11 MB."""
REPORT_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; "
    "form-action 'none'; sandbox allow-popups"
)


@blueprint.get("/")
def overview() -> str:
    app = open_workspace()
    sums = app.ledger.sums()
    status = read_status(app, sums)
    rows = progress.batches(app, sums)
    counts = read.tallies(app)
    return render_template(
        "overview.html",
        status=status,
        steps=read.flow(status, counts),
        counts=counts,
        short=read.in_short(counts),
        spent=progress.spent(app, rows, sums),
        due=due_at_most(app, app.terms(), sums=sums) if may_act() else None,
        open_batches=[row for row in rows if row.state in ("open", "sending")],
        sources=records.sources(app.workspace),
        advice=read.upcoming(app, status.next_command),
        budget=app.settings.ask.budget,
        market=running_market(app.workspace) if app.settings.market.name == "local" else None,
    )


@blueprint.get("/batches")
def batches() -> str:
    app = open_workspace()
    sums = app.ledger.sums()
    rows = progress.batches(app, sums)
    return render_template("batches.html", rows=rows, spent=progress.spent(app, rows, sums))


@blueprint.get("/batches/<key>")
def batch(key: str) -> str:
    app = open_workspace()
    row = next((item for item in progress.batches(app) if item.key == key), None)
    if row is None:
        abort(404, f"There is no batch {key}.")
    running = running_market(app.workspace) if row.market == "local" else None
    preview = f"{running.worker}/mturk/preview?groupId={row.group_id}" if running and row.group_id else None
    hits = progress.hits(app, key)
    work = submitted_work(app, key, most=_SHOWN) if row.collected else []
    undecided = app.ledger.undecided(row.market, key) if may_act() and work else []
    return render_template(
        "batch.html",
        row=row,
        hits=hits[:_SHOWN],
        due=due_for(app, app.terms(), undecided, batch_key=key) if undecided else None,
        preview=preview,
        work=work,
        more=(max(0, len(hits) - _SHOWN), max(0, row.collected - len(work))),
        waiting=any(hit.status in STANDING for hit in hits),
    )


@blueprint.get("/report")
def report() -> str:
    app = open_workspace()
    votes = count_heeded(app)
    return render_template(
        "report.html",
        votes=votes,
        at_once=votes <= REPORT_AT_ONCE,
        kept=kept_report(app, g.language),
        counting=any(item.kind == "report" for item in running_jobs()),
    )


@blueprint.get("/report/document")
def report_document() -> Response:
    """The agreement report as one file: of this moment where there are few votes, else as it was counted last."""
    app = open_workspace()
    if count_heeded(app) <= REPORT_AT_ONCE:
        response = Response(build_report(app).to_html(Spoken(g.language)), mimetype="text/html")
    else:
        kept = kept_report(app, g.language)
        if kept is None:
            abort(404, "Nobody counted the agreement yet. The page Agreement has the button; or: galloway report")
        response = send_file(kept.html, mimetype="text/html", max_age=0)
    response.headers["Content-Security-Policy"] = REPORT_CSP
    if request.args.get("save"):
        response.headers["Content-Disposition"] = "attachment; filename=agreement.html"
    return response


@blueprint.post("/report/count")
def count_report() -> BaseResponse:
    """Count the agreement anew, as `galloway report` does, in a process of its own."""
    begin("report", {})
    return redirect(url_for("pages.report"), 303)


@blueprint.get("/workers")
def workers() -> str:
    return render_template("workers.html", page=crew_page(open_workspace()))


@blueprint.post("/workers/count")
def count_workers() -> BaseResponse:
    """Compute the workers' figures anew, as a job."""

    def work(app: App, _progress: Progress) -> str:
        keep_crew(app)
        return "The workers' figures are of now."

    jobs().start("Workers' figures", open_workspace(), work)
    return redirect(url_for("pages.workers"), 303)


@blueprint.get("/facesets")
def facesets() -> str:
    app = open_workspace()
    merges = {side.value: approved.facesets(app.workspace, side) for side in Side}
    standing = {side.value: app.standing_merge(side) for side in Side}
    db = app.workspace.db
    stand = {side.value: count_faces(db, Wanted(side=side, gone=False)) for side in Side}
    away = {side.value: count_faces(db, Wanted(side=side, gone=True)) for side in Side}
    walls = {
        side.value: [
            # Looking for what is not there would go through all the others.
            page_of_faces(db, Wanted(side=side, gone=gone, order=Order.FILM), most=_THUMBNAILS) if there else []
            for gone, there in ((False, stand[side.value]), (True, away[side.value]))
        ]
        for side in Side
    }
    return render_template(
        "facesets.html",
        merges=merges,
        standing=standing,
        walls=walls,
        stand=stand,
        away=away,
        footage={
            side.value: [
                item.name
                for item in records.sources(app.workspace, side)
                if item.kind != "faces" and item.path.exists()
            ]
            for side in Side
        },
        counts=read.tallies(app),
    )


@blueprint.get("/api/status")
def api_status() -> Any:
    """Where the work stands, as `galloway status --json` says it."""
    return jsonify(read_status(open_workspace()).as_dict())


@blueprint.get("/api/batches")
def api_batches() -> Any:
    """Progress and cost of every batch; money as text."""
    return jsonify(
        [
            {
                "batch": row.key,
                "market": row.market,
                "side": row.side,
                "question": row.question,
                "round": row.round,
                "state": row.state,
                "hits": row.hits,
                "assignments": row.places,
                "collected": row.collected,
                "approved": row.approved,
                "rejected": row.rejected,
                "price": str(row.price),
                "paid": str(row.paid),
                "fees": str(row.fees),
            }
            for row in progress.batches(open_workspace())
        ]
    )
