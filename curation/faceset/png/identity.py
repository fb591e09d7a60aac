"""A face's own id: from its side, its frame and its decoded pixels.

Neither the PNG's name nor `original_filename` nor `face_index` goes in: faceswap's `remove-faces` rewrites all three
when a face of the same frame is removed, and an id that is in open HITs must outlive that. Two crops of one frame
share an id only if every pixel is the same, and then they are the same face.
"""

from __future__ import annotations

from hashlib import blake2b, sha1

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...types import FaceId, Side
from .types import FaceHeader, FaceSource

__all__ = ["face_id", "pixel_hash_v1"]


def face_id(side: Side, header: FaceHeader | FaceSource, pixels: NDArray[np.uint8] | Image.Image) -> FaceId:
    """32 hex digits: BLAKE2b-128 of side, source frame and decoded RGB pixels.

    `pixels` is uint8 (height, width, 3) RGB or a Pillow image. The same face has another id on the other side.
    """
    source = header.source if isinstance(header, FaceHeader) else header
    array = np.ascontiguousarray(pixels.convert("RGB") if isinstance(pixels, Image.Image) else pixels, np.uint8)
    digest = blake2b(digest_size=16, person=b"galloway-face-1")
    for part in (side.value, source.source_filename, "x".join(map(str, array.shape))):
        digest.update(part.encode() + b"\0")
    digest.update(array.data)
    return FaceId(digest.hexdigest())


def pixel_hash_v1(pixels: NDArray[np.uint8]) -> str:
    """faceswap v1's `hash`: SHA-1 of the decoded BGR pixels. One changed pixel changes it; renames do not."""
    return sha1(np.ascontiguousarray(pixels[:, :, ::-1]).data, usedforsecurity=False).hexdigest()
