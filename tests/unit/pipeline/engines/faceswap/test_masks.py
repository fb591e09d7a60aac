"""Masks for v2.3.0: what is stored with them, and copies that follow the faces."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.curation.faceset.png.headers import read_png, write_png
from galloway.pipeline.engines.faceswap.masks import masked_faces
from galloway.pipeline.engines.landmark_masks import landmark_masks, resampling

from tests.support.faceset import alignment, header, picture

REAL = Path(__file__).parents[4] / "contract" / "golden_faceset" / "v2.3.0" / "before" / "clip_alignments.fsa"


@pytest.mark.parametrize(
    ("scale", "number"),
    [
        (2.0, 3),  # the face is half as large in the frame: cv2.INTER_AREA
        (1.0, 3),
        (0.5, 2),  # the face is twice as large in the frame: cv2.INTER_CUBIC
    ],
)
def test_a_mask_goes_back_into_its_frame_by_area_where_it_gets_smaller_else_cubic(scale: float, number: int) -> None:
    turn = np.array([[0.6, -0.8, 7.0], [0.8, 0.6, -3.0]])
    assert resampling(np.array([[scale, 0.0, 5.0], [0.0, scale, 9.0]])) == number
    assert resampling(turn * scale) == number


@pytest.mark.parametrize(("larger", "number"), [(1.0, 3), (1.9, 3), (2.1, 2)])
def test_what_decides_is_the_size_at_which_v2_draws_its_masks(larger: float, number: int) -> None:
    """The stored mask has 128 pixels, the drawn one 256: where that one is as large as the face, area ends."""
    points = alignment(1).landmarks
    matrix = landmark_masks(points)["components"].affine_matrix
    as_large = points * np.float32(np.sqrt(np.linalg.det(matrix[:, :2])) * larger)
    assert {mask.interpolator for mask in landmark_masks(as_large).values()} == {number}


def test_it_is_what_v2_stored_itself() -> None:
    faces = [face for frame in read_alignments(REAL).frames.values() for face in frame.faces]
    assert faces
    for face in faces:
        made = landmark_masks(face.landmarks)
        assert {name: made[name].interpolator for name in made} == {
            name: face.masks[name].interpolator for name in made
        }


def test_a_copy_with_masks_is_made_anew_where_another_face_stands_whatever_its_time(tmp_path: Path) -> None:
    """An undo brings a file back with the time that it had, which is before that of the copy of what stood between."""
    faces, copies, name = tmp_path / "faces", tmp_path / "copies", "clip_000001_0.png"
    faces.mkdir()
    face = alignment(1, masks=False, thumb=False)
    write_png(faces / name, picture(1), header(name, "clip_000001.mp4", 0, face))
    assert masked_faces(faces, copies, "v2.3.0") == copies
    first = (copies / name).stat()
    masked_faces(faces, copies, "v2.3.0")
    assert (copies / name).stat().st_ino == first.st_ino, "what is up to date is left"
    other = alignment(2, masks=False, thumb=False)
    write_png(faces / name, picture(2), header(name, "clip_000001.mp4", 0, other))
    os.utime(faces / name, ns=(0, 1_000_000_000))
    masked_faces(faces, copies, "v2.3.0")
    found, pixels = read_png(copies / name)
    assert np.array_equal(pixels, np.asarray(picture(2))) and np.array_equal(found.alignment.landmarks, other.landmarks)
    assert {"components", "extended"} <= set(found.alignment.masks)
