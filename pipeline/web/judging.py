"""Where a film holds: its timeline, and the pages on which one person reviews it here, without market and pay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flask import Blueprint, Response, abort, flash, jsonify, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from ...curation.types import Progress, Side, no_progress
from ...mturk.requester.errors import BadAnswer
from ..app import App
from ..asking.due import Due, agreed, due_at_most
from ..asking.tasks import Picture
from ..engines.base import spans
from ..engines.frames import open_source
from ..errors import NothingToDo, SafetyStop
from ..judging.alone import OwnPage, answer_own, last_own, next_own, own_page, paint_again, take_back_own
from ..judging.answers import asked_batches, collect_swap
from ..judging.covers import covered_of, plan_painting
from ..judging.film import JudgedFilm, doubts_of, find_film, find_footage, measured_film
from ..judging.judge import left_ranges
from ..judging.masks import painted_picture
from ..judging.moments import FrameDoubt
from ..judging.outcome import FilmJudged, cover_masks, film_judged
from ..judging.pages import MomentTask, MomentTile, render_moments
from ..judging.rounds import SwapRound, check_swap_price, known_moments, plan_swap_round
from ..judging.sending import publish_swap_round
from ..judging.verdicts import VERDICTS, Page
from ..market.media import media_answer
from ..market.pictures import shown_references
from ..market.session import MarketTerms
from ..stages.missing import is_there
from ..video.times import frame_times
from ..workspace.films import found_beside
from ..workspace.judged import swap_media
from ..workspace.team import Role
from .door import role
from .opened import jobs, may_act, open_workspace
from .review import account_name, page_head, page_policy, reviewer
from .timeline import Bands, timeline

__all__ = ["blueprint"]

blueprint = Blueprint("judging", __name__, url_prefix="/judge")
_PATIENCE = 30.0
_TAB = "training."
"""Footage is painted before training."""
_TO_LOOK_AT = ("judging.page", "judging.times", "judging.painted")


@blueprint.before_request
def allowed() -> None:
    """A page to answer lays out the next ones: that is for those who may decide. The timeline is for all, with what
    its page shows."""
    if request.endpoint not in _TO_LOOK_AT and (role() or 0) < Role.DECIDE:
        abort(403, "A review is for those who may decide.")
    if request.endpoint in ("judging.plan", "judging.publish", "judging.collect") and not may_act():
        abort(403, "Publishing and paying take somebody who may spend, on a server without --no-actions.")


@blueprint.get("/<name>")
def page(name: str) -> str:
    """The film with its timeline: what the measures suspect, what people said, frame by frame."""
    app = open_workspace()
    film = _film(app, name)
    if not film.swapped:
        return _footage_page(app, film)
    doubts = doubts_of(film)
    judged = _judged(app, film)
    moments = [item.moment for item in judged.judged] if judged else known_moments(app, film, doubts or [])
    swapped = _swapped(film, doubts or [])
    frames = int(film.record.get("frames") or max((last for _, last in swapped), default=0))
    rate = open_source(film.path).rate
    bands = Bands(frames, rate, swapped, doubts or (), moments, judged.judged if judged else ())
    return render_template(
        "judge.html",
        film=film,
        here=is_there(film.source),
        lacking=app.workspace.relative(film.source.path),
        judged=judged,
        measured=doubts is not None,
        due=_due(app, film) if may_act() else None,
        plot=timeline(bands),
        left=left_ranges(judged.judged) if judged else [],
        words={value: name for value, (name, _) in VERDICTS.items()},
        rate=float(rate),
        end=frames,
        beside=_beside(film),
        again="swapped_frames" in film.record,
        model=film.record.get("settings", {}).get("model", ""),
    )


def _footage_page(app: App, film: JudgedFilm) -> str:
    """What covers faces of the footage: how many are called so, what was painted."""
    covered = covered_of(app, film)
    masks = [item.first for item in cover_masks(app, film) if item.mask.any()]
    due = _due(app, film) if may_act() else None
    return render_template("covers.html", film=film, covered=covered, masks=masks, due=due, tab=_TAB)


@blueprint.get("/<name>/painted/<int:frame>.jpg")
def painted(name: str, frame: int) -> Response:
    """The picture of a frame as people saw it, with what they painted over it."""
    app = open_workspace()
    body = painted_picture(app, _film(app, name), frame)
    if body is None:
        abort(404, f"Nobody painted on frame {frame} of {name}.")
    return Response(body, mimetype="image/jpeg")


@blueprint.get("/<name>/times")
def times(name: str) -> Response:
    """When each frame of the film beside its source is shown, so that a player finds it."""
    film = _film(open_workspace(), name)
    beside = _beside(film)
    if beside is None:
        abort(404, f"There is no film of {name} beside its source.")
    return jsonify({"times": [round(at, 5) for at in frame_times(beside)]})


def _beside(film: JudgedFilm) -> Path | None:
    """The film beside its source in one picture, as convert made it."""
    path = found_beside(film.path).side_by_side
    return path if path.is_file() else None


def _swapped(film: JudgedFilm, doubts: Sequence[FrameDoubt]) -> list[tuple[int, int]]:
    """Where the film shows a swapped face: as its record says, else where it was measured."""
    noted = film.record.get("swapped_frames")
    if isinstance(noted, list):
        return [(int(first), int(last)) for first, last in noted]
    return [(span.first, span.last) for span in spans(item.frame for item in doubts)]


@blueprint.post("/<name>/measure")
def measure(name: str) -> BaseResponse:
    """Measure the film, which a review begins with."""
    film = _film(open_workspace(), name)

    def work(app: App, progress: Progress) -> str:
        measured_film(app, film, progress)
        return f"{film.name} is measured."

    jobs().start(f"Measure {film.name}", open_workspace(), work)
    return redirect(url_for("judging.page", name=name), 303)


@blueprint.get("/<name>/publish")
def plan(name: str) -> str:
    """What the next round of the review asks and costs; nothing is sent."""
    app = open_workspace()
    film, told, digest, wall = _film(app, name), [], "", ""
    try:
        terms = app.terms()
        planned = _planned(app, terms, film)
        told, digest = planned.lines(app.settings.market.currency), planned.digest
        check_swap_price(app, terms, planned)
    except NothingToDo as nothing:
        told = [str(nothing)]
    except SafetyStop as stop:
        wall = str(stop)
    return render_template("judge_publish.html", film=film, told=told, digest=digest, wall=wall, tab=_tab(film))


@blueprint.post("/<name>/publish")
def publish(name: str) -> BaseResponse:
    """Send the round that was shown; another one is refused."""
    if request.form.get("yes") != "yes":
        abort(400, "Nothing was published: tick that the price is fine.")
    film, digest = _film(open_workspace(), name), request.form.get("digest", "")

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("publishing"), app.market() as session:
            planned = _planned(app, session, film, progress)
            if planned.digest != digest:
                raise SafetyStop("Nothing was published: since you looked, what would be asked changed. Look again.")
            done = publish_swap_round(app, session, planned, progress)
        return f"{sum(len(item.hits) for item in done)} HITs about {film.name}."

    jobs().start(f"Publish the review of {film.name}", open_workspace(), work)
    return redirect(url_for("judging.page", name=name), 303)


@blueprint.post("/<name>/collect")
def collect(name: str) -> BaseResponse:
    """Fetch what was answered, pay, and show what the film is worth now."""
    app = open_workspace()
    film = _film(app, name)
    due = _due(app, film)
    if not agreed(request.form.get("most", ""), due):
        told = due.text(app.settings.market.currency)
        abort(409, f"Nothing was fetched: paying now takes up to {told}. Look at the film's page and start again.")

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("collecting"), app.market() as session:
            got = collect_swap(app, session, film, progress=progress)
        return f"{got.new_votes} new votes about {film.name}; {got.waiting} pages still open."

    jobs().start(f"Collect the review of {film.name}", open_workspace(), work)
    return redirect(url_for("judging.page", name=name), 303)


def _planned(app: App, terms: MarketTerms, film: JudgedFilm, progress: Progress = no_progress) -> SwapRound:
    if film.swapped:
        return plan_swap_round(app, terms, film, progress)
    return plan_painting(app, terms, film)


def _due(app: App, film: JudgedFilm) -> Due:
    """What fetching the answers about a film can pay at most."""
    terms = app.terms()
    return due_at_most(app, terms, set(asked_batches(app, film, terms.market.state_key)))


@blueprint.get("/<name>/next")
def next_page(name: str) -> Response | BaseResponse | str:
    """The next page for whoever reviews; a form that asks for the name first; the timeline where nothing is left."""
    app, person = open_workspace(), reviewer()
    film = _film(app, name)
    if not person:
        given = request.args.get("by", "")[:50] or session.get("by") or account_name()
        return render_template("judge_name.html", film=film, by=given, tab=_tab(film))
    if film.swapped and doubts_of(film) is None:
        flash("The film is measured first: that says which moments are worth a look.")
        return redirect(url_for("judging.page", name=name), 303)
    if wished := request.args.get("page", ""):
        return _shown(app, film, person, own_page(app, film, person, wished))
    try:
        with app.workspace.lock("reviewing", wait=_PATIENCE):
            opened = next_own(app, film, person)
    except NothingToDo as nothing:
        flash(str(nothing))
        return redirect(url_for("judging.page", name=name), 303)
    return _shown(app, film, person, opened)


@blueprint.post("/<name>/as")
def name_reviewer(name: str) -> BaseResponse:
    """Note who reviews."""
    person = request.form.get("by", "").strip()[:50]
    if not person:
        abort(400, "A review needs a name: the votes are kept under it, and it stands in the report.")
    session["by"] = session["reviewer"] = person
    return redirect(url_for("judging.next_page", name=name), 303)


@blueprint.post("/<name>/page/<key>")
def send(name: str, key: str) -> BaseResponse:
    """Keep what was answered on a page and go on."""
    app = open_workspace()
    fields = {name: value for name, value in request.form.items() if len(name) < 100 and len(value) <= 2000}
    try:
        with app.workspace.lock("reviewing", wait=_PATIENCE):
            answer_own(app, _film(app, name), reviewer(), key, fields)
    except BadAnswer as wrong:
        abort(400, str(wrong))
    return redirect(url_for("judging.next_page", name=name), 303)


@blueprint.post("/<name>/again/<int:frame>")
def again(name: str, frame: int) -> BaseResponse:
    """The page on which the face of this frame is painted once more."""
    app, person = open_workspace(), reviewer()
    if not person:
        flash("Say first under which name you paint.")
        return redirect(url_for("judging.next_page", name=name), 303)
    with app.workspace.lock("reviewing", wait=_PATIENCE):
        key = paint_again(app, _film(app, name), person, frame)
    return redirect(url_for("judging.next_page", name=name, page=key), 303)


@blueprint.post("/<name>/back")
def back(name: str) -> BaseResponse:
    """Take the page `last` back, which was sent last; it opens again."""
    app = open_workspace()
    try:
        with app.workspace.lock("reviewing", wait=_PATIENCE):
            take_back_own(app, _film(app, name), reviewer(), request.args.get("last", ""))
    except NothingToDo as nothing:
        flash(str(nothing))
    return redirect(url_for("judging.next_page", name=name), 303)


@blueprint.get("/<name>/media/<key>")
def media(name: str, key: str) -> Response:
    """A picture or loop of the review, in ranges, so that browsers play it."""
    app = open_workspace()
    found = None
    if key in swap_media(app.workspace):
        found = media_answer(app.workspace, key, request.headers.get("Range", ""))
    if found is None:
        abort(404, f"There is no such picture in the review of {name}.")
    status, headers, body = found
    return Response(body, status=status, headers=headers)


def _film(app: App, name: str) -> JudgedFilm:
    footage = find_footage(app, name)
    if footage is not None:
        return footage
    folder = app.workspace.root / "results"
    if name not in {path.name for path in folder.glob("*")}:
        abort(404, f"There is no result {name}.")
    return find_film(app, folder / Path(name).name)


def _tab(film: JudgedFilm) -> str:
    return "" if film.swapped else _TAB


def _judged(app: App, film: JudgedFilm) -> FilmJudged | None:
    try:
        return film_judged(app, film)
    except NothingToDo:
        return None


def _shown(app: App, film: JudgedFilm, person: str, opened: OwnPage) -> Response:
    """The page as workers get it, with this server's addresses in the place of a market's."""
    html, last = render_moments(_task(app, film, opened)), last_own(app, film, person)
    icon = f'<link rel="icon" href="{url_for("static", filename="icon.svg")}" type="image/svg+xml">'
    html = (
        html.replace("${turkSubmitTo}/mturk/externalSubmit", url_for("judging.send", name=film.key, key=opened.key))
        .replace("${assignmentId}", "review")
        .replace('<meta name="referrer" content="no-referrer">', icon)
        .replace("<!--galloway:head-->", render_template("judge_bar.html", person=person, film=film))
        .replace('<html lang="en">', page_head(), 1)
        .replace("<!--galloway:pause-->", render_template("judge_buttons.html", film=film, last=last))
    )
    answer = Response(html, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = page_policy(html)
    return answer


def _task(app: App, film: JudgedFilm, opened: OwnPage) -> MomentTask:
    people = shown_references(app.workspace, Side.B)
    return MomentTask(
        page=Page(opened.batch.page),
        tiles=[
            MomentTile(key, tuple(url_for("judging.media", name=film.key, key=one) for one in tile.media))
            for key, tile in opened.tiles.items()
        ],
        seconds=opened.batch.seconds,
        references=[
            Picture(url_for("faces.reference", side=Side.B.value, name=path.name, size="normal")) for path in people
        ],
    )
