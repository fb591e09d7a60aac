"""Crops from disk to observations: decode, look up or compute the embedding, measure. Resumable and interruptible."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..pictures import FACE_PIXELS, picture_pixels
from ..types import FaceId, Progress, no_progress
from .cache import EmbeddingCache
from .embed import DlibEmbedder, Embedded
from .observe import Embedder, Observation, observe, pixel_key
from .pixels import CENTRED, FacePlace, face_patch, measure

__all__ = ["Crop", "observe_crops", "read_pixels"]

_BATCH = 32
_POOL_FROM = 16 * _BATCH
"""Starting processes costs each a second or two of loading the models: not for fewer faces than this."""

_COPY_FRAMES, _COPY_BITS, _COPY_BENT = 8, 4, 0.12
"""Near-copies lie at most so many frames apart, differ in so many of 64 bits of the perceptual hash, and their
landmarks by such a share of the distance between the eyes."""

EmbedMany = Callable[[Sequence[NDArray[np.uint8]]], Sequence[Embedded]]


@dataclass(frozen=True, slots=True)
class Crop:
    """A face picture on disk. `landmarks` (68, 2) are in frame pixels (the header's), None where unknown; `size` is
    the face's smaller side in the frame, None: that of the picture."""

    face_id: FaceId
    path: Path
    source: str
    frame: int | None
    size: float | None = None
    landmarks: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class _Leader:
    """A crop that was embedded and may stand for those after it; `centre` is in frame pixels, `shape` (68, 2) counted
    from it."""

    key: str
    frame: int
    bits: int
    centre: NDArray[np.float32]
    shape: NDArray[np.float32]


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """RGB pixels (H, W, 3). Raises FacesetError for what is no picture, damaged or too large to be a face."""
    return picture_pixels(path, pixels=FACE_PIXELS, remedy="Remove it, or see: galloway faceset verify")


def observe_crops(
    crops: Sequence[Crop],
    *,
    cache: EmbeddingCache | None = None,
    embedder: Embedder | None = None,
    identity: bool = True,
    jobs: int = 1,
    place: FacePlace = CENTRED,
    progress: Progress = no_progress,
) -> list[Observation]:
    """Observe all crops, in order. What is in `cache` is not computed again; every 32 new faces are put there. Of a
    film's near-copies, which follow one another within a third of a second, one is embedded and stands for the others.

    `embedder` (default: dlib's) runs in this process; with `jobs` > 1 and the default embedder, in that many
    processes. Without `identity` no model is needed. A KeyboardInterrupt loses at most the last batch.
    """
    result: list[Observation] = []
    missing = len(crops) if identity else 0
    leaders = _Leaders(place)
    with _embedding(embedder, place, jobs if missing > _POOL_FROM else 1) as embed_many:
        for start in range(0, len(crops), _BATCH):
            batch = crops[start : start + _BATCH]
            pixels = [read_pixels(crop.path) for crop in batch]
            seen: list[Embedded | None] = [None] * len(batch)
            if identity:
                led = [leaders.leader(crop, picture) for crop, picture in zip(batch, pixels, strict=True)]
                seen = list(_looked_up(pixels, led, leaders.known, cache, embed_many))
            for crop, picture, embedded in zip(batch, pixels, seen, strict=True):
                result.append(_observed(crop, picture, embedded, place))
            progress("faces", len(result), len(crops))
    return result


def _observed(crop: Crop, pixels: NDArray[np.uint8], embedded: Embedded | None, place: FacePlace) -> Observation:
    return observe(
        crop.face_id,
        pixels,
        source=crop.source,
        frame=crop.frame,
        size=float(min(pixels.shape[:2])) if crop.size is None else crop.size,
        landmarks=crop.landmarks,
        embedded=embedded,
        place=place,
    )


class _Leaders:
    """Which crops are near-copies of an earlier one of their film; decided by the crops alone, so that a run that was
    interrupted decides the same."""

    def __init__(self, place: FacePlace) -> None:
        self._place = place
        self._last: dict[str, list[_Leader]] = {}
        self.known: dict[str, Embedded] = {}

    def leader(self, crop: Crop, pixels: NDArray[np.uint8]) -> str:
        """The pixel key of the crop that stands for this one; its own where it is like none."""
        key = pixel_key(pixels)
        if crop.frame is None or crop.landmarks is None:
            return key
        bits = measure(face_patch(pixels, None, self._place)).phash
        eyes = float(np.linalg.norm(crop.landmarks[36:42].mean(axis=0) - crop.landmarks[42:48].mean(axis=0)))
        centre = np.asarray(crop.landmarks.mean(axis=0), np.float32)
        shape = crop.landmarks - centre
        near = [item for item in self._last.get(crop.source, []) if abs(crop.frame - item.frame) <= _COPY_FRAMES]
        for item in near:
            moved = float(np.linalg.norm(centre - item.centre))
            bent = float(np.linalg.norm(shape - item.shape, axis=1).mean())
            if (bits ^ item.bits).bit_count() <= _COPY_BITS and moved <= eyes and bent <= _COPY_BENT * eyes:
                return item.key
        self._last[crop.source] = [*near, _Leader(key, crop.frame, bits, centre, shape)]
        return key


def _looked_up(
    pixels: list[NDArray[np.uint8]],
    led: list[str],
    leading: dict[str, Embedded],
    cache: EmbeddingCache | None,
    embed_many: EmbedMany,
) -> Iterator[Embedded]:
    keys = [pixel_key(picture) for picture in pixels]
    known = {key: found for key in keys if cache is not None and (found := cache.get(key)) is not None}
    # A leader that was known before its copies came is in `leading`; one of this batch is among the new.
    keys = [key if key in known else leader for key, leader in zip(keys, led, strict=True)]
    known |= {key: leading[key] for key in keys if key in leading}
    # A leader comes before its copies, so its own picture is the one that is kept here.
    new: dict[str, NDArray[np.uint8]] = {}
    for key, picture in zip(keys, pixels, strict=True):
        if key not in known:
            new.setdefault(key, picture)
    if new:
        fresh = dict(zip(new, embed_many(list(new.values())), strict=True))
        if cache is not None:
            cache.put_all(fresh.items())
        known |= fresh
    leading.update({key: known[key] for key in keys})
    return (known[key] for key in keys)


@contextmanager
def _embedding(embedder: Embedder | None, place: FacePlace, jobs: int) -> Iterator[EmbedMany]:
    if embedder is not None or jobs <= 1:
        one = embedder or DlibEmbedder(place)
        yield lambda pictures: [one(picture) for picture in pictures]
        return
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_start, initargs=(place,))
    try:
        yield lambda pictures: list(pool.map(_embed_here, pictures, chunksize=4))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_HERE: list[DlibEmbedder] = []


def _start(place: FacePlace) -> None:
    """A pool process makes its own embedder once; Ctrl-C is the parent's business."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _HERE.append(DlibEmbedder(place))


def _embed_here(pixels: NDArray[np.uint8]) -> Embedded:
    return _HERE[0](pixels)
