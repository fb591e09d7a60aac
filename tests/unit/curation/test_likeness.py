"""The perceptual hash against the package that others use."""

from __future__ import annotations

import imagehash
import numpy as np
import pytest
from galloway.curation.likeness import perceptual_hash
from PIL import Image


@pytest.mark.parametrize("size", [(8, 8), (32, 32), (112, 112), (301, 77)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_the_hash_is_bit_for_bit_imagehashs(size: tuple[int, int], mode: str) -> None:
    random = np.random.default_rng(size[0])
    rough = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8)).resize(size).convert(mode)
    assert (perceptual_hash(rough) == imagehash.phash(rough).hash.ravel()).all()
