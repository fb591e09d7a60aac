"""The workspace behind the current request, the jobs of the server, and whether its pages may start any."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app

from pipeline.app import App
from pipeline.web.jobs import Jobs

__all__ = ["install", "jobs", "may_act", "open_workspace"]

_KEY = "galloway"
_JOBS = "galloway jobs"
_ACTIONS = "galloway actions"


def install(site: Flask, app: App, work: Jobs, *, actions: bool) -> None:
    """Make `app` the workspace of every request to `site`, `work` its jobs; `actions` lets pages start them."""
    site.extensions[_KEY] = app
    site.extensions[_JOBS] = work
    site.extensions[_ACTIONS] = actions


def open_workspace() -> App:
    """The workspace behind the current request."""
    return cast(App, current_app.extensions[_KEY])


def jobs(site: Flask | None = None) -> Jobs:
    """The jobs of a server; without `site`, of the one that answers the current request."""
    return cast(Jobs, (site or current_app).extensions[_JOBS])


def may_act() -> bool:
    """Whether pages of this server may start work and spend money."""
    return bool(current_app.extensions[_ACTIONS])
