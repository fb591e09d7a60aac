"""A frame's faces as files: head crops with headers, thumbnails, and the line of the journal that says so."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from ....curation.faceset.png.headers import write_png
from ....curation.faceset.png.types import FaceHeader, FaceSource
from ..base import ExtractRequest
from ..frames import Frame, Source
from .chip import head_chip
from .detect import Detection, FaceFinder, Found
from .journal import Done, alignment_of

__all__ = ["write_frame"]

THUMBNAIL = 96
THUMBNAIL_QUALITY = 60
"""Size and JPEG quality of faceswap's own thumbnails."""
_GAP = 1.3
"""Crops are averaged in whole blocks first, to so many times a thumbnail's size at least: half the time."""


def write_frame(
    request: ExtractRequest, source: Source, frame: Frame, finder: FaceFinder, found: list[Found], stem: str
) -> Done:
    """Write the PNGs of a frame's faces, named `<stem>_<index>`; gives its line of the journal."""
    alignments, files = [], []
    for index, face in enumerate(_faces(frame, finder, found, request.min_size)):
        name = f"{stem}_{index}.png"
        # The journal keeps two decimals; a resumed run must write what an undisturbed one writes.
        landmarks = np.round(face.landmarks, 2)
        crop = Image.fromarray(head_chip(frame, landmarks, request.size))
        left, top, right, bottom = (round(edge) for edge in face.box)
        alignment = alignment_of((left, top, right - left, bottom - top), landmarks, _thumbnail(crop))
        where = FaceSource(name, index, frame.name, source.is_video, (frame.image.shape[0], frame.image.shape[1]))
        write_png(request.faces_dir / name, crop, FaceHeader(alignment, where))
        alignments.append(alignment)
        files.append(name)
    return Done(frame.number, frame.name, tuple(alignments), tuple(files))


def _faces(frame: Frame, finder: FaceFinder, found: list[Found], min_size: float) -> list[Detection]:
    """The faces with their landmarks, from left to right; of the frame, only what lies around each is looked at."""
    faces = []
    for (left, top, right, bottom), score in found:
        around = max(right - left, bottom - top)
        picture, (x, y) = frame.around((left - around, top - around), (right + around, bottom + around))
        for face in finder.detections(picture, [((left - x, top - y, right - x, bottom - y), score)], min_size):
            at = face.landmarks + np.array([x, y], np.float32)
            faces.append(Detection((left, top, right, bottom), score, at))
    return sorted(faces, key=lambda face: face.box)


def _thumbnail(crop: Image.Image) -> bytes:
    stream = io.BytesIO()
    small = crop.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BICUBIC, reducing_gap=_GAP)
    small.save(stream, "JPEG", quality=THUMBNAIL_QUALITY)
    return stream.getvalue()
