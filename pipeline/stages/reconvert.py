"""Go on with a film that was made: some of its frames anew, while the others stay as they are in it, pixel for pixel
but for the encoder; or all of it, without what people said does not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...curation.spread import Spread
from ...curation.types import Progress, no_progress
from ..app import App
from ..engines.base import FrameRange, frames_in, spans
from ..engines.frames import open_source
from ..errors import StageError
from ..judging.film import JudgedFilm, find_film
from ..workspace.films import file_digest
from .convert import Converted, convert
from .convert_options import Again, ConvertOptions
from .measure import left_out, noted_ranges

__all__ = ["convert_approved", "reconvert"]


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


def convert_approved(
    app: App,
    name: str | None,
    given: Mapping[str, Any],
    *,
    spread: Spread | None = None,
    progress: Progress = no_progress,
) -> Converted:
    """Make a film of results/ (None: the newest) as it was made, with the newest model unless one was named for it;
    what people said does not hold keeps its own pixels. `given` are choices of `ConvertOptions` that stand instead of
    the film's.

    Raises what `convert` raises.
    """
    film = find_film(app, None if name is None else _of_results(app, name))
    made = _as_made(film)
    # A film that was made without soft cuts has had none to choose.
    chosen = replace(made, approved=True, fade=made.fade or None)
    return convert(app, replace(chosen, **given), spread=spread, progress=progress)


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
    again = Again(film.path, film.record, ranges, leave)
    return replace(_as_made(film), ranges=again.drawn(), skip=again.skip(), again=again)


def _as_made(film: JudgedFilm) -> ConvertOptions:
    """The choices that the film was made with, but for what people left of it."""
    settings: dict[str, Any] = dict(film.record.get("settings") or {})
    own = {
        key: settings.pop(key)
        for key in ("mask", "color", "codec", "crf", "preset", "fade", "model")
        if key in settings
    }
    people = frames_in(noted_ranges(film.record.get("where") or {}, "left"))
    left = frames_in(noted_ranges(film.record, "skip")) - people
    return ConvertOptions(
        source=film.source.name,
        output=film.path,
        ranges=noted_ranges(film.record, "ranges"),
        skip=spans(number for number in sorted(left) if number <= int(film.record.get("frames", number))),
        no_label=left_out(film.record, "label"),
        no_mark=left_out(film.record, "mark"),
        rate=open_source(film.path).rate if film.source.path.is_dir() else None,
        options={key: str(value) for key, value in settings.items()},
        **own,
    )
