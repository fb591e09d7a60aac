"""Write alignments as a pickle stream, face by face, without building one Python object per number.

The two living faceswap lines differ in how they keep numbers: v2.3.0 as NumPy arrays (globals of
`numpy.core.multiarray`, the names that NumPy 1 and 2 both know), v3 as plain lists. Opcodes are written by hand so
that the file depends neither on the NumPy that happens to be installed here nor on holding the whole set in memory.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..png.types import Alignments, FaceAlignment, FrameFaces, Mask

__all__ = ["pickle_chunks"]

_BATCH = 1000
_CHUNK = 1 << 18


def _number(value: int | float) -> bytes:
    if isinstance(value, bool):
        return pickle.NEWTRUE if value else pickle.NEWFALSE
    if isinstance(value, float):
        return pickle.BINFLOAT + struct.pack(">d", value)
    if 0 <= value < 256:
        return pickle.BININT1 + bytes((value,))
    if -1 << 31 <= value < 1 << 31:
        return pickle.BININT + struct.pack("<i", value)
    return pickle.LONG1 + b"\x08" + struct.pack("<q", value)


def _text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogatepass")
    if len(raw) < 256:
        return pickle.SHORT_BINUNICODE + bytes((len(raw),)) + raw
    return pickle.BINUNICODE + struct.pack("<I", len(raw)) + raw


def _bytes(raw: bytes) -> bytes:
    if len(raw) < 256:
        return pickle.SHORT_BINBYTES + bytes((len(raw),)) + raw
    return pickle.BINBYTES + struct.pack("<I", len(raw)) + raw


def _int_list(values: bytes) -> bytes:
    """A list of small integers: `] ( K.. K.. e`, a thousand at a time."""
    pairs = np.empty((len(values), 2), np.uint8)
    pairs[:, 0] = pickle.BININT1[0]
    pairs[:, 1] = np.frombuffer(values, np.uint8)
    raw = pairs.tobytes()
    parts = [pickle.EMPTY_LIST]
    for start in range(0, len(raw), 2 * _BATCH):
        parts += (pickle.MARK, raw[start : start + 2 * _BATCH], pickle.APPENDS)
    return b"".join(parts)


def _float_list(values: NDArray[Any]) -> bytes:
    """A list of floats."""
    doubles = np.ascontiguousarray(values, ">f8")
    pairs = np.empty((doubles.size, 9), np.uint8)
    pairs[:, 0] = pickle.BINFLOAT[0]
    pairs[:, 1:] = doubles.reshape(-1, 1).view(np.uint8)
    return b"".join((pickle.EMPTY_LIST, pickle.MARK, pairs.tobytes(), pickle.APPENDS))


def _float_rows(values: NDArray[Any]) -> bytes:
    """A list of lists of floats, as `ndarray.tolist()` gives for two dimensions."""
    return b"".join((pickle.EMPTY_LIST, pickle.MARK, *(_float_list(row) for row in values), pickle.APPENDS))


class _Emitter:
    """Opcodes of one file. `memo` holds what is written once and fetched after that."""

    def __init__(self, dialect: str) -> None:
        self.lists = dialect == "v3"
        self.memo: dict[object, bytes] = {}

    def once(self, key: object, make: Callable[[], bytes]) -> bytes:
        """The opcodes of a shared value: written in full the first time, fetched from the memo later."""
        known = self.memo.get(key)
        if known is not None:
            return known
        opcodes = make()
        slot = len(self.memo)
        self.memo[key] = pickle.BINGET + bytes((slot,)) if slot < 256 else pickle.LONG_BINGET + struct.pack("<I", slot)
        return opcodes + pickle.MEMOIZE

    def key(self, name: str) -> bytes:
        return self.once(name, lambda: _text(name))

    def name(self, module: str, attribute: str) -> bytes:
        return self.once((module, attribute), lambda: self.key(module) + self.key(attribute) + pickle.STACK_GLOBAL)

    def dtype(self, code: str) -> bytes:
        order = "|" if code == "u1" else "<"

        def make() -> bytes:
            state = _number(3) + _text(order) + 3 * pickle.NONE + 2 * _number(-1) + _number(0)
            call = self.name("numpy", "dtype") + _text(code) + pickle.NEWFALSE + pickle.NEWTRUE + pickle.TUPLE3
            return call + pickle.REDUCE + pickle.MARK + state + pickle.TUPLE + pickle.BUILD

        return self.once(("dtype", code), make)

    def array(self, values: NDArray[Any], code: str) -> bytes:
        """An ndarray as `numpy.ndarray.__reduce__` describes it."""
        array = np.ascontiguousarray(values, "u1" if code == "u1" else f"<{code}")
        shape = b"".join(_number(n) for n in array.shape) + (pickle.TUPLE1, pickle.TUPLE2)[array.ndim - 1]
        call = self.name("numpy.core.multiarray", "_reconstruct")
        call += self.name("numpy", "ndarray") + _number(0) + pickle.TUPLE1 + _bytes(b"b") + pickle.TUPLE3
        call += pickle.REDUCE
        state = _number(1) + shape + self.dtype(code) + pickle.NEWFALSE + _bytes(array.tobytes())
        return call + pickle.MARK + state + pickle.TUPLE + pickle.BUILD

    def mapping(self, items: Sequence[tuple[str, Callable[[], bytes]]]) -> bytes:
        """A dict with shared keys. Values are made in order, because the memo is."""
        if not items:
            return pickle.EMPTY_DICT
        pairs = b"".join(self.key(key) + value() for key, value in items)
        return pickle.EMPTY_DICT + pickle.MARK + pairs + pickle.SETITEMS

    def mask(self, mask: Mask) -> bytes:
        matrix = mask.affine_matrix
        return self.mapping(
            (
                ("mask", lambda: _bytes(mask.data)),
                ("affine_matrix", lambda: _float_rows(matrix) if self.lists else self.array(matrix, "f8")),
                ("interpolator", lambda: _number(mask.interpolator)),
                ("stored_size", lambda: _number(mask.stored_size)),
                ("stored_centering", lambda: self.key(mask.stored_centering)),
            )
        )

    def thumb(self, thumb: bytes | None) -> bytes:
        if thumb is None:
            return pickle.NONE
        return _int_list(thumb) if self.lists else self.array(np.frombuffer(thumb, np.uint8), "u1")

    def face(self, face: FaceAlignment) -> bytes:
        masks = [(name, partial(self.mask, mask)) for name, mask in face.masks.items()]
        vectors = [(name, partial(_float_list, vector)) for name, vector in face.identity.items()]
        box = {"x": face.x, "y": face.y, "w": face.w, "h": face.h}
        return self.mapping(
            (
                *((key, partial(_number, box[key])) for key in ("xywh" if self.lists else "xwyh")),
                ("landmarks_xy", lambda: self.landmarks(face.landmarks)),
                ("mask", lambda: self.mapping(masks)),
                ("identity", lambda: self.mapping(vectors)),
                ("thumb", lambda: self.thumb(face.thumb)),
            )
        )

    def landmarks(self, points: NDArray[np.float32]) -> bytes:
        return _float_rows(points) if self.lists else self.array(points, "f4")

    def frame(self, frame: FrameFaces) -> bytes:
        meta = [(name, partial(_number, value)) for name, value in frame.video_meta.items()]
        return self.mapping((("faces", lambda: self.faces(frame.faces)), ("video_meta", lambda: self.mapping(meta))))

    def faces(self, faces: list[FaceAlignment]) -> bytes:
        if not faces:
            return pickle.EMPTY_LIST
        return pickle.EMPTY_LIST + pickle.MARK + b"".join(map(self.face, faces)) + pickle.APPENDS


def pickle_chunks(alignments: Alignments, dialect: str) -> Iterator[bytes]:
    """The pickle of an alignments file (`__meta__` and `__data__`), in pieces of about 256 KB.

    `dialect` is "v2.3" (NumPy arrays) or "v3" (plain lists); faceswap's two lines read both.
    """
    emitter = _Emitter(dialect)
    parts = [pickle.PROTO + b"\x04", pickle.EMPTY_DICT, pickle.MARK]
    parts += [emitter.key("__meta__"), emitter.mapping((("version", lambda: _number(float(alignments.version))),))]
    parts += [emitter.key("__data__"), pickle.EMPTY_DICT, pickle.MARK]
    size = 0
    for name, frame in alignments.frames.items():
        parts += (_text(name), emitter.frame(frame))
        size += len(parts[-1])
        if size >= _CHUNK:
            yield b"".join(parts)
            parts, size = [], 0
    parts += [pickle.SETITEMS, pickle.SETITEMS, pickle.STOP]
    yield b"".join(parts)
