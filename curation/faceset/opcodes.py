"""Walk a pickle without running it: an allow-list of opcodes, and bounds on what loading it would cost.

`.fsa` files and DeepFaceLab metadata are pickles, and a pickle is a program. Before the C unpickler sees one, its
opcodes are walked here: only those that build plain values and NumPy arrays may occur, memo slots must be filled in
order (a single LONG_BINPUT can otherwise make the C unpickler allocate 64 GB), and the memory that loading would take
is added up and bounded. Opcodes: Python's `pickletools`, protocols 2 to 5.
"""

from __future__ import annotations

import pickle
import re
from dataclasses import dataclass

from curation.errors import FormatError, UnsafeFile

__all__ = ["DEFAULT_BOUNDS", "SMALL_BOUNDS", "Bounds", "Walked", "walk"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a pickle may cost: `raw` bytes after decompression, `objects` bytes of values, `depth` of open marks."""

    raw: int
    objects: int
    depth: int = 64


DEFAULT_BOUNDS = Bounds(raw=2 << 30, objects=6 << 30)
"""For alignments files: a hundred thousand faces of the v3 line take 0.6 GB raw and 2.6 GB of lists."""
SMALL_BOUNDS = Bounds(raw=16 << 20, objects=64 << 20)
"""For the metadata of one picture."""


@dataclass(frozen=True, slots=True)
class Walked:
    """What was seen: `end` is the offset after STOP, `memo` how many slots are filled, `objects` the bytes loading
    would take (an upper estimate), `callables` the globals named by GLOBAL opcodes (protocols 2 and 3)."""

    end: int
    memo: int
    objects: int
    callables: frozenset[tuple[str, str]]


# Opcode -> (its length in bytes with a fixed-size argument, bytes of memory that loading it may take).
_FIXED: dict[bytes, tuple[int, int]] = {
    pickle.NONE: (1, 0),
    pickle.NEWTRUE: (1, 0),
    pickle.NEWFALSE: (1, 0),
    pickle.BININT: (5, 32),
    pickle.BININT1: (2, 0),
    pickle.BININT2: (3, 32),
    pickle.BINFLOAT: (9, 24),
    pickle.EMPTY_DICT: (1, 232),
    pickle.EMPTY_LIST: (1, 88),
    pickle.EMPTY_TUPLE: (1, 0),
    pickle.TUPLE1: (1, 48),
    pickle.TUPLE2: (1, 56),
    pickle.TUPLE3: (1, 64),
    pickle.BINGET: (2, 0),
    pickle.LONG_BINGET: (5, 0),
    pickle.SETITEM: (1, 100),
    pickle.APPEND: (1, 16),
    pickle.STACK_GLOBAL: (1, 0),
    pickle.REDUCE: (1, 160),
    pickle.BUILD: (1, 0),
    pickle.POP: (1, 0),
    pickle.FRAME: (9, 0),
    pickle.PROTO: (2, 0),
}
# Opcode -> (width of its length field, memory beside the bytes themselves).
_COUNTED: dict[bytes, tuple[int, int]] = {
    pickle.SHORT_BINUNICODE: (1, 56),
    pickle.BINUNICODE: (4, 56),
    pickle.BINUNICODE8: (8, 56),
    pickle.SHORT_BINBYTES: (1, 40),
    pickle.BINBYTES: (4, 40),
    pickle.BINBYTES8: (8, 40),
    pickle.BYTEARRAY8: (8, 64),
    pickle.LONG1: (1, 32),
}
_MARK, _MEMOIZE, _STOP = pickle.MARK[0], pickle.MEMOIZE[0], pickle.STOP[0]
_BINPUT, _LONG_BINPUT, _GLOBAL = pickle.BINPUT[0], pickle.LONG_BINPUT[0], pickle.GLOBAL[0]
_CLOSERS = frozenset(b"".join((pickle.TUPLE, pickle.SETITEMS, pickle.APPENDS)))

_LENGTH = [0] * 256
_COST = [0] * 256
_WIDTH = [0] * 256
for _op, (_size, _cost) in _FIXED.items():
    _LENGTH[_op[0]], _COST[_op[0]] = _size, _cost
for _op, (_size, _cost) in _COUNTED.items():
    _WIDTH[_op[0]], _COST[_op[0]] = _size, _cost

# A v3 landmark pair, `] memo ( G.. G.. e`, as both lines' pickler writes it: 22 bytes, 68 times a face.
_PAIRS = re.compile(rb"(?:\]\x94\(G.{8}G.{8}e){4,80}", re.DOTALL)
_PAIR_SIZE, _PAIR_COST = 22, 88 + 48 + 16
_BYTES_RUN = 2048


def _small_int_run(data: bytes, position: int) -> int:
    """How many BININT1 opcodes follow `position` (at most 1,024 are looked at): v3's thumbnails are such runs."""
    opcodes = data[position : position + _BYTES_RUN : 2]
    run = len(opcodes) - len(opcodes.lstrip(pickle.BININT1))
    return min(run, (len(data) - position) // 2)


def _refuse(data: bytes, position: int, name: str) -> UnsafeFile:
    code = data[position]
    return UnsafeFile(
        f"{name} holds pickle opcode 0x{code:02x} at byte {position}, which no faceset file needs and which could "
        "run code. Nothing of it was loaded. Make the file anew with the program that wrote it."
    )


def _globals_line(data: bytes, position: int, name: str) -> tuple[tuple[str, str], int]:
    """The (module, name) of a GLOBAL opcode at `position`, and the offset after it."""
    first = data.find(b"\n", position, position + 200)
    second = data.find(b"\n", first + 1, first + 200) if first > 0 else -1
    if second < 0:
        raise FormatError(f"{name} is cut short or damaged at byte {position}. Restore it from its backup.")
    module = data[position + 1 : first].decode("utf-8", "replace")
    return (module, data[first + 1 : second].decode("utf-8", "replace")), second + 1


def walk(data: bytes, *, name: str, bounds: Bounds = DEFAULT_BOUNDS, start: int = 0) -> Walked:
    """Check every opcode of the pickle in `data[start:]`; `name` is the file, for messages.

    Raises UnsafeFile for opcodes that could run code and for pickles that would not fit `bounds`, FormatError for
    one that is cut short. Nothing is executed or built.
    """
    length_of, cost_of, width_of = _LENGTH, _COST, _WIDTH
    position, size, depth, memo, cost = start, len(data), 0, 0, 0
    seen: set[tuple[str, str]] = set()
    try:
        while True:
            code = data[position]
            length = length_of[code]
            if length:
                cost += cost_of[code]
                if code == 0x5D:  # EMPTY_LIST: maybe 68 landmarks
                    pairs = _PAIRS.match(data, position)
                    if pairs:
                        count = (pairs.end() - position) // _PAIR_SIZE
                        position, memo, cost = pairs.end(), memo + count, cost + count * _PAIR_COST
                        continue
                position += length
            elif code == _MEMOIZE:
                memo += 1
                position += 1
            elif width_of[code]:
                width = width_of[code]
                count = int.from_bytes(data[position + 1 : position + 1 + width], "little")
                cost += cost_of[code] + count
                position += 1 + width + count
            elif code == _MARK:
                depth += 1
                position += 1
                if depth > bounds.depth:
                    raise UnsafeFile(f"{name} nests deeper than {bounds.depth} levels. Nothing of it was loaded.")
                if data[position] == 0x4B:  # BININT1
                    run = _small_int_run(data, position)
                    position, cost = position + 2 * run, cost + 16 * run
            elif code in _CLOSERS:
                depth -= 1
                cost += 64
                position += 1
            elif code in (_BINPUT, _LONG_BINPUT):
                width = 1 if code == _BINPUT else 4
                slot = int.from_bytes(data[position + 1 : position + 1 + width], "little")
                if slot > memo:
                    raise UnsafeFile(f"{name} fills memo slot {slot} before {memo}: a memory bomb. It was not loaded.")
                memo = max(memo, slot + 1)
                position += 1 + width
            elif code == _GLOBAL:
                found, position = _globals_line(data, position, name)
                seen.add(found)
            elif code == _STOP:
                return Walked(position + 1, memo, cost, frozenset(seen))
            else:
                raise _refuse(data, position, name)
            if cost > bounds.objects:
                raise UnsafeFile(f"{name} would take more than {bounds.objects >> 20:,} MB to load. It was not loaded.")
    except IndexError:
        raise FormatError(f"{name} is cut short at byte {size}. Restore it from its backup.") from None
