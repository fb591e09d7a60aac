"""The application factory."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flask import Flask
from jinja2 import StrictUndefined

from ...mturk.marketplace.pages.guards import LOOPBACK
from ...mturk.requester.hosting import LocalHosting
from ...mturk.requester.money import written
from ..app import App
from ..asking.copies import follow
from ..market.pictures import IMAGE_PATH, hosting_secret, image_app
from ..workspace.folder import Workspace
from . import actions, faces, pages, results, training
from .guards import guard
from .jobs import Jobs
from .opened import install, jobs, last_workspace, may_act
from .plots import stacked_bar

__all__ = ["create_web_app"]

_NAMES = {
    "usable": "keep or reject",
    "identity": "same person?",
    "not_a_face": "not a face",
    "another_person": "another person",
    "bad_crop": "bad crop",
    "cannot_tell": "cannot tell",
    "time": "time was up",
}


def create_web_app(workspace: Workspace, *, hosts: Collection[str] = LOOPBACK, actions: bool = True) -> Flask:
    """The requester's app for one workspace. `hosts` are the names under which pages may be asked for; `actions` says
    whether pages may publish, collect, pay and merge.

    Workers' pictures (`/images/<token>`) are answered under any name: their links are secrets that end. Whoever ends
    the server calls `jobs(app).close()`.
    """
    app = Flask(__name__, static_url_path="/static")
    install(app, App(workspace), Jobs(workspace), actions=actions)
    app.config.update(
        # Only for one-time messages and the name that was typed last.
        SECRET_KEY=hmac.new(hosting_secret(workspace.root), b"galloway web session", hashlib.sha256).digest(),
        SESSION_COOKIE_NAME="galloway",
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True,
        MAX_CONTENT_LENGTH=64 * 1024,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(when=_when, money=_money, words=_words, seconds=_seconds, iso=_iso, follow=follow)
    app.jinja_env.globals.update(stacked_bar=stacked_bar)
    guard(app, frozenset(hosts))
    _add_pages(app)
    _add_pictures(app, workspace)

    @app.context_processor
    def shared() -> dict[str, Any]:
        settings = last_workspace().settings
        return {
            "workspace_name": settings.name,
            "market_name": settings.market.name,
            "currency": settings.market.currency,
            "job": jobs().last,
            "may_act": may_act(),
        }

    return app


def _add_pages(app: Flask) -> None:
    for part in (pages, faces, training, results, actions):
        app.register_blueprint(part.blueprint)


def _add_pictures(app: Flask, workspace: Workspace) -> None:
    pictures = image_app(workspace, LocalHosting(hosting_secret(workspace.root), IMAGE_PATH))
    pages = app.wsgi_app

    def dispatch(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(f"{IMAGE_PATH}/") and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return pictures(environ, start_response)
        return pages(environ, start_response)

    app.wsgi_app = dispatch  # type: ignore[method-assign]


def _when(value: datetime | None) -> str:
    """A moment in UTC, to the minute."""
    return "" if value is None else value.astimezone(UTC).strftime("%d %b %Y, %H:%M")


def _iso(value: datetime | None) -> str:
    return "" if value is None else value.astimezone(UTC).isoformat(timespec="seconds")


def _money(value: Decimal | None) -> str:
    return written(value, last_workspace().settings.market.currency)


def _words(value: str) -> str:
    """A code as people say it."""
    return _NAMES.get(value, value.replace("_", " "))


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f} s" if value < 90 else f"{value / 60:.1f} min"
