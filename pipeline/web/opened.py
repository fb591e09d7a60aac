"""The workspace behind the current request."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app

from pipeline.app import App

__all__ = ["install", "open_workspace"]

_KEY = "galloway"


def install(site: Flask, app: App) -> None:
    """Make `app` the workspace of every request to `site`."""
    site.extensions[_KEY] = app


def open_workspace() -> App:
    """The workspace behind the current request."""
    return cast(App, current_app.extensions[_KEY])
