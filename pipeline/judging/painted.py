"""What people painted over faces of a film, as training learns it: which face of side A, and what covers its canvas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...curation.types import Side
from ..app import App
from ..engines.align import warp
from ..engines.embedded.data import canvas_matrix, composed
from ..errors import StageError
from ..video.numbers import numbers_of
from ..workspace.judged import moments_of
from .film import JudgedFilm, painted_films
from .outcome import CoverMask, cover_masks
from .pages import GRID
from .pictures import Scribbled, asked_to_paint, scribbled_on

__all__ = ["painted_faces"]

_SIDE = 96
"""Cells of a mask over a face's canvas, across and down."""


def painted_faces(app: App, tell: Callable[[str], None]) -> dict[str, str]:
    """Masks by the file name of the face, as `TrainRequest.painted` has them; `tell` gets what was left out, and why.

    Marks are of use only on the very picture that people saw: where the footage or its faces changed since, they are
    left out.
    """
    found: dict[str, str] = {}
    for film in painted_films(app):
        try:
            found |= _of_film(app, film, tell)
        except StageError as error:
            tell(f"What people painted over {film.name} is not learnt: {error}")
    return found


def _of_film(app: App, film: JudgedFilm, tell: Callable[[str], None]) -> dict[str, str]:
    masks = [item for item in cover_masks(app, film) if item.mask.any()]
    if not masks:
        return {}
    moments = {(moment.first, moment.last): moment for moment in moments_of(app.workspace, film.id)}
    seen = scribbled_on(app, film, [moments[item.first, item.last] for item in masks])
    shown = {key for _, key in asked_to_paint(app, film)}
    there = [face for face in app.store.faces(Side.A) if face.source == film.source.name]
    numbers = numbers_of({face.source_name for face in there}, film.source.path)
    faces = {(numbers.get(face.source_name), face.box): face.name for face in there}
    found, stale = {}, 0
    for item in masks:
        picture = seen.get(moments[item.first, item.last].number)
        name = None if picture is None else faces.get((picture.frame, picture.face.box))
        if picture is None or name is None or picture.key not in shown:
            stale += 1
            continue
        found[name] = _on_canvas(item, picture)
    if stale:
        tell(
            f"{stale} of {len(masks)} painted pictures of {film.name} are not learnt: the footage or its faces are not "
            "what they were when people painted."
        )
    return found


def _on_canvas(item: CoverMask, picture: Scribbled) -> str:
    left, top, right, bottom = picture.area
    cells = np.array([[(right - left) / GRID, 0, left], [0, (bottom - top) / GRID, top]])
    matrix = composed(canvas_matrix(picture.face.landmarks.astype(np.float64), _SIDE), cells)
    drawn = warp(np.repeat(item.mask[..., None] * np.uint8(255), 3, axis=2), matrix, _SIDE)
    return np.packbits(drawn[..., 0] > 127).tobytes().hex()
