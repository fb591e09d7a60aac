"""What draws the other person's face into frames, by the model and the alignments of one conversion."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

from ....curation.errors import FacesetError
from ....curation.faceset.fsa.alignments import read_alignments
from ....curation.faceset.png.types import FaceAlignment
from ....curation.screen.gaze import gaze_in
from ...video.numbers import numbers_of
from ...wording import typed
from ..align import Points, face_matrix, transform_points, warped_picture
from ..base import ConvertRequest, EngineError
from ..frames import Change, Frame, Part, Source
from ..pixels import mixed
from .areas import areas
from .blend import blend
from .data import MARGIN, canvas_matrix
from .model import SwapModel
from .occlusion.learn import trusted
from .occlusion.net import OcclusionNet
from .occlusion.seen import mostly_hidden, seen_of
from .pieces import Piece
from .steady import steadied
from .store import ModelState, load_model

__all__ = ["AT_ONCE", "Swapped", "Swapper", "prepare"]

AT_ONCE = 8
"""Frames whose faces are drawn together."""

Picture = NDArray[np.uint8]


@dataclass
class Swapped:
    """What is new in a frame, and whether most of a face in it is `hidden`."""

    parts: list[Part] = field(default_factory=list)
    hidden: bool = False


@dataclass
class Swapper:
    """Swaps the faces of frames, and keeps count: the `numbers` of those with a change, and of those among them in
    which most of a face is `hidden`."""

    request: ConvertRequest
    saved: tuple[ModelState, dict[str, NDArray[Any]]]
    faces: dict[str, list[FaceAlignment]]
    occlusion: OcclusionNet | None = None
    side: str = "a"
    drawn_as: str = "b"
    numbers: list[int] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)

    @cached_property
    def model(self) -> SwapModel:
        """The model, which is not built where workers draw."""
        state, arrays = self.saved
        model = SwapModel(state.kind, state.size, state.seed, to_train=False)
        model.from_arrays(arrays)
        model.towards(self.side, self.drawn_as)  # worked out before threads share it
        return model

    def changes(self, frames: Iterator[Frame]) -> Iterator[tuple[Frame, Change]]:
        """Every frame in order, with its parts that were swapped; some frames at once, and those on every core."""
        waiting: deque[tuple[list[Frame], Future[list[tuple[Change, bool]]]]] = deque()
        cores = os.cpu_count() or 1
        _ = self.model  # built before threads share it
        # Every core has frames of its own; linear algebra that spread over all of them would only wait.
        with threadpool_limits(1), _settled(), ThreadPoolExecutor(cores) as pool:
            while batch := list(islice(frames, AT_ONCE)):
                waiting.append((batch, pool.submit(self._changed, batch)))
                if len(waiting) > cores:
                    yield from self._done(*waiting.popleft())
            while waiting:
                yield from self._done(*waiting.popleft())

    def _done(self, batch: list[Frame], made: Future[list[tuple[Change, bool]]]) -> Iterator[tuple[Frame, Change]]:
        for frame, (change, hidden) in zip(batch, made.result(), strict=True):
            yield frame, self.noted(frame, change, hidden)

    def noted(self, frame: Frame, change: Change, hidden: bool) -> Change:
        """A frame's change, which is counted where there is any."""
        if change is not None:
            self.numbers.append(frame.number)
            if hidden:
                self.hidden.append(frame.number)
        return change

    def _changed(self, frames: list[Frame]) -> list[tuple[Change, bool]]:
        made = zip(frames, self.drawn(frames), strict=True)
        return [(self.put(frame, new.parts), new.hidden) for frame, new in made]

    def put(self, frame: Frame, parts: list[Part]) -> Change:
        """What becomes of a frame with these parts."""
        return frame.with_parts(parts, picture=not self.request.output.suffix) if parts else None

    def of(self, number: int, name: str) -> list[FaceAlignment]:
        """The faces of a frame that are swapped."""
        return self.faces.get(name, []) if _wanted(self.request, number) else []

    def drawn(self, frames: list[Frame]) -> list[Swapped]:
        """What is new in each frame; the faces of all are drawn at once."""
        chosen = [self.of(frame.number, frame.name) for frame in frames]
        places = [
            (place, area, inside)
            for place, (frame, faces) in enumerate(zip(frames, chosen, strict=True))
            for area, inside in areas(faces, frame.size)
        ]
        new = [Swapped() for _ in frames]
        if not places:
            return new
        canvas = round(self.model.size * MARGIN)
        pictures = [frames[place].part(*area) for place, area, _ in places]
        marks = [[face.landmarks - np.array(area[:2]) for face in inside] for _, area, inside in places]
        onto = [[canvas_matrix(points, canvas) for points in group] for group in marks]
        images = [
            warped_picture(whole, m, (canvas, canvas))
            for whole, group in zip(map(Image.fromarray, pictures), onto, strict=True)
            for m in group
        ]
        shapes = [
            transform_points(m, points)
            for group, matrices in zip(marks, onto, strict=True)
            for points, m in zip(group, matrices, strict=True)
        ]
        gazes = np.stack([gaze_in(picture, m) for picture, group in zip(pictures, marks, strict=True) for m in group])
        made = self.model.swap(np.stack(images), np.stack(shapes), self.side, self.drawn_as, gazes)
        drawn = zip(made.pictures, made.pieces, strict=True)
        moments = [frames[place].number for place, _, _ in places]
        bare = seen_of(self.occlusion, pictures, marks, self.model.drawn, "ab".index(self.side), moments)
        hidden, seen = mostly_hidden(bare, marks), iter(bare)
        if made.uncovered is not None:
            seen = map(_both, made.uncovered, seen)
        for (place, area, _), picture, group, covered in zip(places, pictures, marks, hidden, strict=True):
            after = self._put(picture, [(points, *next(drawn), next(seen)) for points in group])
            after = mixed(picture, after, self.request.share_at(frames[place].number))
            new[place].parts.append(Part(area[0], area[1], picture, after))
            new[place].hidden |= covered
        return new

    def _put(self, before: Picture, faces: list[tuple[Points, Picture, tuple[Piece, ...], Picture | None]]) -> Picture:
        """The picture with these faces drawn into it, at their landmarks, where they are seen."""
        picture, size = before, self.model.drawn
        for landmarks, drawn, pieces, seen in faces:
            matrix = face_matrix(landmarks, size)
            picture = blend(
                picture, np.ascontiguousarray(drawn[..., :3]), matrix, landmarks, mask=self.request.mask,
                colour=self.request.color, face=np.ascontiguousarray(drawn[..., 3]), seen=seen, pieces=pieces,
                sharp_as=before,
            )  # fmt: skip
        return picture


