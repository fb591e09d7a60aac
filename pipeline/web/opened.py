"""The workspace behind the current request, the jobs of the server, and whether its pages may start any."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app

from ..app import App
from ..workspace.folder import CONFIG_NAME, Workspace
from ..workspace.team import Role
from .door import role
from .jobs import Jobs

__all__ = ["install", "jobs", "last_workspace", "may_act", "may_own", "open_workspace"]

_KEY = "galloway"
_JOBS = "galloway jobs"
_ACTIONS = "galloway actions"


class _Opened:
    """A workspace that is opened anew when its settings were edited."""

    def __init__(self, app: App) -> None:
        self.last = app
        self._edited = self._stamp()

    def current(self) -> App:
        edited = self._stamp()
        if edited != self._edited:
            self.last = App(Workspace.open(self.last.workspace.root))
            self._edited = edited
        return self.last

    def _stamp(self) -> int:
        try:
            return (self.last.workspace.root / CONFIG_NAME).stat().st_mtime_ns
        except OSError:
            return 0


def install(site: Flask, app: App, work: Jobs, *, actions: bool) -> None:
    """Make `app` the workspace of every request to `site`, `work` its jobs; `actions` lets pages start them."""
    site.extensions[_KEY] = _Opened(app)
    site.extensions[_JOBS] = work
    site.extensions[_ACTIONS] = actions


def open_workspace() -> App:
    """The workspace behind the current request, with the settings as they are now. Raises WorkspaceError where they
    cannot be used."""
    return cast(_Opened, current_app.extensions[_KEY]).current()


def last_workspace() -> App:
    """The workspace as it was opened last: also where its settings cannot be used just now."""
    return cast(_Opened, current_app.extensions[_KEY]).last


def jobs(site: Flask | None = None) -> Jobs:
    """The jobs of a server; without `site`, of the one that answers the current request."""
    return cast(Jobs, (site or current_app).extensions[_JOBS])


def may_act() -> bool:
    """Whether the person behind the current request may start work and spend money on pages of this server."""
    return bool(current_app.extensions[_ACTIONS]) and (role() or 0) >= Role.SPEND


def may_own() -> bool:
    """Whether they may also say who else comes in: invite workers, open the worker site."""
    return bool(current_app.extensions[_ACTIONS]) and (role() or 0) >= Role.OWN
