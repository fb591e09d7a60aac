"""Results: the swapped videos, and folders of swapped pictures, with what was made beside them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, send_file, send_from_directory

from ...curation.files import picture_files
from ...curation.types import Side
from ..app import App
from ..stages.models import model_name, trained_models
from ..stages.status import read_status
from ..workspace.films import FILM_SUFFIXES, films_in, found_beside
from ..workspace.records import sources
from ..workspace.state import json_object
from .opened import open_workspace

__all__ = ["blueprint"]

blueprint = Blueprint("results", __name__)
_SERVED = frozenset({*FILM_SUFFIXES, ".png", ".jpg"})


@dataclass(frozen=True, slots=True)
class Result:
    """One swapped video, or a folder of so many `pictures`; `side_by_side` and `sheet` are file names where they exist,
    `record` what convert wrote, `bytes` the size of a video."""

    name: str
    side_by_side: str | None
    sheet: str | None
    record: dict[str, Any]
    bytes: int
    pictures: int


def results(app: App) -> list[Result]:
    """All swapped videos and folders of pictures, newest first."""
    films = films_in(app.workspace.root / "results")
    return [_result(path) for path in sorted(films, key=lambda path: path.stat().st_mtime, reverse=True)]


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
        len(picture_files(path)) if path.is_dir() else 0,
    )


@blueprint.get("/results")
def listing() -> str:
    app = open_workspace()
    films = [item.name for item in sources(app.workspace, Side.A) if item.kind != "faces"]
    models = [(model_name(run), run) for run in trained_models(app)]
    iterations = read_status(app).trained_iterations
    return render_template("results.html", results=results(app), model=iterations, models=models, films=films)


@blueprint.get("/results/<name>")
def file(name: str) -> Response:
    """A video or picture of results/, in ranges, so that players can seek."""
    folder = open_workspace().workspace.root / "results"
    if Path(name).suffix.lower() not in _SERVED or name not in {path.name for path in folder.glob("*")}:
        abort(404, f"There is no result {name}.")
    return send_from_directory(folder, name, conditional=True, max_age=0)


@blueprint.get("/results/<name>/frames")
def frames(name: str) -> str:
    """A folder of pictures, one at a time: `at`, counted from 1."""
    found = _pictures(name)
    at = min(max(request.args.get("at", 1, type=int), 1), len(found))
    return render_template("frames.html", name=name, at=at, all=len(found), file=found[at - 1].name)


@blueprint.get("/results/<name>/frames/<int:at>")
def frame(name: str, at: int) -> Response:
    """The picture of that position in a folder, counted from 1."""
    found = _pictures(name)
    if not 1 <= at <= len(found):
        abort(404, f"{name} has no picture {at}.")
    return send_file(found[at - 1], conditional=True, max_age=0)


@blueprint.get("/results/<name>/frames.zip")
def zipped(name: str) -> Response:
    """All pictures of a folder in one file, written while it is sent."""
    answer = Response(_zip(_pictures(name)), mimetype="application/zip")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.zip")
    return answer


def _pictures(name: str) -> Sequence[Path]:
    """The pictures of a result that is a folder."""
    made = films_in(open_workspace().workspace.root / "results")
    found = next((picture_files(path) for path in made if path.name == name and path.is_dir()), [])
    if not found:
        abort(404, f"There is no folder of pictures {name} among the results.")
    return found


class _Sent(io.RawIOBase):
    """What was written since it was taken last: a file that cannot be sought in."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def _zip(files: Sequence[Path]) -> Iterator[bytes]:
    """A ZIP of files, as they are, in pieces of one file: pictures are packed already."""
    sent = _Sent()
    with zipfile.ZipFile(sent, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        for path in files:
            archive.write(path, path.name)
            yield sent.take()
    yield sent.take()
