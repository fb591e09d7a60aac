"""Look at a film before and after its faces were swapped: landmarks, pixels and embeddings of every face.

Landmarks are found in both films by the same predictor from the same square, so that an untouched face differs by
nothing but what encoding did to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...curation.faceset.png.headers import read_png
from ...curation.faceset.png.types import FaceAlignment, FrameFaces
from ...curation.screen.embed import DlibEmbedder
from ...curation.types import Progress
from ..engines.align import head_matrix, transform_points, warp
from ..engines.base import EngineError
from ..engines.embedded.detect import Box, FaceFinder
from ..engines.evenly import evenly
from ..engines.frames import Frame, Source
from .border import surface
from .values import Doubles, People, SeenFace

__all__ = ["Embedding", "dlib_embedding", "look", "people_of", "person_of", "seen_face"]

MOST_EMBEDDED = 300
"""About so many faces of a film are embedded, as an embedding takes as long as all else: the first of each unbroken run
of frames, and others at equal distances after it."""
FACES_OF_A_PERSON = 60
_HEAD = 256

Picture = NDArray[np.uint8]


class Embedding(Protocol):
    """A face's numbers: a picture and the face's landmarks in it give a vector."""

    def __call__(self, pixels: Picture, landmarks: NDArray[np.float32]) -> Doubles: ...


def dlib_embedding(pixels: Picture, landmarks: NDArray[np.float32]) -> Doubles:
    """The open embedding that screening uses, (128,)."""
    return np.asarray(DlibEmbedder()(pixels, landmarks).vector, np.float64)


def look(
    before: Source,
    after: Source,
    faces: Mapping[str, FrameFaces],
    progress: Progress,
    *,
    embed: Embedding = dlib_embedding,
) -> list[SeenFace]:
    """The largest swapped face of each frame, in order; not all are embedded (MOST_EMBEDDED). `faces` are the
    alignments' frames by name.

    Raises EngineError where the films are of other sizes or one ends before the other.
    """
    if max(abs(before.width - after.width), abs(before.height - after.height)) > 1:
        raise EngineError(
            f"{after.path.name} is {after.width}x{after.height} and {before.path.name} {before.width}x{before.height}: "
            "it was not made of it. Name the film that convert wrote."
        )
    finder = FaceFinder(threads=1)
    every = max(1, len(faces) // MOST_EMBEDDED)
    seen: list[SeenFace] = []
    run = 0
    for frame, picture in _beside(before, after):
        progress("measured", frame.number, before.frames)
        largest = faces[frame.name].largest if frame.name in faces else None
        if largest is None:
            continue
        face = seen_face(finder, frame.number, (frame.image, picture), _box(largest), None)
        run = run + 1 if seen and face.follows(seen[-1]) else 0
        seen.append(face if run % every else _embedded(face, (frame.image, picture), embed))
    return seen


def _beside(before: Source, after: Source) -> Iterator[tuple[Frame, Picture]]:
    second = after.read()
    for frame in before.read():
        other = next(second, None)
        if other is None:
            raise EngineError(
                f"{after.path.name} ends before frame {frame.number} of {before.path.name}. Convert again."
            )
        height, width = frame.image.shape[:2]
        yield frame, other.image[:height, :width]


def _box(face: FaceAlignment) -> Box:
    x, y, width, height = face.box
    return float(x), float(y), float(x + width), float(y + height)


def seen_face(
    finder: FaceFinder, number: int, pictures: tuple[Picture, Picture], box: Box, embed: Embedding | None
) -> SeenFace:
    """One face at `box`, in the frame before and after; embedded where `embed` is given."""
    before, after = (np.ascontiguousarray(picture) for picture in pictures)
    points, found = (np.asarray(finder.landmarks(picture, box), np.float64) for picture in (before, after))
    face = SeenFace(number, points, found, surface(before, after, points))
    return face if embed is None else _embedded(face, (before, after), embed)


def _embedded(face: SeenFace, pictures: tuple[Picture, Picture], embed: Embedding) -> SeenFace:
    before, after = (np.ascontiguousarray(picture) for picture in pictures)
    return replace(face, vector=_vector(embed, after, face.after), vector_before=_vector(embed, before, face.before))


def _vector(embed: Embedding, picture: Picture, points: Doubles) -> Doubles:
    matrix = head_matrix(points, _HEAD)
    return embed(warp(picture, matrix, _HEAD), np.asarray(transform_points(matrix, points), np.float32))


def people_of(seen: Sequence[SeenFace], b: Doubles) -> People:
    """A as the film showed them before, and B's own embeddings (n, d)."""
    return People(np.stack([face.vector_before for face in seen if face.vector_before is not None]), b)


def person_of(folder: Path, embed: Embedding = dlib_embedding) -> Doubles:
    """Embeddings (n, d) of a faceset's faces, FACES_OF_A_PERSON of them spread evenly.

    Raises EngineError where the folder holds none.
    """
    paths = sorted(folder.glob("*.png"))
    if not paths:
        raise EngineError(f"{folder} holds no faces to compare with. Merge side B first: galloway merge --side b")
    chosen = evenly(len(paths), FACES_OF_A_PERSON)
    vectors = []
    for place in chosen:
        header, pixels = read_png(paths[place])
        landmarks = header.alignment.landmarks
        matrix = head_matrix(landmarks, pixels.shape[0])
        vectors.append(_vector(embed, pixels, transform_points(matrix, landmarks)))
    return np.stack(vectors)
