"""The application factory."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, session
from jinja2 import StrictUndefined

from ...mturk.marketplace.pages.guards import LOOPBACK
from ...mturk.marketplace.pages.words import as_filter, moment, numerals, said, speak
from ...mturk.requester.money import written
from ..app import App
from ..workspace.folder import Workspace
from ..workspace.team import Role
from . import (
    actions,
    components,
    configuring,
    faces,
    footage,
    gate,
    judging,
    lasting,
    masking,
    pages,
    photographs,
    projects,
    recruits,
    removing,
    results,
    review,
    settings,
    team,
    training,
)
from .door import LINK, Door, install_door, role, who
from .following import install_following
from .guards import guard
from .jobs import Jobs
from .kept_files import keep_files
from .opened import install, jobs, last_workspace, may_act, may_own, open_workspace
from .plots import stacked_bar
from .read import upcoming

__all__ = ["bare_site", "create_web_app"]

_ASIDE = frozenset(("settings", "components", "configuring"))
"""Pages that are not about the work, and do not say what of it comes next."""
_NAMES = {
    "usable": "keep or reject",
    "identity": "same person?",
    "quality": "keep or reject, no photograph",
    "both": "keep, and who",
    "cluster": "keep, and who, in groups",
    "pair": "same person? in pairs",
    "merge": "same person? in groups",
    "keep:covered": "keep, covered",
    "not_a_face": "not a face",
    "another_person": "another person",
    "bad_crop": "bad crop",
    "cannot_tell": "cannot tell",
    "time": "time was up",
}


def create_web_app(
    workspace: Workspace,
    *,
    hosts: Collection[str] | None = LOOPBACK,
    actions: bool = True,
    door: Door | None = None,
    studio: str = "",
) -> Flask:
    """The requester's app for one workspace. `hosts` are the names under which pages may be asked for (None: any);
    `actions` says whether pages may publish, collect, pay and merge at all.

    `door` decides who comes in and what each may do; without one, whoever reaches the app may do everything, so that
    is for a program that keeps a door of its own. `studio` is the address of the list of projects, where there is one.
    Whoever ends the server calls `jobs(app).close()`.
    """
    app = bare_site(workspace.root)
    install_following(app)
    install(app, App(workspace), Jobs(workspace), actions=actions)
    app.jinja_env.filters.update(iso=_iso, when=as_filter(_when), money=as_filter(_money), seconds=as_filter(_seconds))
    app.add_template_filter(as_filter(_person), "person")
    app.jinja_env.globals.update(stacked_bar=stacked_bar)
    guard(app, None if hosts is None else frozenset(hosts))
    install_door(app, door)
    app.before_request(settings.follow_member)
    _add_pages(app)

    @app.context_processor
    def shared() -> dict[str, Any]:
        about = last_workspace().settings
        return {
            "workspace_name": about.name,
            "market_name": about.market.name,
            "currency": about.market.currency,
            "job": jobs().last,
            "lasting_jobs": lasting.running_jobs(),
            "may_act": may_act(),
            "may_own": may_own(),
            "may_decide": (role() or 0) >= Role.DECIDE,
            "who": who(),
            "studio": studio,
            "free_disk": lambda: shutil.disk_usage(workspace.root).free,
            "shows_next": request.blueprint not in _ASIDE,
            "upcoming": lambda: upcoming(open_workspace()),
        }

    return app


def bare_site(root: Path) -> Flask:
    """A site about what lies at `root`, with its sessions, templates and languages set up, and the page of a person's
    settings."""
    app = Flask(__name__, static_url_path="/static")
    app.config.update(
        # Of this run alone: whoever gave the workspace away, or copied it, cannot sign sessions with what lies in it.
        SECRET_KEY=secrets.token_bytes(32),
        # Cookies do not tell ports apart: two workspaces on one machine do not sign each other out.
        SESSION_COOKIE_NAME=f"galloway_{hashlib.sha256(str(root).encode()).hexdigest()[:8]}",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        MAX_CONTENT_LENGTH=64 * 1024,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    speak(app)
    keep_files(app)
    app.add_template_filter(as_filter(_words), "words")
    app.before_request(settings.follow_browser)
    app.after_request(_newest_messages)
    app.register_blueprint(settings.blueprint)
    return app


_MESSAGES = 5
"""So many messages wait for a page that shows them: they lie in a cookie, and browsers drop one of more than 4 kB, the
sign-in with it."""


def _newest_messages(response: Response) -> Response:
    """Who decides on and on and looks at no page in between is told of the last decisions."""
    waiting = session.get("_flashes", [])
    if len(waiting) > _MESSAGES:
        session["_flashes"] = waiting[-_MESSAGES:]
    return response


def _add_pages(app: Flask) -> None:
    for part in (
        pages, footage, photographs, removing, lasting, faces, gate, review, training, results, judging, masking,
        actions, projects, recruits, components, team, configuring,
    ):  # fmt: skip
        app.register_blueprint(part.blueprint)


def _when(value: datetime | None) -> str:
    return "" if value is None else moment(value)


def _iso(value: datetime | None) -> str:
    return "" if value is None else value.astimezone(UTC).isoformat(timespec="seconds")


def _money(value: Decimal | None, currency: str = "") -> str:
    return numerals(written(value, currency or last_workspace().settings.market.currency))


def _words(value: str) -> str:
    """A code as people say it."""
    return said(_NAMES.get(value, value.replace("_", " ")))


def _person(name: str) -> str:
    """Who acted: a name as it is, a printed link in the reader's language."""
    return said(name) if name.startswith(LINK) else name


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return numerals(f"{value:.1f} s" if value < 90 else f"{value / 60:.1f} min")
