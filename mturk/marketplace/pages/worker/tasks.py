"""Finding work and doing it: list, preview, accept, the work page, return."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ...desk.values import Held, Preview
from ...desk.work import Sort
from ...errors import NotFound
from ..guards import SANDBOX, origin_of
from ..keys import taken_keys
from ..portal import portal, require_worker, signed_in
from ..settings import settings_of
from .recruits import keep_on_the_way

__all__ = ["pages", "task_frame"]

pages = Blueprint("tasks", __name__)
pages.before_request(require_worker)

_SORTS: dict[str, Sort] = {
    "newest": "newest",
    "reward": "reward",
    "hourly": "hourly",
    "time": "time",
    "available": "available",
}


@pages.get("/projects")
@pages.get("/")
def listing() -> str | BaseResponse:
    """Work that can be had, by pay and time, and what I hold."""
    if (away := keep_on_the_way()) is not None:
        return away
    args = request.args
    page = portal().work.groups(
        signed_in().worker_id,
        sort=_SORTS.get(args.get("sort", ""), "newest"),
        query=args.get("q", "").strip()[:200],
        qualified_only=args.get("qualified") == "1",
        min_reward=_decimal(args.get("min_reward", "")),
        max_minutes=_whole(args.get("max_minutes", "")),
        cursor=args.get("cursor"),
    )
    held = portal().work.current(signed_in().worker_id)
    unread = sum(not message.read for message in portal().work.messages(signed_in().worker_id))
    chosen = {name: args.get(name, "") for name in ("sort", "q", "qualified", "min_reward", "max_minutes")}
    return render_template(
        "worker/list.html", page=page, held=held, unread=unread, chosen=chosen, done=args.get("said", "")
    )


@pages.get("/mturk/previewandaccept")
@pages.get("/mturk/preview")
def preview_by_query() -> str | BaseResponse:
    """MTurk's old links to a group, with a HITGroupId or a HITTypeId. A link never accepts: a button does."""
    group_id, hit_id = request.args.get("groupId", ""), request.args.get("hitId", "")
    if not group_id and not hit_id:
        raise NotFound("The link names no group. Choose work from the list.")
    return _preview(portal().work.preview(signed_in().worker_id, group_id=group_id, hit_id=hit_id))


@pages.get("/projects/<group_id>/tasks/accept_random")
@pages.get("/projects/<group_id>/tasks")
def preview_group(group_id: str) -> str:
    """MTurk's newer link to a group."""
    return _preview(portal().work.preview(signed_in().worker_id, group_id=group_id))


@pages.get("/projects/<group_id>/tasks/<hit_id>")
def preview_hit(group_id: str, hit_id: str) -> str | BaseResponse:
    """One HIT; if I hold it already, my work on it."""
    for held in portal().work.current(signed_in().worker_id):
        if held.hit_id == hit_id:
            return redirect(url_for("tasks.working", assignment_id=held.assignment_id))
    return _preview(portal().work.preview(signed_in().worker_id, group_id=group_id, hit_id=hit_id))


@pages.post("/projects/<group_id>/accept")
def accept(group_id: str) -> BaseResponse:
    """Accept the HIT of the preview, or the next free one of the group."""
    hit_id, once = request.form.get("hitId", ""), request.form.get("once", "")[:64]
    taken = portal().work.accept(signed_in().worker_id, group_id=group_id, hit_id=hit_id, once=once)
    return redirect(url_for("tasks.working", assignment_id=taken.assignment_id), 303)


@pages.get("/work/<assignment_id>")
def working(assignment_id: str) -> str | BaseResponse:
    """The work page: the requester's document in its frame, the time left, pause and return. After it was sent, where
    it went: the Back button leads here."""
    worker_id = signed_in().worker_id
    try:
        held = portal().work.held(worker_id, assignment_id)
    except NotFound:
        portal().work.record(worker_id, assignment_id)  # another's work is not found either
        return redirect(url_for("tasks.after", assignment_id=assignment_id, said="again"))
    return render_template("worker/work.html", held=held, frame=task_frame(held), said=request.args.get("said", ""))


@pages.post("/work/<assignment_id>/return")
def give_back(assignment_id: str) -> BaseResponse:
    """Return the assignment for somebody else to do."""
    portal().work.return_(signed_in().worker_id, assignment_id)
    return redirect(url_for("tasks.listing", said="returned"), 303)


@pages.get("/work/<assignment_id>/after")
def after(assignment_id: str) -> str | BaseResponse:
    """Where the work page goes on: the server says whether the answers arrived, never the frame."""
    worker_id = signed_in().worker_id
    if any(held.assignment_id == assignment_id for held in portal().work.current(worker_id)):
        return redirect(url_for("tasks.working", assignment_id=assignment_id, said="unsent"))
    record = portal().work.record(worker_id, assignment_id)
    return render_template("worker/after.html", record=record, again=request.args.get("said") == "again")


def _preview(found: Preview) -> str:
    return render_template("worker/preview.html", preview=found, frame=task_frame(found))


def task_frame(shown: Held | Preview) -> dict[str, str | int]:
    """How the document is framed, for the iframe of a page.

    An ExternalQuestion lives at its own origin and needs it; all else has none.
    """
    token = urlsplit(shown.frame_url).path.rsplit("/", 1)[-1]
    document = portal().work.open_frame(token)
    if document.question.kind == "external":
        source, sandbox = document.external_url, f"{SANDBOX} allow-same-origin"
        g.frame_origin = "https: http:"  # it goes on to pages of its own, and at the end to ours
    else:
        # Its cookies are the portal's alone: language, keys and colours go along in the address.
        joint, settings = "&" if "?" in shown.frame_url else "?", settings_of(request)
        asked = {"lang": g.language, "keys": taken_keys(settings.keys), "theme": settings.theme}
        chosen = urlencode({name: value for name, value in asked.items() if value})
        source, sandbox = f"{shown.frame_url}{joint}{chosen}", SANDBOX
        g.frame_origin = origin_of(source)
    return {"src": source, "sandbox": sandbox, "height": shown.frame_height}


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and value >= 0 else None


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
