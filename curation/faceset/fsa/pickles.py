"""Load pickles of plain values and NumPy arrays; refuse everything else.

Two walls: `opcodes.walk` bounds what the pickle may do and cost, then the unpickler's allow-list turns the few known
global names into tokens of ours, so that not even NumPy's own reconstructors run on a stranger's bytes. A token can
be called but not changed; an `Array` checks shape against bytes before any memory is taken.
"""

from __future__ import annotations

import io
import math
import pickle
import re
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ...errors import FormatError, UnsafeFile
from .opcodes import DEFAULT_BOUNDS, Bounds, walk

__all__ = ["Array", "load_pickle", "plain"]

_KINDS = re.compile(r"^[<>|=]?(?:[iu][1248]|f[248]|b1|\?)$")


class _Token:
    """Stands for an allowed global. Has no state, so a pickle's BUILD cannot change it."""

    __slots__ = ()

    def __setstate__(self, _state: object) -> NoReturn:
        raise UnsafeFile("changes a function")


class _DType:
    """A plain numeric dtype under construction."""

    __slots__ = ("code", "order")

    def __init__(self, code: str) -> None:
        self.code, self.order = code, ""

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 5 or state[1] not in ("<", ">", "|", "="):
            raise UnsafeFile("holds an array type with a state of its own")
        if any(part is not None for part in state[2:5]):
            raise UnsafeFile("holds a structured array")
        self.order = state[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.code if self.order in ("", "|", "=") else self.order + self.code.lstrip("<>|="))


class Array:
    """A NumPy array as the pickle describes it: checked, copied by nobody."""

    __slots__ = ("dtype", "fortran", "raw", "shape")

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = (0,)
        self.dtype = np.dtype(np.uint8)
        self.fortran = False
        self.raw: bytes = b""

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise UnsafeFile("holds an array without a shape")
        _version, shape, dtype, fortran, raw = state
        self._fill(shape, dtype, bool(fortran), raw)

    def _fill(self, shape: Any, dtype: Any, fortran: bool, raw: Any) -> None:
        if not isinstance(dtype, _DType) or not isinstance(raw, bytes | bytearray):
            raise UnsafeFile("holds an array of Python objects")
        if not isinstance(shape, tuple) or len(shape) > 8 or not all(type(n) is int and n >= 0 for n in shape):
            raise UnsafeFile("holds an array with an absurd shape")
        if math.prod(shape) * dtype.dtype.itemsize != len(raw):
            raise UnsafeFile(f"holds an array of shape {shape} in {len(raw)} bytes")
        self.shape, self.dtype, self.fortran, self.raw = shape, dtype.dtype, fortran, bytes(raw)

    def array(self) -> NDArray[Any]:
        """The array, read-only."""
        return np.frombuffer(self.raw, self.dtype).reshape(self.shape, order="F" if self.fortran else "C")


class _NDArrayToken(_Token):
    __slots__ = ()


class _Reconstruct(_Token):
    __slots__ = ()

    def __call__(self, kind: Any, *_ignored: Any) -> Array:
        if not isinstance(kind, _NDArrayToken):
            raise UnsafeFile("rebuilds something that is no array")
        return Array()


class _DTypeToken(_Token):
    __slots__ = ()

    def __call__(self, code: Any, *_flags: Any) -> _DType:
        if not isinstance(code, str) or not _KINDS.match(code):
            raise UnsafeFile(f"holds an array of type {str(code)[:20]!r}")
        return _DType(code)


class _Scalar(_Token):
    __slots__ = ()

    def __call__(self, dtype: Any, raw: Any) -> Any:
        if not isinstance(dtype, _DType) or not isinstance(raw, bytes) or len(raw) != dtype.dtype.itemsize:
            raise UnsafeFile("holds a number that is none")
        return np.frombuffer(raw, dtype.dtype)[0].item()


class _FromBuffer(_Token):
    __slots__ = ()

    def __call__(self, raw: Any, dtype: Any, shape: Any, order: Any) -> Array:
        array = Array()
        array._fill(shape, dtype, order == "F", raw)
        return array


class _Encode(_Token):
    """`_codecs.encode(text, "latin1")`: how protocol 2 writes bytes."""

    __slots__ = ()

    def __call__(self, text: Any, codec: Any) -> bytes:
        if not isinstance(text, str) or codec not in ("latin1", "latin-1"):
            raise UnsafeFile("encodes something that is no text")
        return text.encode("latin1")


class _IntEnum(_Token):
    """DeepFaceLab's SampleType and FaceType: integers with a name."""

    __slots__ = ()

    def __call__(self, value: Any) -> int:
        if type(value) is not int:
            raise UnsafeFile("holds an enumeration that is no number")
        return value


_ALLOWED: dict[tuple[str, str], _Token] = {
    ("numpy", "ndarray"): _NDArrayToken(),
    ("numpy", "dtype"): _DTypeToken(),
    ("_codecs", "encode"): _Encode(),
    ("samplelib.Sample", "SampleType"): _IntEnum(),
    ("facelib.FaceType", "FaceType"): _IntEnum(),
    ("facelib", "FaceType"): _IntEnum(),
    **{
        (f"numpy.{core}.{module}", name): token
        for core in ("core", "_core")
        for module, name, token in (
            ("multiarray", "_reconstruct", _Reconstruct()),
            ("multiarray", "scalar", _Scalar()),
            ("numeric", "_frombuffer", _FromBuffer()),
        )
    },
}


class _Unpickler(pickle.Unpickler):
    """The C unpickler with an allow-list; persistent ids and extension codes are refused by `walk` already."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        token = _ALLOWED.get((module_name, global_name))
        if token is None:
            raise UnsafeFile(f"asks for {module_name}.{global_name}"[:120])
        return token


def load_pickle(data: bytes, *, name: str, bounds: Bounds = DEFAULT_BOUNDS) -> Any:
    """The value that `data` describes, with `Array` in place of NumPy arrays. Runs nothing that the pickle names.

    `name` is the file, for messages. Raises UnsafeFile for a pickle that wants to run something or to take more than
    `bounds`, FormatError for a damaged one.
    """
    if len(data) > bounds.raw:
        raise UnsafeFile(f"{name} holds {len(data):,} bytes, more than {bounds.raw:,}. It was not loaded.")
    walk(data, name=name, bounds=bounds)
    try:
        return _Unpickler(io.BufferedReader(io.BytesIO(data), 1 << 20)).load()
    except UnsafeFile as error:
        raise UnsafeFile(
            f"{name} {error}, which no faceset file does. Nothing was executed. Make the file anew with the program "
            "that wrote it."
        ) from None
    except (pickle.UnpicklingError, ValueError, TypeError, LookupError, AttributeError, EOFError) as error:
        raise FormatError(f"{name} is damaged ({error}). Restore it from its backup.") from None
    except (MemoryError, OverflowError, RecursionError):
        raise UnsafeFile(f"{name} takes more memory than there is. It was not loaded.") from None


def plain(value: Any) -> Any:
    """`value`, as an ndarray where it is an `Array`."""
    return value.array() if isinstance(value, Array) else value
