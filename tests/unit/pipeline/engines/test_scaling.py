"""Pictures at another size: as Pillow has them, whatever their bands mean."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.pipeline.engines.scaling import scaled
from PIL import Image

from tests.support.engines import a_picture


@pytest.mark.parametrize(("width", "height"), [(200, 140), (87, 61), (333, 97)])
def test_it_is_what_pillow_makes(width: int, height: int) -> None:
    picture = a_picture(100, 70, seed=2)
    made = scaled(picture, width, height)
    wanted = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))
    assert made.shape == (height, width, 3)
    assert np.abs(made.astype(int) - wanted)[4:-4, 4:-4].mean() < 1.5


@pytest.mark.parametrize("bands", [1, 3, 4])
def test_each_band_is_scaled_by_itself_and_keeps_its_levels(bands: int) -> None:
    picture = np.empty((31, 45, bands), np.uint8)
    picture[:] = (0, 255, 7, 128)[:bands]
    for smooth in (True, False):
        made = scaled(picture, 90, 100, smooth=smooth)
        assert (made == picture[0, 0]).all()
