"""Convert some frames of a film again; the others stay as they are in it, pixel for pixel but for the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...curation.spread import Spread
from ...curation.types import Progress, no_progress
from ..app import App
from ..engines.base import FrameRange
from ..engines.frames import open_source
from ..errors import StageError
from ..judging.film import JudgedFilm, find_film
from ..workspace.films import file_digest
from .convert import Again, Converted, ConvertOptions, convert
from .measure import LEFT_OUT

__all__ = ["reconvert"]


def reconvert(
    app: App,
    name: str | None,
    ranges: Sequence[FrameRange],
    *,
    leave: bool = False,
    spread: Spread | None = None,
    progress: Progress = no_progress,
) -> Converted:
    """Draw the frames of `ranges` of a film of results/ (None: the newest) anew with the choices that the film was made
    with, and the newest model unless one was named for it; with `leave` they are as the source has them.

    Drawing is what a conversion spends its time on, so this takes as long as the ranges ask for, and the time of
    reading and writing the film. Raises StageError where the film cannot be gone on with.
    """
    film = find_film(app, None if name is None else _of_results(app, name))
    _check(film, ranges)
    return convert(app, _options(film, tuple(ranges), leave), spread=spread, progress=progress)


def _of_results(app: App, name: str) -> Path:
    folder = app.workspace.root / "results"
    if name not in {path.name for path in folder.glob("*")}:
        raise StageError(f"There is no film {name!r} in {folder}. Look: galloway serve")
    return folder / name


def _check(film: JudgedFilm, ranges: Sequence[FrameRange]) -> None:
    whole = "Make it whole, once: galloway convert"
    if not {"swapped_frames", "settings", "frames"} <= film.record.keys():
        raise StageError(f"{film.name} was made by an earlier release, which did not note what is swapped. {whole}")
    if file_digest(film.path) != film.id:
        raise StageError(f"{film.name} was changed since it was made, so it is not gone on with. {whole}")
    frames = int(film.record["frames"])
    for span in ranges:
        if span.last > frames:
            raise StageError(f"{film.name} has {frames} frames; {span.first}-{span.last} is not in it.")
    if not ranges:
        raise StageError("Say which frames: galloway convert --again FIRST-LAST")


def _options(film: JudgedFilm, ranges: tuple[FrameRange, ...], leave: bool) -> ConvertOptions:
    """How the film was made, for the frames that are made anew."""
    settings: dict[str, Any] = dict(film.record["settings"])
    own = {
        key: settings.pop(key)
        for key in ("mask", "color", "codec", "crf", "preset", "fade", "model")
        if key in settings
    }
    again = Again(film.path, film.record, ranges, leave)
    label, mark = (str(film.record.get(key, "")) for key in ("label", "mark"))
    return ConvertOptions(
        source=film.source.name,
        output=film.path,
        ranges=again.drawn(),
        skip=again.skip(),
        no_label=label.removeprefix(LEFT_OUT) if label.startswith(LEFT_OUT) else "",
        no_mark=mark.removeprefix(LEFT_OUT) if mark.startswith(LEFT_OUT) else "",
        rate=open_source(film.path).rate,
        again=again,
        options={key: str(value) for key, value in settings.items()},
        **own,
    )
