"""Who did what, when: the log of the team, by person and kind."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from ..workspace.acts import KINDS, acts, people_who_acted
from .opened import open_workspace

__all__ = ["blueprint"]

blueprint = Blueprint("team", __name__, url_prefix="/team")
_SHOWN = 100


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
