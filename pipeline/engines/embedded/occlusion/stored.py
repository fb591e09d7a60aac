"""Occlusion masks in faceswap's files: what of each face is seen, under the name that faceswap gives to a user's masks.

`faceswap.py convert -M custom_face` and the manual tool of both lines read them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .....curation.faceset.png.headers import read_png
from .....curation.faceset.png.types import Alignments, FaceAlignment, Mask
from .....curation.types import Progress
from ...align import head_matrix, hull_mask, invert, mask_matrix, transform_points, warp
from ...landmark_masks import STORED_SIZE, resampling
from ..data import canvas_matrix, composed
from .net import SIDE, OcclusionNet
from .seen import seen_on_canvases

__all__ = ["MASK", "with_occlusion"]

MASK = "custom_face"
"""faceswap's name for a mask of the user's own in its "face" centring (v2.3.0 and master)."""
_AT_ONCE = 64
_NUMBERED = re.compile(r"(.+)_(\d{6,})\.[^.]+")
_LONG = 1000


def with_occlusion(found: Alignments, faces: Path, net: OcclusionNet, progress: Progress) -> tuple[Alignments, int]:
    """The alignments with a mask for every face whose PNG lies in `faces`, and how many those are. Other masks stay."""
    frames = {name: replace(frame, faces=list(frame.faces)) for name, frame in found.frames.items()}
    paths = sorted(path for path in faces.glob("*.png") if not path.name.startswith("."))
    waiting, done, masked = iter(paths), 0, 0
    while part := list(islice(waiting, _AT_ONCE)):
        for frame, index, mask in _masks(part, net):
            if frame in frames and index < len(frames[frame].faces):
                face = frames[frame].faces[index]
                frames[frame].faces[index] = replace(face, masks={**face.masks, MASK: mask})
                masked += 1
        done += len(part)
        progress("masks", done, len(paths))
    return replace(found, frames=frames), masked


def _masks(paths: list[Path], net: OcclusionNet) -> Iterator[tuple[str, int, Mask]]:
    """Frame, index in it and mask of each PNG that has 68 landmarks."""
    read = [read_png(path) for path in paths]
    usable = [(header, pixels) for header, pixels in read if header.alignment.landmarks.shape == (68, 2)]
    crops = [pixels for _, pixels in usable]
    marks = [[transform_points(head_matrix(h.alignment.landmarks, len(p)), h.alignment.landmarks)] for h, p in usable]
    moments = _moments([header.source.source_filename for header, _ in usable])
    for (header, _), seen in zip(usable, seen_on_canvases(net, crops, marks, None, moments), strict=True):
        yield header.source.source_filename, header.source.face_index, _mask(header.alignment, seen)


def _moments(frames: Sequence[str]) -> list[int]:
    """When frames with these names are shown: a video's by their numbers; all else, and another video's, long after."""
    found: list[int] = []
    film, start = "", 0
    for name in frames:
        numbered = _NUMBERED.fullmatch(name)
        of, number = (numbered[1], int(numbered[2])) if numbered else (name, 0)
        if of != film:
            film, start = of, max(found, default=0) + _LONG - number
        found.append(start + number)
    return found


def _mask(face: FaceAlignment, seen: NDArray[np.uint8]) -> Mask:
    """255 where the face is to be swapped: inside brows, forehead and jaw, and nothing before it."""
    matrix = mask_matrix(face.landmarks, STORED_SIZE)
    from_canvas = composed(matrix, invert(canvas_matrix(face.landmarks, SIDE)))
    covered = warp(255 - seen, from_canvas, STORED_SIZE)
    hull = hull_mask(transform_points(matrix, face.landmarks), (STORED_SIZE, STORED_SIZE), extended=True)
    pixels = np.minimum(hull, 255 - covered)
    return Mask(zlib.compress(pixels.tobytes()), matrix, resampling(matrix), STORED_SIZE, "face")
