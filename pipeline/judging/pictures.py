"""What reviewers look at: the face before and after, as two pictures or a loop of both, kept as the market's media."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...curation.faceset.png.types import FaceAlignment
from ...curation.types import Progress, Side, no_progress
from ..app import App
from ..engines.base import EngineError
from ..engines.encodings import SIDE_BY_SIDE
from ..engines.film import VideoWriter
from ..engines.frames import RGB, open_source
from ..market.media import body_key, keep_body
from ..stages.masking import standing_alignments
from ..video.numbers import numbers_of
from ..workspace.judged import Moment, swap_batches, swap_tiles
from .film import JudgedFilm
from .verdicts import Page

__all__ = ["Area", "Scribbled", "asked_to_paint", "largest_faces", "scribbled_on", "show_moments"]

PIXELS = 360
"""The longer side of a picture as it is shown; two of them stand beside each other."""
_ROOM = 1.9
"""How much more than the face is shown: a border that shows is judged by what is around it."""
_GAP = 8

Area = tuple[int, int, int, int]
"""Left, top, right, bottom of a part of a frame, in its pixels."""


@dataclass(frozen=True, slots=True)
class Scribbled:
    """The picture on which people paint in a moment: its `frame`, the `area` of it, its hosting `key`, and the face."""

    frame: int
    area: Area
    key: str
    face: FaceAlignment


@dataclass
class _Shot:
    """What is gathered of one moment while the films are read."""

    moment: Moment
    page: Page
    area: Area
    still: int
    before: list[RGB] = field(default_factory=list)
    after: list[RGB] = field(default_factory=list)


def show_moments(
    app: App,
    film: JudgedFilm,
    pages: Mapping[Moment, Page],
    worst: Mapping[int, int],
    progress: Progress = no_progress,
) -> dict[int, tuple[str, ...]]:
    """The hosting keys of each moment's pictures, by its number: before and after for `compare`, one loop for `clip`,
    before alone for `scribble`. `worst` gives the frame that a still shows, by moment; else the middle one.

    Both films are read once. Raises EngineError where they do not fit.
    """
    source, other = open_source(film.source.path), open_source(film.path)
    boxes = _boxes(largest_faces(app, film))
    shots = [
        _Shot(moment, page, _area(boxes, moment, (source.width, source.height)), worst.get(moment.number, _mid(moment)))
        for moment, page in sorted(pages.items(), key=lambda item: item[0].first)
    ]
    last = max((shot.moment.last for shot in shots), default=0)
    after, kept = other.read(), {}
    for frame in source.read():
        if frame.number > last:
            break
        made = next(after, None)
        if made is None:
            raise EngineError(f"{film.name} ends before frame {frame.number} of {film.source.name}. Convert again.")
        progress("pictures", frame.number, last)
        for shot in _wanting(shots, frame.number):
            shot.before.append(_shown(frame.image, shot.area))
            if shot.page is not Page.SCRIBBLE:
                shot.after.append(_shown(made.image, shot.area))
            if frame.number == (shot.moment.last if shot.page is Page.CLIP else shot.still):
                kept[shot.moment.number] = _kept(app, shot, source.rate)
                shot.before, shot.after = [], []
    if missing := next((shot for shot in shots if shot.moment.number not in kept), None):
        raise EngineError(f"{film.source.name} ends before frame {missing.still}, which the review is to show.")
    return kept


def scribbled_on(app: App, film: JudgedFilm, moments: Sequence[Moment]) -> dict[int, Scribbled]:
    """The pictures for `scribble` as `show_moments` would make them of these moments now, by moment; none is kept.
    Moments without a face in their frame are left out."""
    source, faces = open_source(film.source.path), largest_faces(app, film)
    boxes = _boxes(faces)
    wanted = {_mid(moment): moment for moment in moments if _mid(moment) in faces}
    found = {}
    for frame in source.read():
        if frame.number > max(wanted, default=0):
            break
        if moment := wanted.get(frame.number):
            area = _area(boxes, moment, (source.width, source.height))
            key = body_key(_jpeg(_shown(frame.image, area)))
            found[moment.number] = Scribbled(frame.number, area, key, faces[frame.number])
    return found


def asked_to_paint(app: App, film: JudgedFilm) -> Iterator[tuple[int, str]]:
    """Every picture of the film that stands on a page to paint on: its moment's number, and its hosting key."""
    for batch in swap_batches(app.workspace, film=film.id):
        if batch.page == Page.SCRIBBLE:
            for tiles in swap_tiles(app.workspace, batch.key).values():
                yield from ((tile.moment, key) for tile in tiles.values() for key in tile.media)


