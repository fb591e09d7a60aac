"""Stylesheet, scripts and icon under addresses that say what is in them, so that browsers ask for each once."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

__all__ = ["keep_files"]

_YEAR = 365 * 24 * 3600


def keep_files(app: Flask) -> None:
    """Give every address of a static file the start of its SHA-256 as `v`; what is asked for by it is kept for a year,
    what is asked for otherwise is looked up anew each time."""
    folder = Path(app.static_folder or "")

    @app.url_defaults
    def say_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["v"] = _version(folder / values["filename"])

    @app.after_request
    def keep(response: Response) -> Response:
        asked, whole = request.args.get("v"), request.endpoint == "static" and response.status_code in (200, 304)
        if asked and whole and asked == _version(folder / (request.view_args or {})["filename"]):
            response.headers["Cache-Control"] = f"private, max-age={_YEAR}, immutable"
        return response


def _version(path: Path) -> str | None:
    try:
        return _digest(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=64)
def _digest(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
