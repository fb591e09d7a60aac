"""Detection and landmarks, with the weights that packages ship."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest
import skimage
from galloway.pipeline.engines.base import EngineError
from galloway.pipeline.engines.embedded.detect import FaceFinder, _packaged, _suppress, centerface_file
from galloway.pipeline.engines.embedded.onnx import free_shapes
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

ASTRONAUT = Path(skimage.__file__).parent / "data" / "astronaut.png"
HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(threads=1)


def picture(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(
    ("path", "eyes", "mouth"),
    [(ASTRONAUT, ((206, 102), (247, 103)), (222, 145)), (HOPPER, ((226, 190), (304, 188)), (268, 278))],
)
def test_one_face_with_its_landmarks(
    finder: FaceFinder, path: Path, eyes: tuple[tuple[int, int], ...], mouth: tuple[int, int]
) -> None:
    faces = finder.find(picture(path))
    assert len(faces) == 1
    points = faces[0].landmarks
    assert points.shape == (68, 2)
    left, top, right, bottom = faces[0].box
    assert left < eyes[0][0] < eyes[1][0] < right
    assert top < mouth[1] < bottom
    found = (points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[48:60].mean(axis=0))
    for got, want in zip(found, (*eyes, mouth), strict=True):
        assert np.hypot(*(got - want)) < 0.07 * (right - left)


def test_pictures_of_any_size_one_after_another(finder: FaceFinder) -> None:
    full = picture(ASTRONAUT)
    for box in ((0, 0, 512, 512), (100, 0, 400, 301), (3, 1, 420, 330)):
        left, top, right, bottom = box
        faces = finder.find(full[top:bottom, left:right])
        assert len(faces) == 1
        assert abs(faces[0].box[0] + left - 182) < 12


def test_small_faces_are_passed_over(finder: FaceFinder) -> None:
    assert finder.find(picture(ASTRONAUT), min_size=200) == []


def test_an_empty_picture_has_no_face(finder: FaceFinder) -> None:
    assert finder.find(np.zeros((90, 160, 3), np.uint8)) == []


def test_missing_weights_name_the_remedy() -> None:
    with pytest.raises(EngineError, match=r"galloway\[embedded\]"):
        _packaged("no_such_package", "weights.onnx")


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100), st.floats(1, 50), st.floats(0, 1)), max_size=12))
def test_suppression_keeps_the_best_and_nothing_that_overlaps_it(boxes: list[tuple[float, ...]]) -> None:
    corners = np.array([(x, y, x + s, y + s) for x, y, s, _ in boxes], np.float32).reshape(-1, 4)
    scores = np.array([score for *_, score in boxes], np.float32)
    kept = _suppress(corners, scores)
    assert len(set(kept)) == len(kept)
    if boxes:
        assert scores[kept[0]] == scores.max()
    again = _suppress(corners[kept], scores[kept])
    assert again == list(range(len(kept)))


def test_freeing_a_model_is_idempotent_and_keeps_its_weights() -> None:
    model = centerface_file().read_bytes()
    freed = free_shapes(model)
    assert free_shapes(freed) == freed
    assert len(freed) > 0.95 * len(model)


@pytest.mark.parametrize("junk", [b"", b"\x08", b"not a model", b"\x3a\xff\xff\xff\xff\x0f", b"\x3a\x03\x5a\x01\x00"])
def test_what_is_no_model_is_refused(junk: bytes) -> None:
    with pytest.raises(ValueError, match="not an ONNX model"):
        free_shapes(junk)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_rewritten(junk: bytes) -> None:
    try:
        free_shapes(junk)
    except ValueError:
        return
