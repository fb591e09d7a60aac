"""The face network by onnxruntime gives dlib's own numbers."""

from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
import pytest
from galloway.curation.errors import ScreenError
from galloway.curation.screen.embed import DlibEmbedder, weights_folder
from galloway.curation.screen.resnet import CHIP, load_resnet, onnx_model
from PIL import Image
from skimage.data import astronaut

NAME = "dlib_face_recognition_resnet_model_v1.dat"


@pytest.fixture(scope="module")
def weights() -> Path:
    folder = weights_folder()
    assert folder is not None
    return folder / NAME


def test_a_chip_gets_the_numbers_that_dlib_gives_it(weights: Path) -> None:
    ours, theirs = load_resnet(weights), dlib.face_recognition_model_v1(str(weights))
    noise = np.random.default_rng(3).integers(0, 256, (CHIP, CHIP, 3), np.uint8)
    face = np.asarray(Image.fromarray(astronaut()[:200, 130:330]).resize((CHIP, CHIP)))
    for chip in (face, face[:, ::-1].copy(), noise, np.zeros_like(noise), np.full_like(noise, 255)):
        assert np.abs(ours(chip) - np.array(theirs.compute_face_descriptor(chip))).max() < 1e-5


def test_a_face_is_aligned_as_dlib_aligns_it(weights: Path) -> None:
    crop = np.ascontiguousarray(astronaut()[0:260, 100:360])
    seen = DlibEmbedder()(crop)
    shape = dlib.full_object_detection(
        dlib.rectangle(0, 0, 260, 260), [dlib.point(int(x), int(y)) for x, y in seen.landmarks]
    )
    theirs = dlib.face_recognition_model_v1(str(weights)).compute_face_descriptor(crop, shape)
    assert np.abs(seen.vector - np.array(theirs)).max() < 1e-5


@pytest.mark.parametrize("change", ["cut", "empty", "other"])
def test_another_file_is_named(weights: Path, tmp_path: Path, change: str) -> None:
    path = tmp_path / NAME
    data = weights.read_bytes()
    path.write_bytes({"cut": data[:1_000_000], "empty": b"", "other": data.replace(b"con_4", b"con_5")}[change])
    with pytest.raises(ScreenError, match=r"not dlib's face recognition network.*pip install"):
        onnx_model(path)
