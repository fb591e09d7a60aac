"""Forty bits as a square of chips, and back: the code of the mark that a swapped film carries in its pixels.

A tile has 64 × 64 chips, each up or down. A quarter of them are the same in every film, so that a reader finds where a
tile begins; the others spell the payload and a checksum of 24 bits, eight bits at a time, each as one of 128 rows of a
Hadamard matrix or its opposite (a biorthogonal code: J. G. Proakis, Digital Communications, 5th ed., section 8.1). The
layout comes from SHA-256, so it is the same with every version of every library. It is public: whoever wants to can
read the mark, forge it or take it out. It finds the record of a film; the record's signature is what proves.
"""

from __future__ import annotations

import hashlib
import zlib
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hadamard

__all__ = ["BITS", "TILE", "mark_name", "payload_of", "shift_of", "tile"]

TILE = 64
"""Chips along a tile's edge."""
BITS = 40
"""Of a payload."""
_CHECK_BITS = 24
_SYMBOLS, _WORDS = 8, 128
_GUESSES = 2
"""Words that are tried for each symbol, since the checksum shows which is right."""
_CHIPS = TILE * TILE
_KNOWN = _CHIPS // 4
Chips = NDArray[np.float64]


class _Layout(NamedTuple):
    known: NDArray[np.int64]
    data: NDArray[np.int64]
    signs: Chips
    words: Chips


@lru_cache(maxsize=1)
def _layout() -> _Layout:
    """Which chips are the same in every film, which spell a symbol each (rows), all signs, a symbol's words."""
    drawn = b"".join(hashlib.sha256(f"galloway mark {block}".encode()).digest() for block in range(_CHIPS // 4))
    numbers = np.frombuffer(drawn, ">u8")
    order = np.argsort(numbers, kind="stable")
    data = order[_KNOWN:].reshape(_SYMBOLS, -1)
    words = np.kron(hadamard(_WORDS), np.ones(data.shape[1] // _WORDS))
    return _Layout(order[:_KNOWN], data, np.where(numbers & 1, 1.0, -1.0), words)


def mark_name(payload: int) -> str:
    """How a payload is written in records: hexadecimal digits."""
    return f"{payload:0{BITS // 4}x}"


def tile(payload: int) -> Chips:
    """The chips of a payload below 2**BITS, float64 (TILE, TILE), each 1 or −1."""
    layout = _layout()
    code = payload << _CHECK_BITS | _check(payload)
    chips = layout.signs.copy()
    for place, at in enumerate(layout.data):
        symbol = code >> 8 * place & 255
        chips[at] *= layout.words[symbol % _WORDS] * (1 if symbol < _WORDS else -1)
    return chips.reshape(TILE, TILE)


def shift_of(folded: Chips) -> tuple[float, tuple[int, int]]:
    """Where a tile begins in what was `folded` over all tiles of a picture, (TILE, TILE): how many standard deviations
    the known chips stand out of chance there, and the shift (rows, columns)."""
    at = _layout().known
    spectrum = np.fft.fft2(folded) * _known_spectrum()
    alike = np.fft.ifft2(spectrum).real / (np.sqrt((folded**2).mean() * len(at)) + 1e-12)
    best = int(np.argmax(alike))
    return float(alike.flat[best]), (best // TILE, best % TILE)


@lru_cache(maxsize=1)
def _known_spectrum() -> NDArray[np.complex128]:
    layout = _layout()
    known = np.zeros(_CHIPS)
    known[layout.known] = layout.signs[layout.known]
    return np.asarray(np.conj(np.fft.fft2(known.reshape(TILE, TILE))))


def payload_of(folded: Chips, shift: tuple[int, int]) -> int | None:
    """What a folded picture spells, None where the checksum agrees with none of the 256 likely readings."""
    layout = _layout()
    chips = np.roll(folded, (-shift[0], -shift[1]), (0, 1)).ravel() * layout.signs
    likely = []
    for place, at in enumerate(layout.data):
        alike = layout.words @ chips[at]
        best = np.argsort(-np.abs(alike))[:_GUESSES]
        likely.append([int(word if alike[word] > 0 else word + _WORDS) << 8 * place for word in best])
    for symbols in product(*likely):
        code = sum(symbols)
        payload = code >> _CHECK_BITS
        if code & (1 << _CHECK_BITS) - 1 == _check(payload):
            return payload
    return None


def _check(payload: int) -> int:
    return zlib.crc32(payload.to_bytes(BITS // 8, "big") + b"galloway") & (1 << _CHECK_BITS) - 1
