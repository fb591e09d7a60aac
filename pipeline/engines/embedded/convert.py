"""Conversion: the faces of the approved alignments swapped, everything else as it was, sound and timing kept.

The mp4, the side-by-side video and the contact sheet are each written beside their targets and renamed when they are
whole, so a run that was killed leaves nothing broken and is simply run again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ....curation.errors import FacesetError
from ....curation.faceset.fsa.alignments import read_alignments
from ....curation.faceset.png.types import FaceAlignment
from ....curation.types import Progress
from ..align import face_matrix, transform_points, warp
from ..base import ConvertRequest, ConvertResult, EngineError, check_options
from ..disclosure import METADATA
from ..encodings import chosen_encoding
from ..film import rewrite
from ..frames import Frame, Source, open_source
from ..preview import contact_sheet, save_picture
from .blend import COLOURS, MASKS, blend, match_sharpness
from .data import MARGIN, canvas_matrix
from .look import DETAIL
from .model import SwapModel
from .steady import steadied
from .store import load_model

__all__ = ["convert"]

SHEET_FRAMES = 8

Picture = NDArray[np.uint8]


@dataclass
class _Swapper:
    """Swaps the faces of frames, and keeps count and samples."""

    request: ConvertRequest
    model: SwapModel
    faces: dict[str, list[FaceAlignment]]
    samples: frozenset[int]
    side: str = "a"
    drawn_as: str = "b"
    swapped: int = 0
    face_count: int = 0
    pairs: list[tuple[int, Picture, Picture]] = field(default_factory=list)

    def change(self, frame: Frame) -> Picture | None:
        """The frame with its faces swapped, None where it has none to swap."""
        faces = self.faces.get(frame.name, [])
        if not faces or not _wanted(self.request, frame.number):
            return None
        picture = self._swap(frame.image, faces)
        self.swapped += 1
        self.face_count += len(faces)
        if frame.number in self.samples:
            self.pairs.append((frame.number, frame.image, picture))
        return picture

    def _swap(self, picture: Picture, faces: list[FaceAlignment]) -> Picture:
        canvas, size = round(self.model.size * MARGIN), self.model.size * DETAIL
        onto = [canvas_matrix(face.landmarks, canvas) for face in faces]
        images = np.stack([warp(picture, matrix, canvas) for matrix in onto])
        shapes = np.stack([transform_points(m, face.landmarks) for m, face in zip(onto, faces, strict=True)])
        drawn = self.model.swap(images, shapes, self.side, self.drawn_as)
        drawn_bytes = np.clip(drawn * 255 + 0.5, 0, 255).astype(np.uint8)
        before = picture
        for face, sharp in zip(faces, drawn_bytes, strict=True):
            matrix = face_matrix(face.landmarks, size)
            new = match_sharpness(np.ascontiguousarray(sharp[..., :3]), warp(before, matrix, size))
            picture = blend(
                picture,
                new,
                matrix,
                face.landmarks,
                mask=self.request.mask,
                colour=self.request.color,
                face=sharp[..., 3],
            )
        return picture


def convert(request: ConvertRequest, progress: Progress) -> ConvertResult:
    """Swap the faces of `request.source`; see `ConvertRequest`.

    `options["side"]` says whose faces the source shows, "a" (the default) or "b", and `options["draw"]` whose are
    drawn, "b" (the default) or "a": with both the same, a person is drawn again as a check of the model.
    Raises EngineError where there is no model, where the alignments belong to another source, where an option is
    unknown or where the source breaks off; `output` is then as it was before.
    """
    _check_options(request)
    encoding = chosen_encoding(request.codec, request.crf, request.preset, request.output)
    source = open_source(request.source, rate=request.rate)
    swapper = _prepare(request, source)
    total = source.frames

    def change(frame: Frame) -> Picture | None:
        picture = swapper.change(frame)
        progress("convert", frame.number, None if total is None else max(total, frame.number))
        return picture

    metadata = {**METADATA, **request.metadata}
    made = rewrite(source, request.output, change, metadata=metadata, encoding=encoding)
    if request.contact_sheet is not None and swapper.pairs:
        save_picture(request.contact_sheet, contact_sheet(swapper.pairs))
    if request.side_by_side is not None:
        _write_side_by_side(request, source, progress)
    sound = source.has_sound and bool(request.output.suffix)
    return ConvertResult(request.output, made.frames, swapper.swapped, swapper.face_count, sound, made.left_out)


def _check_options(request: ConvertRequest) -> None:
    check_options(request.options, ("side", "draw"), "The embedded engine's convert")
    known = (
        ("mask", request.mask, MASKS),
        ("color", request.color, tuple(COLOURS)),
        ("writer", request.writer, ("ffmpeg",)),
        ("side", request.options.get("side", "a"), ("a", "b")),
        ("draw", request.options.get("draw", "b"), ("a", "b")),
    )
    for option, value, values in known:
        if value not in values:
            raise EngineError(
                f"The embedded engine has no {option} {value!r}, only {', '.join(values)}. "
                "Choose one of them, or leave it out: galloway convert"
            )


def _prepare(request: ConvertRequest, source: Source) -> _Swapper:
    saved = load_model(request.model_dir)
    if saved is None:
        raise EngineError(f"{request.model_dir} holds no trained model. Train one: galloway train")
    state, arrays = saved
    faces = _steadied(_faces(request, source), source)
    model = SwapModel(state.kind, state.size, state.seed)
    model.from_arrays(arrays)
    samples = _sample_numbers(request, source, faces)
    ways = request.options.get("side", "a"), request.options.get("draw", "b")
    return _Swapper(request, model, faces, samples, *ways)


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
    numbers = _numbers(faces, source)
    smooth = steadied({number: faces[name] for name, number in numbers.items()})
    return {**faces, **{name: smooth[number] for name, number in numbers.items()}}


def _numbers(faces: dict[str, list[FaceAlignment]], source: Source) -> dict[str, int]:
    """The numbers of the frames that have faces, in their order."""
    if source.is_video:
        prefix = f"{source.path.stem}_"
        return {name: int(name[len(prefix) :][:6]) for name in sorted(faces) if name.startswith(prefix)}
    from ....curation.files import picture_files

    return {path.name: n for n, path in enumerate(picture_files(source.path), start=1) if path.name in faces}


def _sample_numbers(request: ConvertRequest, source: Source, faces: dict[str, list[FaceAlignment]]) -> frozenset[int]:
    """The frames of the contact sheet: spread evenly over those that will be swapped."""
    numbers = list(_numbers(faces, source).values())
    numbers = [number for number in numbers if _wanted(request, number)]
    if not numbers:
        return frozenset()
    places = np.linspace(0, len(numbers) - 1, min(SHEET_FRAMES, len(numbers))).round().astype(int)
    return frozenset(numbers[place] for place in places)


def _write_side_by_side(request: ConvertRequest, source: Source, progress: Progress) -> None:
    """Original on the left, converted on the right, with the sound."""
    assert request.side_by_side is not None
    converted = open_source(request.output)
    after = converted.read()

    def beside(frame: Frame) -> Picture:
        # An odd size was made even by one row or column.
        new = next(after).image[: frame.image.shape[0], : frame.image.shape[1]]
        progress("side by side", frame.number, source.frames)
        return np.concatenate([frame.image, new], axis=1)

    rewrite(source, request.side_by_side, beside, metadata=METADATA, size=(2 * source.width, source.height))
