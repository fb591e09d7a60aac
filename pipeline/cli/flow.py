"""`galloway extract|publish|collect|report|decide`: from footage to decisions."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ..wording import counted
from .console import (
    agrees_to_pay,
    confirm_price,
    emit_page,
    next_step,
    open_app,
    pairs,
    result,
    say,
    say_misfits,
    side_option,
    stage_progress,
)
from .spreading import spread_options, spread_over

if TYPE_CHECKING:
    from ..app import App
    from ..asking.publish import Round
    from ..market.session import MarketSession, MarketTerms
    from ..workspace.records import Source

__all__ = ["collect", "decide", "extract", "publish", "report"]


@click.command()
@side_option(required=False)
@click.option("--engine", type=click.Choice(["embedded", "faceswap"]), help="Default: the workspace's setting.")
@click.option("--size", type=click.IntRange(64, 1024), help="Pixels of a face's picture; default: the setting.")
@click.option(
    "--every-nth",
    type=click.IntRange(min=1),
    help="Of side B take every Nth frame only, and all photographs; side A is taken whole.",
)
@click.option("--detector", help="faceswap: s3fd, mtcnn, retinaface, external …")
@click.option("--aligner", help="faceswap: fan, hrnet, external …")
@click.option("-o", "--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the engine's own.")
@click.option(
    "--again",
    is_flag=True,
    help="Also footage that was extracted before. Other settings replace its faces, where nobody judged them.",
)
@spread_options("Processes of this machine. Default: this one, with a thread a core.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def extract(
    ctx: click.Context,
    side: str | None,
    engine: str | None,
    size: int | None,
    every_nth: int | None,
    detector: str | None,
    aligner: str | None,
    options: tuple[str, ...],
    again: bool,
    jobs: int | None,
    dask: str | None,
    as_json: bool,
) -> None:
    """Find faces in the ingested footage and write them as faceswap does: PNG with header, and alignments.

    \b
    Example:  galloway extract --every-nth 5
    Example:  galloway extract --dask tcp://10.0.0.5:8786
    """
    from ...curation.types import Side
    from ..stages.extract import extract as run
    from ..stages.status import read_status
    from ..workspace.records import sources

    app = open_app(ctx)
    only = Side(side) if side else None
    footage = [source.path for source in sources(app.workspace, only)]
    with (
        app.workspace.lock("extracting", faces=True),
        spread_over(app, jobs, dask, footage) as spread,
        stage_progress("extract") as progress,
    ):
        found = run(
            app,
            only,
            engine=engine,
            size=size,
            every_nth=every_nth,
            detector=detector,
            aligner=aligner,
            options=pairs(options),
            again=again,
            spread=spread,
            progress=progress,
        )
    data = [
        {
            "side": item.source.side,
            "source": item.source.name,
            "frames": item.frames,
            "faces": item.faces,
            "new": item.new,
        }
        for item in found
    ]
    result(
        data,
        as_json,
        lambda: [
            f"side {item.source.side}: {item.source.name}: {counted(item.faces, 'face')} in "
            + counted(item.frames, "frame")
            for item in found
        ],
    )
    for item in found:
        if not item.faces:
            say(_nothing_found(item.source, app.settings.engine.min_face))
    say_misfits(app)
    following = read_status(app).next_command
    next_step("galloway publish --dry-run" if following == "galloway publish" else following)
    if following == "galloway publish":
        say("Or answer the pages yourself, without market and pay: galloway review")


def _nothing_found(source: Source, pixels: int) -> str:
    return (
        f"No face was found in {source.name}. Faces under {pixels} pixels are left out (engine.min_face in "
        "galloway.toml, then: galloway extract --again). If it is the wrong footage, take it out: "
        f"galloway source remove --side {source.side.value} {source.name}"
    )


@click.command()
@side_option(required=False)
@click.option("--question", type=click.Choice(["usable", "identity"]), help="Only this question.")
@click.option("--dry-run", is_flag=True, help="Show what would be published and what it costs; send nothing.")
@click.option("--yes", is_flag=True, help="The price is fine.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def publish(
    ctx: click.Context, side: str | None, question: str | None, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Publish HITs for the faces that need an answer: new ones, and those that the votes so far do not settle.

    Says the price first. Killed half way, run it again: nothing is sent twice. Exit code 3: nothing to publish.

    \b
    Example:  galloway publish --dry-run && galloway publish --yes
    """
    from ...curation.types import Question, Side
    from ..asking.publish import plan_round, publish_round
    from ..asking.screening import grid_order
    from ..market.local import running_market

    app = open_app(ctx)
    only: Any = {"side": Side(side) if side else None, "question": Question(question) if question else None}
    if dry_run:
        terms = app.terms()
        if terms.market.notice:
            say(terms.market.notice)
        _show_round(app, terms, plan_round(app, terms, **only, order=grid_order(app), keep=False), as_json)
        return
    with app.workspace.lock("publishing"), app.market() as session:
        if session.market.notice:
            say(session.market.notice)
        planned = plan_round(app, session, **only, order=grid_order(app))
        confirm_price(planned.lines(app.settings.market.currency), yes)
        with stage_progress("publish") as progress:
            done = publish_round(app, session, planned, progress)
        data = [
            {
                "batch": item.batch_key,
                "hits": len(item.hits),
                "sent": item.sent,
                "adopted": item.adopted,
                "price": item.price.total,
            }
            for item in done
        ]
        result(data, as_json, lambda: _published_text(data, app.settings.market.currency))
        if session.market.worker_url:
            say(f"Workers find them at {session.market.worker_url}")
    if app.settings.market.name == "local" and running_market(app.workspace) is None:
        next_step("galloway market serve   (so that people can answer), then: galloway collect")
    else:
        next_step("galloway collect --wait")


