"""Which few faces say most about many: those whose patches are found again on the most of the others.

What is painted on a face is looked for patch by patch on the others (`engines.embedded.occlusion.matched`), so those
are painted that together show the most of what the others show (maximum coverage, one after another: Nemhauser, Wolsey
and Fisher 1978).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...curation.faceset.png.headers import read_png
from ..engines.align import head_matrix, hull_mask, transform_points, warp
from ..engines.embedded.data import canvas_matrix
from ..engines.embedded.occlusion.patches import FITTING, patch_fits

__all__ = ["Small", "small_face", "telling"]

_SEEN_AT, _SIDE = 96, 24
_WAY, _PATCH, _STILL = 2, 3, 8.0
"""As `matched` looks for patches, in pixels that are four times as large."""


@dataclass(frozen=True, slots=True)
class Small:
    """A face's canvas, `picture` uint8 (24, 24, 3), and which of its pixels are `face`, bool (24, 24)."""

    picture: NDArray[np.uint8]
    face: NDArray[np.bool_]


def small_face(path: Path) -> Small:
    """The face of a face PNG."""
    header, picture = read_png(path)
    marks = transform_points(head_matrix(header.alignment.landmarks, len(picture)), header.alignment.landmarks)
    onto = canvas_matrix(marks, _SEEN_AT)
    canvas = Image.fromarray(warp(picture, onto, _SEEN_AT))
    hull = Image.fromarray(hull_mask(transform_points(onto, marks), (_SEEN_AT, _SEEN_AT), extended=True))
    canvas, hull = (part.resize((_SIDE, _SIDE), Image.Resampling.BOX) for part in (canvas, hull))
    return Small(np.asarray(canvas), np.asarray(hull) > 127)


def telling(
    faces: Sequence[Small], count: int, before: Sequence[int] = (), among: Sequence[int] | None = None
) -> list[int]:
    """`count` numbers of `faces`, `among` some or all, that with those `before` show the most of what all show; one
    after another, the best first, and where two show as much, the first."""
    free = sorted(set(range(len(faces)) if among is None else among) - set(before))
    shown = _shown(faces)
    left = ~shown[list(before)].any(axis=0)
    chosen: list[int] = []
    for _ in range(min(count, len(free))):
        best = free.pop(int(np.argmax([np.count_nonzero(shown[face] & left) for face in free])))
        left &= ~shown[best]
        chosen.append(best)
    return chosen


def _shown(faces: Sequence[Small]) -> NDArray[np.bool_]:
    """Which pixels of all faces each of them shows, too: (n, all pixels)."""
    pictures = np.stack([face.picture for face in faces])
    shown = np.zeros((len(faces), len(faces), _SIDE, _SIDE), np.bool_)
    for row, face in enumerate(faces):
        for _, fits in patch_fits(face.picture, pictures, _WAY, _PATCH, _STILL):
            shown[:, row] |= (fits < FITTING) & face.face
    return shown.reshape(len(faces), -1)
