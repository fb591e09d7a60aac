"""Which faces of side A people paint before anything is trained: those that votes call covered, few and unlike.

What covers them teaches the occlusion mask (see `painted`). A moment of footage is one frame, which is its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...curation.faceset.png.headers import read_png
from ...curation.faceset.png.types import FaceAlignment
from ...curation.types import Face, Side
from ..app import App
from ..engines.align import head_matrix, transform_points, warp
from ..engines.embedded.data import canvas_matrix
from ..engines.evenly import evenly
from ..errors import NothingToDo, StageError
from ..market.session import MarketTerms
from ..stages.train import called_covered
from ..wording import counted
from ..workspace.judged import Moment, swap_batches, swap_votes
from .film import JudgedFilm, footage_films
from .outcome import cover_masks
from .pictures import largest_faces
from .rounds import MARKS, Asked, SwapRound, begun_batches, per_page, quoted, waiting_moments
from .verdicts import MARKED, Page

__all__ = [
    "ENOUGH",
    "FEW",
    "Covered",
    "coarse",
    "covered_footage",
    "covered_of",
    "faces_to_paint",
    "footage_asked",
    "footage_to_paint",
    "plan_painting",
    "typical",
]

FEW, ENOUGH = 5, 12
"""So many painted faces bring most of it, and so many are asked (docs/embedded-engine.md has what they are worth)."""
_LOOKED_AT = 200
_SEEN_AT, _COARSE = 96, 12
"""Faces are told apart by pictures of 12 x 12 pixels of what is drawn of them. By the whole crops, with what is behind
the head, five of the singer's missed a shot, and nothing before the faces of that shot was found."""


@dataclass(frozen=True, slots=True)
class Covered:
    """Of footage `film`: its `faces` that votes call covered, how many of them were shown to be painted, and how many
    faces are `painted`."""

    film: JudgedFilm
    faces: tuple[Face, ...]
    shown: int
    painted: int

    @property
    def lacking(self) -> int:
        """How many are worth painting yet."""
        return max(0, min(ENOUGH - self.painted, len(self.faces) - self.shown))

    @property
    def urgent(self) -> bool:
        """Whether training would learn much from some more."""
        return self.lacking > 0 and self.painted < FEW


def covered_footage(app: App) -> list[Covered]:
    """All videos of side A of which faces are called covered, that with most to paint first."""
    called = called_covered(app)
    found = [covered_of(app, film, called) for film in footage_films(app)] if called else []
    return sorted((item for item in found if item.faces), key=lambda item: (-item.lacking, -len(item.faces)))


def covered_of(app: App, film: JudgedFilm, called: Sequence[Face] | None = None) -> Covered:
    """What is called covered and what is painted of one footage; `called` are all such faces, where they are known."""
    faces = tuple(
        face
        for face in (called_covered(app) if called is None else called)
        if face.side is Side.A and face.source == film.source.name and face.frame_number
    )
    shown = _shown(app, film)
    return Covered(
        film,
        faces,
        sum(face.frame_number in shown for face in faces),
        sum(bool(item.mask.any()) for item in cover_masks(app, film)),
    )


def _shown(app: App, film: JudgedFilm) -> set[int]:
    """The frames of which somebody painted the face, or said that nothing covers it or that it cannot be told."""
    return {vote.moment for vote in swap_votes(app.workspace, film.id) if vote.label == MARKED}


def footage_asked(app: App, market: str, name: str = "") -> list[JudgedFilm]:
    """The footage, of that name or all, of which faces were sent to this market (a state key) to be painted.

    Raises StageError for an unknown name, NothingToDo where nothing was sent."""
    films = [footage_to_paint(app, name)] if name else footage_films(app)
    found = [film for film in films if swap_batches(app.workspace, film=film.id, market=market)]
    if not found:
        raise NothingToDo("No face was sent to this market to be painted. First: galloway paint publish")
    return found


def footage_to_paint(app: App, name: str = "") -> JudgedFilm:
    """The footage of that name, or that with most faces to paint. Raises StageError where there is none."""
    if name:
        films = {film.source.name: film for film in footage_films(app)}
        if name in films:
            return films[name]
        known = ", ".join(films) or "none"
        raise StageError(f"Side A has no video {name}. Its videos: {known}")
    found = covered_footage(app)
    if not found:
        raise NothingToDo(
            "No face of side A's videos is called covered, so there is nothing to paint. Who reviews faces says "
            "“covered” of one: galloway review, or galloway publish"
        )
    return found[0].film


