"""The first look at a side's faces, which takes a while: a page that shows how far it is, and the job behind it."""

from __future__ import annotations

from contextlib import suppress

from flask import render_template

from ...curation.types import Progress, Side
from ..app import App
from ..asking.offer import forget_offer
from ..asking.publish import plan_round
from ..asking.screening import grid_order
from ..asking.sight import look_at, unseen
from ..errors import NothingToDo, SafetyStop
from ..wording import counted
from .opened import jobs, open_workspace

__all__ = ["looking", "start_looking"]

_TITLE = "Look at the faces"


def looking(endpoint: str, pictures: int = 0) -> str:
    """The page in the place of one that needs to know what the faces look like, or what of so many `pictures` workers
    may see. `endpoint` starts the look."""
    faces = unseen(open_workspace())
    return render_template("looking.html", faces=faces, pictures=pictures, endpoint=endpoint, title=_TITLE)


def start_looking(*, pages: bool = False) -> None:
    """Begin to look at every side, with `pages` also at what workers would see next; nothing where that is under way.
    Raises WorkspaceBusy while another job runs."""
    running = jobs().last
    if running is not None and running.running and running.title == _TITLE:
        return

    def work(app: App, progress: Progress) -> str:
        count = unseen(app)
        with app.workspace.lock("looking"):
            for side in Side:
                look_at(app, side, progress)
            if pages:
                with suppress(NothingToDo, SafetyStop):  # the page says it again
                    plan_round(app, app.terms(), order=grid_order(app), progress=progress)
                forget_offer(app)
        return f"{counted(count, 'face')} looked at."

    jobs().start(_TITLE, open_workspace(), work)
