"""A converted film as its reviewers see it: what it was made of, and which of its frames the measures suspect.

Footage is shown to them, too, before anything of it is swapped: to paint what covers its faces.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...curation.types import Progress, Side, no_progress
from ..app import App
from ..errors import StageError
from ..stages.measure import film_record, footage_of, measure_film
from ..workspace.films import FILM_SUFFIXES, films_in, found_beside
from ..workspace.judged import asked_films
from ..workspace.records import Source, sources
from ..workspace.state import json_object
from .moments import FrameDoubt

__all__ = [
    "JudgedFilm",
    "doubts_of",
    "find_film",
    "find_footage",
    "footage_film",
    "footage_films",
    "judged_films",
    "measured_film",
    "painted_films",
]

_FOOTAGE = "footage:"


@dataclass(frozen=True, slots=True)
class JudgedFilm:
    """A film that `convert` wrote, or footage of side A of which nothing is swapped yet (`swapped` says which). `id` is
    a SHA-256, under which everything that people say of it is kept."""

    path: Path
    id: str
    source: Source
    record: dict[str, Any]

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def swapped(self) -> bool:
        return bool(self.record)

    def with_earlier(self) -> list[JudgedFilm]:
        """The films whose place this one took, the oldest first, and this one: each by its own id. What people said of
        whether an earlier one holds is not true of this one; what they painted lies on the footage, which is the same.
        """
        ids = [str(one) for one in self.record.get("earlier") or () if one]
        return [*(replace(self, id=one) for one in dict.fromkeys(ids) if one != self.id), self]

    @property
    def key(self) -> str:
        """By what pages find it again, among the results and the footage."""
        return self.name if self.swapped else f"{_FOOTAGE}{self.source.name}"


def find_film(app: App, film: Path | None = None) -> JudgedFilm:
    """The film, or without one the newest result. Raises StageError where there is none or it is none of convert's."""
    path = film or _newest(app)
    if path.suffix.lower() not in FILM_SUFFIXES:
        raise StageError(f"{path} is no video; people review .mp4, .mov or .mkv. Convert one: galloway convert")
    record = film_record(path)
    return JudgedFilm(path, str(record["sha256"]), footage_of(app, path, str(record["source"])), record)


def judged_films(app: App) -> Iterator[JudgedFilm]:
    """The results of this workspace about which people were asked and whose footage is there, the oldest first; those
    whose place another took, too."""
    asked = asked_films(app.workspace)
    for path in sorted(_films(app), key=lambda path: path.stat().st_mtime) if asked else ():
        with suppress(StageError):
            yield from (film for film in find_film(app, path).with_earlier() if film.id in asked)


def footage_film(source: Source) -> JudgedFilm:
    """Footage itself as people see it who paint what covers its faces."""
    return JudgedFilm(source.path, hashlib.sha256(f"covers|{source.sha256}".encode()).hexdigest(), source, {})


def footage_films(app: App) -> list[JudgedFilm]:
    """All videos of side A like that, in the order in which they came."""
    return [footage_film(source) for source in sources(app.workspace, Side.A) if source.kind == "video"]


def find_footage(app: App, key: str) -> JudgedFilm | None:
    """The footage of side A with that `key`, or None."""
    return next((film for film in footage_films(app) if film.key == key), None)


def painted_films(app: App) -> Iterator[JudgedFilm]:
    """The results and the footage about which people were asked, footage first."""
    asked = asked_films(app.workspace)
    yield from (film for film in footage_films(app) if film.id in asked)
    yield from judged_films(app)


def _films(app: App) -> list[Path]:
    folder = app.workspace.root / "results"
    return [path for path in films_in(folder) if path.suffix and found_beside(path).record.is_file()]


def _newest(app: App) -> Path:
    films = _films(app)
    if not films:
        raise StageError("No film was converted yet. First: galloway convert")
    return max(films, key=lambda path: path.stat().st_mtime)


def measured_film(app: App, film: JudgedFilm, progress: Progress = no_progress) -> list[FrameDoubt]:
    """What the measures say of each swapped frame; the film is measured where that was not done yet."""
    found = doubts_of(film)
    if found is None:
        measure_film(app, film.path, progress)
        found = doubts_of(film)
    assert found is not None, "measuring writes what it found"
    return found


def doubts_of(film: JudgedFilm) -> list[FrameDoubt] | None:
    """The same from the film's measures as they lie beside it; None where they are another film's, or older."""
    try:
        told = json_object(film.path.with_name(f"{film.name}.measures.json").read_bytes()) or {}
        if told.get("sha256") != film.id:
            return None
        return [FrameDoubt(int(frame), str(name), float(doubt)) for frame, name, doubt in told["by_frame"]]
    except (OSError, KeyError, TypeError, ValueError):
        return None