def _both(one: Picture, other: Picture | None) -> Picture:
    """Where nothing of one kind nor of another lies before a face."""
    return one if other is None else np.minimum(one, other)


@contextmanager
def _settled() -> Iterator[None]:
    """What is loaded stays loaded: Python looks for garbage in what is made from here on, not in all of TensorFlow's
    objects again and again, which takes a tenth of the time."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def prepare(request: ConvertRequest, source: Source) -> Swapper:
    """What swaps the faces of a source. Raises EngineError where there is no model, where the alignments are of another
    source, and where no face is to be swapped."""
    saved = load_model(request.model_dir, drawing=True)
    if saved is None:
        raise EngineError(f"{request.model_dir} holds no trained model. Train one: galloway train")
    faces = _steadied(_faces(request, source), source)
    occlusion = trusted(request.model_dir) if request.options.get("occlusion") != "no" else None
    ways = request.options.get("side", "a"), request.options.get("draw", "b")
    if request.kept is None and not any(_wanted(request, n) for n in numbers_of(faces, source.path).values()):
        raise EngineError(
            f"No approved face of {request.alignments.name} lies in the chosen frames of {source.path.name}. "
            "Choose other frames, or look at the alignments: galloway faceset verify --side a. Whether regions "
            f"mask faces out: galloway source mask --side a {typed(source.path.stem)}"
        )
    return Swapper(request, saved, faces, occlusion, *ways)


def _faces(request: ConvertRequest, source: Source) -> dict[str, list[FaceAlignment]]:
    try:
        frames = read_alignments(request.alignments).frames
    except FacesetError as error:
        raise EngineError(f"{request.alignments} cannot be used: {error}") from error
    faces = {name: frame.faces for name, frame in frames.items() if frame.faces}
    prefix = f"{source.path.stem}_"
    if source.is_video and faces and not any(name.startswith(prefix) for name in faces):
        raise EngineError(
            f"{request.alignments.name} belongs to another source: it knows {min(faces)}, "
            f"{source.path.name} has {source.frame_name(1)}. Extract this one: galloway extract"
        )
    for name, found in faces.items():
        if any(face.landmarks.shape != (68, 2) for face in found):
            raise EngineError(f"{request.alignments.name} has faces without 68 landmarks in {name}. Extract it again.")
    return faces


def _wanted(request: ConvertRequest, number: int) -> bool:
    chosen = not request.ranges or any(number in part for part in request.ranges)
    return chosen and not any(number in part for part in request.skip)


def _steadied(faces: dict[str, list[FaceAlignment]], source: Source) -> dict[str, list[FaceAlignment]]:
    """The same faces with landmarks that do not tremble from frame to frame."""
    numbers = numbers_of(faces, source.path)
    smooth = steadied({number: faces[name] for name, number in numbers.items()})
    return {**faces, **{name: smooth[number] for name, number in numbers.items()}}