def _mid(moment: Moment) -> int:
    return (moment.first + moment.last) // 2


def _wanting(shots: list[_Shot], number: int) -> Iterator[_Shot]:
    for shot in shots:
        if shot.page is Page.CLIP:
            if shot.moment.first <= number <= shot.moment.last:
                yield shot
        elif number == shot.still:
            yield shot


def largest_faces(app: App, film: JudgedFilm) -> dict[int, FaceAlignment]:
    """The largest face of each frame that is not masked out, by frame number."""
    path = app.workspace.alignments_dir(Side.A) / f"{film.source.name}_alignments.fsa"
    frames = standing_alignments(app, film.source, path).frames
    return {
        number: face
        for name, number in numbers_of(frames, film.source.path).items()
        if (face := frames[name].largest) is not None
    }


def _boxes(faces: Mapping[int, FaceAlignment]) -> dict[int, NDArray[np.float64]]:
    """Where they are: left, top, right, bottom."""
    return {
        number: np.array([face.x, face.y, face.x + face.w, face.y + face.h], np.float64)
        for number, face in faces.items()
    }


def _area(boxes: Mapping[int, NDArray[np.float64]], moment: Moment, size: tuple[int, int]) -> Area:
    """The part of the frame that holds the face through the whole moment, with some room."""
    seen = [boxes[number] for number in range(moment.first, moment.last + 1) if number in boxes]
    if not seen:
        return 0, 0, *size
    both = np.stack(seen)
    low, high = both[:, :2].min(axis=0), both[:, 2:].max(axis=0)
    side = float((both[:, 2:] - both[:, :2]).max()) * (_ROOM - 1) + float((high - low).max())
    middle = (low + high) / 2
    edges = []
    for place, most in zip(middle, size, strict=True):
        wide = min(round(side), most)
        start = min(max(0, round(place - wide / 2)), most - wide)
        edges.append((start, start + wide))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]


def _shown(picture: RGB, area: Area) -> RGB:
    left, top, right, bottom = area
    scale = PIXELS / max(right - left, bottom - top)
    size = tuple(max(2, round((high - low) * scale) // 2 * 2) for low, high in ((left, right), (top, bottom)))
    part = Image.fromarray(np.ascontiguousarray(picture[top:bottom, left:right]))
    return np.asarray(part.resize((size[0], size[1]), Image.Resampling.BICUBIC))


def _kept(app: App, shot: _Shot, rate: Fraction) -> tuple[str, ...]:
    name = f"frames {shot.moment.first}-{shot.moment.last}"
    if shot.page is Page.CLIP:
        return (keep_body(app.workspace, _loop(shot, rate), name),)
    pictures = [shot.before[0], *shot.after[:1]]
    return tuple(keep_body(app.workspace, _jpeg(picture), name) for picture in pictures)


def _jpeg(picture: RGB) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=92)
    return out.getvalue()


def _loop(shot: _Shot, rate: Fraction) -> bytes:
    """An mp4 without sound, the original on the left and the swapped film on the right."""
    height, width = shot.before[0].shape[:2]
    gap = np.full((height, _GAP, 3), 255, np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "loop.mp4"
        with VideoWriter(path, width=2 * width + _GAP, height=height, rate=rate, encoding=SIDE_BY_SIDE) as writer:
            for before, after in zip(shot.before, shot.after, strict=True):
                writer.write(np.concatenate([before, gap, after], axis=1))
        return path.read_bytes()