def _show_round(app: App, terms: MarketTerms, planned: Round, as_json: bool) -> None:
    """What would be published and what it costs. Raises SafetyStop where it could not be sent."""
    from ...mturk.requester.money import written
    from ..asking.publish import check_budget

    currency = app.settings.market.currency
    for line in planned.lines(currency):
        say(line)
    price = written(planned.price, currency)
    result(_round_data(planned), as_json, lambda: f"Would cost {price}; nothing was sent.")
    check_budget(app, terms, planned)
    next_step("galloway publish --yes")


def _published_text(data: list[dict[str, Any]], currency: str) -> list[str]:
    from ...mturk.requester.money import written

    return [f"{item['batch']}: {counted(item['hits'], 'HIT')}, {written(item['price'], currency)}" for item in data]


def _round_data(planned: Round) -> dict[str, Any]:
    return {
        "batches": [
            {"batch": spec.batch_key, "hits": quote.hits, "assignments": quote.assignments, "total": quote.total}
            for spec, quote in zip(planned.specs, planned.quotes, strict=True)
        ],
        "faces": planned.faces,
        "total": planned.price,
        "need_a_person": [face_id for face_id, _ in planned.stuck],
    }


@click.command()
@click.option("--wait", is_flag=True, help="Stay until every place is answered; Ctrl-C keeps what came.")
@click.option("--poll", default=10.0, show_default=True, help="Seconds between looks, with --wait.")
@click.option("--no-pay", is_flag=True, help="Do not approve; assignments wait for auto-approval.")
@click.option("--yes", is_flag=True, help="The sum is fine: do not ask at a terminal.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def collect(ctx: click.Context, wait: bool, poll: float, no_pay: bool, yes: bool, as_json: bool) -> None:
    """Fetch answers, keep them as votes, pay the workers and recompute the decisions.

    What it can pay at most is said first; it was the price of publishing. At a terminal it asks.

    \b
    Example:  galloway collect --wait
    """
    import time

    from ..asking.collect import Collected, collect_until_answered
    from ..stages.status import read_status

    app = open_app(ctx)
    no_pay = no_pay or not agrees_to_pay(app, yes)
    with app.market() as session, stage_progress("collect") as progress:
        told: list[tuple[int, int]] = []

        def pause(got: Collected, waiting: int) -> bool:
            if wait:
                if told[-1:] != [(got.assignments, waiting)]:
                    told.append((got.assignments, waiting))
                    say(f"{got.assignments} assignments so far; {waiting} faces wait for answers. {_where(session)}")
                time.sleep(poll)
            return wait

        got, left = collect_until_answered(app, session, pay=not no_pay, progress=progress, patient=wait, pause=pause)
    for problem in got.problems:
        say(f"Unreadable answer: {problem}")
    for line in got.privacy:
        say(line)
    data = {
        "assignments": got.assignments,
        "new_votes": got.new_votes,
        "approved": got.approved,
        "paid": got.paid,
        "fees": got.fees,
        "waiting": left,
        "faces": _counts(got.decisions),
        "next_question": _between_questions(got.decisions),
    }
    result(data, as_json, lambda: _collected_text(data, app.settings.market.currency))
    next_step(read_status(app).next_command if not left else "galloway collect --wait")


def _where(session: MarketSession) -> str:
    return f"Workers find them at {session.market.worker_url}" if session.market.worker_url else ""


def _counts(decisions: Any) -> dict[str, int]:
    from collections import Counter

    return dict(Counter(item.status.value for item in decisions if item.question is None))


def _between_questions(decisions: Any) -> int:
    """How many faces passed every question that they were asked, and wait for the next one of their side."""
    from ...curation.types import Status

    waiting = {item.face_id for item in decisions if item.question is None and item.status is Status.UNDECIDED}
    asked = {item.face_id for item in decisions if item.question is not None}
    unsure = {item.face_id for item in decisions if item.question is not None and item.status is not Status.APPROVED}
    return len(waiting & asked - unsure)


def _collected_text(data: dict[str, Any], currency: str) -> str:
    from ...mturk.requester.money import written

    faces = ", ".join(f"{count} {status}" for status, count in sorted(data["faces"].items())) or "none decided yet"
    if data["next_question"]:
        faces += f" ({data['next_question']} of them passed one question, the next is not answered yet)"
    paid = written(data["paid"], currency) + (f" and {written(data['fees'], currency)} fees" if data["fees"] else "")
    return f"{data['assignments']} assignments, {data['new_votes']} new votes, paid {paid} now. Faces: {faces}."


@click.command()
@click.option("--out", type=click.Path(file_okay=False), help="Folder; default: reports/ in the workspace.")
@click.option("--parquet", is_flag=True, help="Write the tables as Parquet instead of CSV.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on stdout.")
@click.pass_context
def report(ctx: click.Context, out: str | None, parquet: bool, as_json: bool) -> None:
    """Write the agreement report (one-file HTML, JSON, CSV or Parquet) and print its summary.

    \b
    Example:  galloway report
    """
    from pathlib import Path

    from ..stages.report import write_report
    from ..stages.status import read_status

    app = open_app(ctx)
    with stage_progress("report") as progress:
        written = write_report(app, Path(out) if out else None, parquet=parquet, progress=progress)
    if as_json:
        emit_page(written.json.read_text(encoding="utf-8"))
    else:
        emit_page(written.text)
    say(f"With pictures: {written.html}")
    next_step(read_status(app).next_command)


@click.command()
@click.argument("face")
@click.argument("label", type=click.Choice(["keep", "reject", "same", "different"]))
@click.option("--reason", type=click.Choice(["not_a_face", "another_person", "blurred", "covered", "bad_crop"]))
@click.option("--by", "name", required=True, help="Who decides; it stands in the report.")
@click.option("--note", required=True, help="Why.")
@click.pass_context
def decide(ctx: click.Context, face: str, label: str, reason: str | None, name: str, note: str) -> None:
    """Overrule the crowd on FACE (a face id, at least 8 digits, or a file name). The votes stay; yours is added.

    \b
    Example:  galloway decide 3f2a90c1 reject --reason covered --by Ann --note "hand over the mouth"
              galloway decide 5b07d1aa keep --reason covered --by Ann --note "side A, a microphone before the chin"
    """
    from ..asking.overrule import kept_anyway, overrule
    from ..stages.away import approved_away, away_sentence

    app = open_app(ctx)
    decided = overrule(app, face, label, reason=reason, name=name, note=note)
    told = f" {rule}" if (rule := kept_anyway(app, decided, label, reason)) else ""
    say(f"{decided.face_id}: {decided.status.value} by {name}.{told}")
    if (there := app.store.face(decided.face_id)) and decided.face_id in approved_away(app, there.side):
        say(away_sentence(app, there.side))
    next_step("galloway merge" if sys.stdin.isatty() else "galloway status")
