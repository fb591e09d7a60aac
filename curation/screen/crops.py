"""Crops from disk to observations: decode, look up or compute the embedding, measure. Resumable and interruptible."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..pictures import FACE_PIXELS, picture_pixels
from ..spread import Spread, on_this_machine
from ..types import FaceId, Progress, no_progress
from .cache import EmbeddingCache
from .embed import DlibEmbedder, Embedded
from .observe import Embedder, Observation, observe, pixel_key
from .pixels import CENTRED, FacePlace, face_patch, measure

__all__ = ["Crop", "embed_some", "observe_crops", "read_pixels"]

_BATCH = 32
_CHUNK = 4
"""Faces of one task for a worker."""
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
    spread: Spread | None = None,
    place: FacePlace = CENTRED,
    progress: Progress = no_progress,
) -> list[Observation]:
    """Observe all crops, in order. What is in `cache` is not computed again; every 32 new faces are put there. Of a
    film's near-copies, which follow one another within a third of a second, one is embedded and stands for the others.

    `embedder` (default: dlib's) runs in this process; with `jobs` > 1 and the default embedder, in that many
    processes, or in the workers of `spread`. Without `identity` no model is needed. A KeyboardInterrupt loses at most
    the last batch, which is larger for more than four workers.
    """
    result: list[Observation] = []
    missing = len(crops) if identity else 0
    leaders = _Leaders(place)
    jobs = jobs if missing > _POOL_FROM else 1
    size = max(_BATCH, 2 * _CHUNK * (spread.workers if spread else jobs))
    with _embedding(embedder, place, jobs, spread if identity else None) as embed_many:
        for start in range(0, len(crops), size):
            batch = crops[start : start + size]
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
def _embedding(embedder: Embedder | None, place: FacePlace, jobs: int, spread: Spread | None) -> Iterator[EmbedMany]:
    if embedder is not None or (jobs <= 1 and spread is None):
        one = embedder or DlibEmbedder(place)
        yield lambda pictures: [one(picture) for picture in pictures]
    elif spread is not None:
        yield lambda pictures: _spread_over(spread, place, pictures)
    else:
        with on_this_machine(jobs) as processes:
            yield lambda pictures: _spread_over(processes, place, pictures)


def _spread_over(spread: Spread, place: FacePlace, pictures: Sequence[NDArray[np.uint8]]) -> list[Embedded]:
    tasks = [(place, list(pictures[start : start + _CHUNK])) for start in range(0, len(pictures), _CHUNK)]
    return [embedded for some in spread.in_order(embed_some, tasks) for embedded in some]


def embed_some(task: tuple[FacePlace, list[NDArray[np.uint8]]]) -> list[Embedded]:
    """What a worker makes of a few faces."""
    place, pictures = task
    embedder = DlibEmbedder(place)
    return [embedder(picture) for picture in pictures]
