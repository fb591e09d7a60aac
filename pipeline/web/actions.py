"""What a requester starts from the pages: publish, collect, merge, take back. The same code as the commands."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...curation.types import Progress, Side
from ...mturk.requester.money import written
from ..app import App
from ..asking.collect import Collected, collect_until_answered
from ..asking.decide import decide
from ..asking.due import agreed, due_at_most, due_for, past_budget
from ..asking.left_out import (
    below_in_words,
    leave_out,
    leave_out_below,
    left_out,
    left_out_below,
    person_in_words,
)
from ..asking.left_out import take_back as take_person_back
from ..asking.offer import make_offer, offer_now
from ..asking.outcome import outcomes
from ..asking.publish import plan_round, publish_round
from ..asking.screening import grid_order
from ..asking.settle import set_block, settle_by_hand, take_back
from ..asking.sight import unseen
from ..checking.standing import answer_appeal, keep_appeals, kept_appeals, let_in, stop
from ..errors import SafetyStop, StageError
from ..market.local import running_market
from ..privacy.clock import mind
from ..stages.away import away_sentence
from ..stages.chosen import this_is
from ..stages.merge import foresee, kept_word, reason_lines, undo, undo_sentence
from ..stages.merge import merge as run_merge
from ..wording import counted
from .looking import looking, start_looking
from .opened import jobs, may_act, may_own, open_workspace

__all__ = ["blueprint"]

blueprint = Blueprint("actions", __name__)
_OWNERS = ("actions.people", "actions.open_site", "actions.invite")
"""Pages that let people in."""
_LOOK_AT_ONCE = 25
"""So many pictures are looked at while a page is waited for, and not kept; more, by a job that keeps what it saw."""


@blueprint.before_request
def allowed() -> None:
    """Only who may spend starts anything, and nobody where the server was started with --no-actions."""
    if not may_act():
        abort(
            403, "You may look here, not start anything: that takes somebody who may spend (galloway team add NAME "
            "--role spend), on a server without --no-actions."
        )  # fmt: skip
    if request.endpoint in _OWNERS and not may_own():
        abort(403, "Who else comes in is for the owner to say: galloway team add NAME --role own")


def _begun() -> Response:
    return redirect(url_for("pages.overview"), 303)


# Publish


@blueprint.get("/publish")
def plan() -> str | tuple[str, int]:
    """What the next round asks and costs; nothing is sent."""
    app = open_workspace()
    if unseen(app):
        return looking("actions.look")
    offer = offer_now(app, look_most=_LOOK_AT_ONCE)
    if offer is not None and offer.unlooked:
        return looking("actions.look", offer.unlooked)
    crowds = offer.crowds if offer else ()
    return render_template(
        "publish.html",
        offer=offer,
        budget=app.settings.ask.budget,
        gone={crowd.side: left_out(app, crowd.side) for crowd in crowds},
        below={crowd.side: left_out_below(app, crowd.side) for crowd in crowds},
    )


@blueprint.post("/publish/plan")
def plan_anew() -> Response:
    """Plan the next round as a job: where there are many faces, that takes longer than a page is waited for."""

    def work(app: App, progress: Progress) -> str:
        offer = make_offer(app, look_most=_LOOK_AT_ONCE, progress=progress)
        price = written(offer.price, app.settings.market.currency)
        return offer.nothing or f"{offer.faces} faces for {price}; nothing is sent yet."

    jobs().start("Plan the next round", open_workspace(), work)
    return redirect(url_for("actions.plan"), 303)


@blueprint.post("/publish/look")
def look() -> Response:
    """Look at faces that nobody looked at yet, and at what workers would see of them."""
    start_looking(pages=True)
    return redirect(url_for("actions.plan"), 303)


@blueprint.post("/publish/leave-out")
def choose() -> Response:
    """Say that a person is the one who is wanted; leave one, or faces that are too small, out of what is asked; or take
    them back."""
    side, app = _side(), open_workspace()
    number, below = request.form.get("person", 0, type=int), request.form.get("below", type=int)
    if not number and (below is None or not 0 <= below <= 10_000):
        abort(400, "Say which person, or below how many pixels; 0 asks about all sizes.")
    with app.workspace.lock("screening", wait=5):
        if not number:
            done = below_in_words(leave_out_below(app, side, below or 0), below or 0)
        elif request.form.get("wanted") == "yes":
            added = this_is(app, side, number)
            done = f"Person {number} is who is wanted: {counted(len(added), 'photograph')} more."
        elif request.form.get("back") == "yes":
            done = person_in_words(number, take_person_back(app, side, number), again=True)
        else:
            done = person_in_words(number, leave_out(app, side, number))
        decide(app)
    flash(done)
    return redirect(url_for("actions.plan"), 303)


@blueprint.post("/publish")
def publish() -> Response:
    """Send the round that was shown; another one is refused."""
    if request.form.get("yes") != "yes":
        abort(400, "Nothing was published: tick that the price is fine.")
    digest = request.form.get("digest", "")

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("publishing"), app.market() as session:
            planned = plan_round(app, session, order=grid_order(app))
            if planned.digest != digest:
                raise SafetyStop(
                    "Nothing was published: since you looked, answers, decisions or settings changed what would be "
                    "asked. Look at the new price: Publish."
                )
            done = publish_round(app, session, planned, progress)
        hits = sum(len(item.hits) for item in done)
        return f"{planned.faces} faces on {hits} HITs for {written(planned.price, app.settings.market.currency)}."

    jobs().start("Publish", open_workspace(), work)
    return _begun()


# Collect


@blueprint.post("/collect")
def collect() -> Response:
    """One look at the market: answers, votes, pay, up to the sum that stood beside the button."""
    pay, shown = request.form.get("pay") == "yes", request.form.get("most", "")
    app = open_workspace()
    due = due_at_most(app, app.terms())
    if pay and not agreed(shown, due):
        told = due.text(app.settings.market.currency)
        abort(
            409,
            f"Nothing was fetched: paying now takes up to {told}, not what stood there. Look at it and start again.",
        )

    def work(app: App, progress: Progress) -> str:
        with app.market() as session:
            got, waiting = collect_until_answered(app, session, pay=pay, progress=progress, pause=_once)
            keep_appeals(app, session)
        paid = written(got.paid, app.settings.market.currency)
        lines = [f"{got.assignments} assignments so far, {got.new_votes} new votes, {paid} paid now."]
        lines += [f"{waiting} faces wait for answers."] if waiting else ["No page waits for an answer."]
        lines += [*(f"Unreadable answer: {problem}" for problem in got.problems[:3]), *got.privacy]
        return " ".join(lines)

    jobs().start("Collect", open_workspace(), work)
    return _begun()


def _once(_got: Collected, _waiting: int) -> bool:
    return False


# Merge


@blueprint.get("/merge")
def plan_sides() -> str:
    """What a merge would do to each side, by the decisions that stand."""
    app = open_workspace()
    plans, problems = {}, {}
    for side in Side:
        try:
            plans[side.value] = foresee(app, side)
        except StageError as error:
            problems[side.value] = str(error)
    return render_template(
        "merge.html",
        plans=plans,
        problems=problems,
        words={name: kept_word(app, Side(name)) for name in plans},
        away={side.value: away_sentence(app, side) for side in Side},
        standing={side.value: app.standing_merge(side) for side in Side},
        outcomes={item.side.value: item for item in outcomes(app)},
        reason_lines=reason_lines,
    )


@blueprint.post("/merge")
def merge() -> Response:
    """Apply the decisions to one side."""
    side = _side()
    choice: Any = request.form.get("open") or None
    if choice not in (None, "keep", "reject"):
        abort(400, "Say whether faces that are not decided are kept or rejected.")

    accept = bool(request.form.get("accept_unproved"))

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("merging", faces=True):
            done = run_merge(app, side, open_faces=choice, accept_unproved=accept, progress=progress)
            goes = mind(app)
        why = ", ".join(reason_lines(done.reasons)) or "none"
        return " ".join((f"Side {side.value.upper()}: {done.faceset.faces} faces approved; rejected: {why}.", *goes))

    jobs().start(f"Merge side {side.value.upper()}", open_workspace(), work)
    return _begun()


@blueprint.post("/merge/undo")
def take_merge_back() -> Response:
    """Take the newest merge of a side back."""
    side, shown = _side(), request.form.get("faceset")

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("undoing", faces=True):
            gone = undo(app, side, faceset=shown, progress=progress)
        return undo_sentence(app, gone)

    jobs().start(f"Take side {side.value.upper()}'s merge back", open_workspace(), work)
    return _begun()


def _side() -> Side:
    text = request.form.get("side", "")
    if text not in set(Side):
        abort(400, "Say which side: a or b.")
    return Side(text)


# One batch


@blueprint.post("/batches/<key>/cancel")
def cancel(key: str) -> Response:
    """Take a batch back as far as it goes now."""
    if request.form.get("yes") != "yes":
        abort(400, "Nothing was taken back: tick that you mean it.")
    pay = request.form.get("pay") == "yes"

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("cancelling"), app.market() as session:
            done = take_back(app, session, key, pay=pay, progress=progress)
        text = f"{done.deleted} HITs deleted, {done.never_sent} never sent, {done.approved} answers paid"
        if done.done:
            return f"{text}. Its faces are asked again by the next publish."
        left = f"{done.waiting} HITs are still in work, {done.undecided} answers undecided"
        return f"{text}; {left}. Take it back again later."

    jobs().start(f"Take back {key}", open_workspace(), work)
    return redirect(url_for("pages.batch", key=key), 303)


@blueprint.post("/batches/<key>/work")
def settle(key: str) -> Response | str:
    """Approve or reject what was submitted; what approving costs is shown, and confirmed, first."""
    chosen = request.form.getlist("assignment")
    reason = request.form.get("reason", "").strip()[:1000]
    decision = request.form.get("decision", "")
    if not chosen or decision not in ("approve", "reject"):
        abort(400, "Choose the answers, and whether they are approved or rejected.")
    if decision == "reject" and not reason:
        abort(400, "A rejection needs a reason, because a person reads it. Go back and write it.")
    app, override = open_workspace(), request.form.get("override") == "yes"
    if decision == "approve":
        due = due_for(app, app.terms(), chosen, batch_key=key, override=override)
        if due.answers and request.form.get("sum") != str(due.total):
            told = due.text(app.settings.market.currency)
            past = past_budget(app, app.terms(), chosen, batch_key=key, override=override)
            return render_template(
                "settle.html", key=key, due=due, told=told, past=past, chosen=chosen, form=request.form
            )
    with app.workspace.lock("settling", wait=5), app.market() as session:
        if decision == "reject":
            done = settle_by_hand(app, session, chosen, reason=reason)
        else:
            done = settle_by_hand(app, session, chosen, feedback=reason, override=override)
    paid = f", {written(done.paid, app.settings.market.currency)} paid" if decision == "approve" else ""
    flash(f"{done.done} {'approved' if decision == 'approve' else 'rejected'}{paid}.")
    return redirect(url_for("pages.batch", key=key), 303)


@blueprint.post("/workers/<name>/block")
def block(name: str) -> Response:
    """Keep a worker from everything that is published here, or let one back in."""
    reason, off = request.form.get("reason", "").strip()[:500], request.form.get("off") == "yes"
    if not reason:
        abort(400, "A block needs a reason. Go back and write it.")
    app = open_workspace()
    with app.workspace.lock("blocking", wait=5), app.market() as session:
        set_block(app, session, name, reason=reason, off=off)
    flash(f"{name} is {'no longer blocked' if off else 'blocked'}.")
    return redirect(url_for("pages.workers"), 303)


@blueprint.post("/workers/<name>/stop")
def stop_worker(name: str) -> Response:
    """No more pages for a worker, who reads why."""
    app = open_workspace()
    with app.workspace.lock("stopping a worker", wait=5), app.market() as session:
        stop(app, session, name, request.form.get("reason", "").strip()[:1000])
    flash(f"{name} gets no more pages from you, and was told why.")
    return redirect(url_for("pages.workers"), 303)


@blueprint.post("/workers/<name>/again")
def let_worker_in(name: str) -> Response:
    """Let a worker in again."""
    app = open_workspace()
    with app.workspace.lock("letting a worker in", wait=5), app.market() as session:
        let_in(app, session, name)
    flash(f"{name} gets your pages again.")
    return redirect(url_for("pages.workers"), 303)


@blueprint.get("/workers/appeals")
def worker_appeals() -> str:
    """What workers had written who get no more pages, and nobody had answered, when the market was asked last."""
    return render_template("appeals.html", page=kept_appeals(open_workspace()))


@blueprint.post("/workers/appeals/ask")
def ask_for_appeals() -> Response:
    """Ask the market what they wrote, as a job."""

    def work(app: App, _progress: Progress) -> str:
        with app.workspace.lock("asking for messages"), app.market() as session:
            return f"Who waits for an answer: {counted(keep_appeals(app, session), 'worker')}."

    jobs().start("What workers wrote", open_workspace(), work)
    return redirect(url_for("actions.worker_appeals"), 303)


@blueprint.post("/workers/<name>/answer")
def answer_worker(name: str) -> Response:
    """Answer what a worker wrote, and let them in again or not."""
    words, again = request.form.get("words", "").strip()[:1000], request.form.get("again") == "yes"
    app = open_workspace()
    with app.workspace.lock("answering a worker", wait=5), app.market() as session:
        answer_appeal(app, session, name, again=again, words=words)
        keep_appeals(app, session)
    flash(f"{name} {'gets your pages again' if again else 'was answered'}.")
    return redirect(url_for("actions.worker_appeals"), 303)


# People


@blueprint.get("/people")
def people() -> str:
    """Where workers work, and who may join."""
    app = open_workspace()
    local = app.settings.market.name == "local"
    running = running_market(app.workspace) if local else None
    return render_template("people.html", local=local, running=running, invite=None)


@blueprint.post("/people/open")
def open_site() -> Response:
    """Start the worker site; it runs as long as this server."""
    _local()
    running = jobs().open_site()
    flash(f"The worker site runs at {running.addresses.worker}")
    return redirect(url_for("actions.people"), 303)


@blueprint.post("/people/invite")
def invite() -> str:
    """A link with which so many people can sign up; shown once."""
    _local()
    uses = request.form.get("uses", 1, type=int)
    if not 1 <= uses <= 1000:
        abort(400, "A link is for 1 to 1,000 people.")
    running = jobs().open_site()
    link = running.invite(request.form.get("note", "").strip()[:200], uses)
    return render_template("people.html", local=True, running=running.addresses, invite=(link, uses))


def _local() -> None:
    if open_workspace().settings.market.name != "local":
        raise StageError("People are invited to the embedded marketplace only; this workspace uses another market.")
