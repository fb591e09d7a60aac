"""The team: who may sign in and what each may do, which is the owner's to say; and who did what, by person and kind."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ..errors import NothingToDo, StageError, WorkspaceError
from ..stages.members import change_role, let_in, let_in_anew, show_out
from ..workspace.acts import KINDS, acts, people_who_acted
from ..workspace.team import Role, members
from .opened import may_own, open_workspace

__all__ = ["blueprint"]

blueprint = Blueprint("team", __name__, url_prefix="/team")
_SHOWN = 100
_MAY = {
    Role.LOOK: ("looks", "sees everything and changes nothing"),
    Role.DECIDE: ("decides", "decides on faces and reviews, too"),
    Role.SPEND: ("spends", "brings footage, publishes, pays, merges, trains and makes films, too"),
    Role.OWN: ("owns", "says who comes in, too: the team, workers, panels"),
}
"""What a role does and what that means, as a person reads it; each may do what the ones before it may."""


@blueprint.before_request
def allowed() -> None:
    """Everybody sees who is in the team and what was done; who comes in is for the owner to say."""
    if request.method == "POST" and not may_own():
        abort(403, "Who else comes in is for the owner to say: galloway team add NAME --role own")


@blueprint.get("")
def page() -> str:
    """Who may sign in, and what each may do."""
    return _page()


@blueprint.post("/add")
def add() -> str | tuple[str, int]:
    """Let somebody in; their password is shown in this answer and nowhere else."""
    name = _name()
    try:
        made, password = let_in(open_workspace(), name, _role())
    except (StageError, WorkspaceError) as error:
        return _page(wrong=str(error), name=name[:80]), 400
    return _page(made=made.name, password=password)


@blueprint.post("/password")
def new_password() -> str:
    """A new password for a member; the old one and whoever is signed in by it are out."""
    made, password = let_in_anew(open_workspace(), _name())
    return _page(made=made.name, password=password)


@blueprint.post("/role")
def role_of() -> Response:
    """What a member may do from now on."""
    made = change_role(open_workspace(), _name(), _role())
    flash(f"What {made.name} may do is changed.")
    return redirect(url_for("team.page"), 303)


@blueprint.post("/remove")
def remove() -> Response:
    """A member may not sign in any more."""
    if request.form.get("yes") != "yes":
        abort(400, "Nobody was taken out: tick that you mean it.")
    name = _name()
    try:
        show_out(open_workspace(), name)
        flash(f"{name} may not sign in any more.")
    except NothingToDo as gone:  # pressed twice, or by another owner
        flash(str(gone))
    return redirect(url_for("team.page"), 303)


@blueprint.get("/log")
def log() -> str:
    """The newest acts; older ones behind a link."""
    workspace = open_workspace().workspace
    people = people_who_acted(workspace)
    who, kind = request.args.get("who", ""), request.args.get("kind", "")
    who, kind = who if who in people else "", kind if kind in KINDS else ""
    before = request.args.get("before", type=int)
    found = acts(workspace, who=who, kind=kind, before=before, most=_SHOWN + 1)
    older = found[_SHOWN - 1].number if len(found) > _SHOWN else None
    return render_template(
        "acts.html", acts=found[:_SHOWN], kinds=KINDS, people=people, who_chosen=who, kind=kind, older=older
    )


def _name() -> str:
    return request.form.get("name", "")


def _role() -> Role:
    word = request.form.get("role", "")
    if word not in {item.word for item in Role}:
        abort(400, f"{word[:40]!r} is no role. Choose look, decide, spend or own.")
    return Role[word.upper()]


def _page(**told: Any) -> str:
    told = {"wrong": "", "name": "", "made": "", "password": ""} | told
    return render_template("team.html", members=members(open_workspace().workspace.root), roles=_MAY, **told)