def faces_to_paint(app: App, film: JudgedFilm) -> list[Moment]:
    """The frames whose face is to be painted next, what is most typical first; no more than are worth it.

    Only the largest face of a frame can be painted. Raises NothingToDo where enough is painted, or nothing covered.
    """
    covered = covered_of(app, film)
    if not covered.faces:
        raise NothingToDo(f"No face of {film.name} is called covered, so there is nothing to paint.")
    largest = largest_faces(app, film)
    faces = [face for face in covered.faces if _box(largest.get(face.frame_number or 0)) == face.box]
    shown = _shown(app, film)
    left = [n for n, face in enumerate(faces) if face.frame_number not in shown]
    count = min(covered.lacking, len(left))
    if not count:
        why = "that is enough to learn from" if covered.painted >= ENOUGH else "the others were shown, too"
        raise NothingToDo(
            f"{covered.painted} of {counted(len(covered.faces), 'face')} of {film.name} that are called covered are "
            f"painted; {why}. Next: galloway train"
        )
    few = sorted({*evenly(len(faces), _LOOKED_AT).tolist(), *left[:count]})
    pictures = np.stack([coarse(app.workspace.face_path(Side.A, faces[n].name)) for n in few])
    before = [place for place, n in enumerate(few) if n not in left]
    chosen = typical(pictures, count, before)
    return [Moment(frame, frame, frame, "") for frame in (faces[few[place]].frame_number or 0 for place in chosen)]


def _box(face: FaceAlignment | None) -> tuple[int, int, int, int] | None:
    return None if face is None else (face.x, face.y, face.w, face.h)


def coarse(face: Path) -> NDArray[np.float64]:
    """What a face amounts to where faces are told apart: its canvas in _COARSE squares, (432,), from 0 to 255."""
    header, picture = read_png(face)
    marks = transform_points(head_matrix(header.alignment.landmarks, len(picture)), header.alignment.landmarks)
    canvas = warp(picture, canvas_matrix(marks, _SEEN_AT), _SEEN_AT)
    small = Image.fromarray(canvas).resize((_COARSE, _COARSE), Image.Resampling.BOX)
    return np.asarray(small, np.float64).ravel()


def typical(
    points: NDArray[np.float64], count: int, before: Sequence[int] = (), among: Sequence[int] | None = None
) -> list[int]:
    """`count` rows of `points` (n, d), `among` some or all, that with those `before` leave the least distance from all
    to the nearest of them: one after another, the best first (greedy k-medoids, the facility location of Nemhauser et
    al. 1978)."""
    far = np.linalg.norm(points[:, None] - points[None], axis=2)
    near = far[:, list(before)].min(axis=1) if before else np.full(len(points), far.max() + 1)
    chosen: list[int] = []
    free = sorted(set(range(len(points)) if among is None else among) - set(before))
    for _ in range(min(count, len(free))):
        left = np.minimum(near[:, None], far[:, free]).sum(axis=0)
        best = free.pop(int(np.argmin(left)))
        near = np.minimum(near, far[:, best])
        chosen.append(best)
    return chosen


def plan_painting(app: App, terms: MarketTerms, film: JudgedFilm) -> SwapRound:
    """What to have painted of the footage now, each face by MARKS people. Nothing is written.

    Raises NothingToDo where enough is painted or on open pages.
    """
    state_key = terms.market.state_key
    resumed = begun_batches(app, state_key, film)
    sizes = {page: per_page(app, page) for page in Page}
    asked = [] if resumed else list(_painting(app, state_key, film))
    quotes = quoted(app, terms, resumed, asked, sizes)
    moments = tuple(moment for item in asked for moment in item.moments)
    return SwapRound(film, moments, (), tuple(asked), quotes, resumed, sizes)


def _painting(app: App, state_key: str, film: JudgedFilm) -> Iterator[Asked]:
    waiting = waiting_moments(app, state_key, film.id)
    if waiting:
        raise NothingToDo("The faces that are worth painting are on open pages. Next: galloway paint collect")
    yield Asked(Page.SCRIBBLE, tuple(faces_to_paint(app, film)), MARKS, 1)
