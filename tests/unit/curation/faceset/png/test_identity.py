"""Face ids: stable where they must be, different where they must be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from galloway.curation.faceset.png.identity import face_id, pixel_hash_v1
from galloway.curation.types import Side

from tests.support.faceset import alignment, header, picture


def test_id_survives_renaming_and_renumbering() -> None:
    first = header("clip_000004_1.png", "clip_000004.mp4", 1, alignment(1))
    moved = replace(first, source=replace(first.source, original_filename="clip_000004_0.png", face_index=0))
    assert face_id(Side.A, first, picture(1)) == face_id(Side.A, moved, np.asarray(picture(1)))


def test_id_differs_by_side_frame_and_pixels() -> None:
    one = header("a_0.png", "a.png", 0, alignment(1))
    other = header("a_0.png", "b.png", 0, alignment(1))
    ids = {
        face_id(Side.A, one, picture(1)),
        face_id(Side.B, one, picture(1)),
        face_id(Side.A, other, picture(1)),
        face_id(Side.A, one, picture(2)),
    }
    assert len(ids) == 4
    assert all(len(value) == 32 and set(value) <= set("0123456789abcdef") for value in ids)


def test_id_is_fixed_for_good() -> None:
    """Ids are in databases and open HITs: this value may never change."""
    one = header("a_0.png", "a.png", 0, alignment(1))
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert face_id(Side.A, one, pixels) == "0551448df2f7cb5aa3381ccb740ffc65"


def test_v1_hash_is_of_bgr_pixels() -> None:
    pixels = np.array([[[1, 2, 3]]], np.uint8)
    assert pixel_hash_v1(pixels) == "134aead1d2020adfb1d2352b1dffb2afd8fe0dc5"
