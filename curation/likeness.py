"""The perceptual hash: 64 bits that stay nearly the same when a picture is resized, compressed or brightened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dct

__all__ = ["perceptual_hash"]

_SIDE = 8
_OVERSAMPLED = 4


def perceptual_hash(image: Image.Image) -> NDArray[np.bool_]:
    """The 64 bits of a picture, bool (64,): which of its lowest 8 by 8 frequencies are above their median.

    The pHash of Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions", bit for bit that of
    the package `imagehash` (`phash`), so that hashes of other tools compare.
    """
    side = _SIDE * _OVERSAMPLED
    pixels = np.asarray(image.convert("L").resize((side, side), Image.Resampling.LANCZOS), dtype=np.float64)
    low = dct(dct(pixels, axis=0), axis=1)[:_SIDE, :_SIDE]
    return np.asarray(low > np.median(low), dtype=np.bool_).ravel()
