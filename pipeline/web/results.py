"""Results: the swapped videos with what was made beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, render_template, send_from_directory

from ..app import App
from ..stages.status import read_status
from ..workspace.films import FILM_SUFFIXES, films_in, found_beside
from ..workspace.state import json_object
from .opened import open_workspace

__all__ = ["blueprint"]

blueprint = Blueprint("results", __name__)
_SERVED = frozenset({*FILM_SUFFIXES, ".png", ".jpg"})


@dataclass(frozen=True, slots=True)
class Result:
    """One swapped video; `side_by_side` and `sheet` are file names where they exist, `record` what convert wrote."""

    name: str
    side_by_side: str | None
    sheet: str | None
    record: dict[str, Any]
    bytes: int


def results(app: App) -> list[Result]:
    """All swapped videos, newest first."""
    folder = app.workspace.root / "results"
    videos = [path for path in films_in(folder) if path.is_file()]
    return [_result(path) for path in sorted(videos, key=lambda path: path.stat().st_mtime, reverse=True)]


def _result(path: Path) -> Result:
    beside = found_beside(path)
    try:
        record = json_object(beside.record.read_bytes()) or {}
    except OSError:
        record = {}
    return Result(
        path.name,
        beside.side_by_side.name if beside.side_by_side.is_file() else None,
        beside.sheet.name if beside.sheet.is_file() else None,
        record,
        path.stat().st_size,
    )


@blueprint.get("/results")
def listing() -> str:
    app = open_workspace()
    return render_template("results.html", results=results(app), model=read_status(app).trained_iterations)


@blueprint.get("/results/<name>")
def file(name: str) -> Response:
    """A video or picture of results/, in ranges, so that players can seek."""
    folder = open_workspace().workspace.root / "results"
    if Path(name).suffix.lower() not in _SERVED or name not in {path.name for path in folder.glob("*")}:
        abort(404, f"There is no result {name}.")
    return send_from_directory(folder, name, conditional=True, max_age=0)
