"""Reading the mark of a film: what `engines/mark` put into its pixels, after encoding, scaling and cropping.

Frames lose their own picture (a blurred copy is taken off, what is left is divided by its roughness) and are added up;
the tile's size shows where the sum repeats itself, and is tried finely around there. A payload counts only when the
known chips stand `_CERTAIN` standard deviations out of chance, as they do without a mark at one shift in 10**9 (one
film in 400, over all shifts and sizes), and one of 256 readings agrees with its 24 bits of checksum (of those one in
2**16): a false reading in some 25 million films.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..engines.frames import Frame, open_source
from ..engines.mark import chip_size
from ..engines.mark_code import TILE, payload_of, shift_of

__all__ = ["read_mark", "read_mark_of"]

_CERTAIN = 6
_LIKELY = 4.3
_SMALLEST, _LARGEST = 90, 1200
"""Pixels along a tile's edge: what is looked for."""
_AT_ONCE = 40
"""Frames that are added up before a reading is tried; then twice as many, until `_FRAMES` were seen."""
_FRAMES = 320
_APART = 3
"""Of so many frames one is looked at: neighbours show nearly the same."""
Picture = NDArray[np.float32]


def read_mark(path: Path) -> int | None:
    """The payload in the frames of a video or a folder of pictures, None where none can be read. Raises EngineError for
    what is neither."""
    return read_mark_of(islice(open_source(path).read(), 0, None, _APART))


def read_mark_of(frames: Iterable[Frame]) -> int | None:
    """The payload in some frames of one film."""
    for total in _sums(frames):
        if (found := _payload(total)) is not None:
            return found
    return None


def _sums(frames: Iterable[Frame]) -> Iterator[Picture]:
    """What frames have in common beside their pictures: of each stretch by itself, since a mark that begins late would
    drown in what came before, and of all together."""
    whole: Picture | None = None
    part: Picture | None = None
    for number, frame in enumerate(islice(frames, _FRAMES), 1):
        rest = _rest(_brightness(frame))
        if whole is not None and rest.shape != whole.shape:
            continue
        whole = rest if whole is None else whole + rest
        part = rest.copy() if part is None else part + rest
        if number % _AT_ONCE == 0:
            yield part
            part = None
            if number & number - _AT_ONCE == 0 and number > _AT_ONCE:
                yield whole
    yield from (total for total in (part, whole) if total is not None)


def _brightness(frame: Frame) -> Picture:
    if frame.native is not None:
        return np.asarray(frame.native.reformat(format="gray").to_ndarray(), np.float32)
    return frame.image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _rest(brightness: Picture) -> Picture:
    fine = brightness - ndimage.uniform_filter(brightness, 11)
    return np.asarray(fine / (np.sqrt(np.maximum(ndimage.uniform_filter(fine * fine, 21), 0)) + 1.5))


def _payload(total: Picture) -> int | None:
    for across, down in _sizes(total):
        score, across, down = _refined(total, across, down)
        if score >= _CERTAIN:
            folded = _folded(total, across, down)
            if (found := payload_of(folded, shift_of(folded)[1])) is not None:
                return found
    return None


def _sizes(total: Picture) -> Iterator[tuple[float, float]]:
    """Sizes of a tile (width, height in pixels) that may be the right ones, likely ones first."""
    height, width = total.shape
    tried = [float(TILE * chip_size(width, height))]
    yield tried[0], tried[0]
    again = _repeats(total)
    for size in (*_peaks(again[0, : width * 3 // 4]), *_peaks(again[: height * 3 // 4, 0])):
        if min(abs(size - before) for before in tried) > 1:
            tried.append(size)
            yield size, size


def _repeats(total: Picture) -> NDArray[np.float64]:
    """How alike the picture is to itself, by how far it is moved (rows, columns); all frequencies count alike."""
    height, width = total.shape
    size = 2 * height, 2 * width
    strong = np.abs(np.fft.rfft2(total, size))
    even = (strong / (ndimage.uniform_filter(strong, 31) + 1e-6)) ** 2
    return np.asarray(np.fft.irfft2(even - ndimage.uniform_filter(even, 31), size))


def _peaks(again: NDArray[np.float64], most: int = 3) -> list[float]:
    """Where a line repeats itself most, in pixels."""
    line = ndimage.uniform_filter1d(again, 3)[:_LARGEST]
    if len(line) <= _SMALLEST:
        return []
    line[:_SMALLEST] = -np.inf
    found = []
    for _ in range(most):
        best = int(np.argmax(line))
        found.append(float(best))
        line[max(0, best - 4) : best + 5] = -np.inf
    return found


def _refined(total: Picture, across: float, down: float) -> tuple[float, float, float]:
    """The size near a given one at which the known chips stand out most, and how far."""
    near = [(across + 0.4 * step, down + 0.4 * step) for step in range(-3, 4)]
    best = max((shift_of(_folded(total, *size))[0], *size) for size in near)
    for step in (0.3, 0.1) if best[0] >= _LIKELY else ():
        near = [(best[1] + x * step, best[2] + y * step) for x in range(-2, 3) for y in range(-2, 3)]
        best = max(best, *((shift_of(_folded(total, *size))[0], *size) for size in near))
    return best


def _folded(total: Picture, across: float, down: float) -> NDArray[np.float64]:
    """All tiles of a picture on top of each other, (TILE, TILE), where a tile is `across` × `down` pixels."""
    rows, columns = _places(total.shape[0], down), _places(total.shape[1], across)
    summed = rows.T @ total @ columns
    return np.asarray(summed / np.maximum(np.outer(rows.sum(axis=0), columns.sum(axis=0)), 1e-6), np.float64)


def _places(length: int, size: float) -> Picture:
    """Into which chips each pixel of a line falls, and with which share, (length, TILE)."""
    at = (np.arange(length) + 0.5) * TILE / size - 0.5
    low = np.floor(at).astype(int)
    share = (at - low).astype(np.float32)
    placed = np.zeros((length, TILE), np.float32)
    pixels = np.arange(length)
    placed[pixels, low % TILE] += 1 - share
    placed[pixels, (low + 1) % TILE] += share
    return placed
