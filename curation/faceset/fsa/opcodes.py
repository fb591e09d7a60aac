"""Walk a pickle without running it: an allow-list of opcodes, and bounds on what loading it would cost.

`.fsa` files and DeepFaceLab metadata are pickles, and a pickle is a program. Before the C unpickler sees one, its
opcodes are walked here: only those that build plain values and NumPy arrays may occur, memo slots must be filled in
order (a single LONG_BINPUT can otherwise make the C unpickler allocate 64 GB), and the memory that loading would take
is added up and bounded. Opcodes: Python's `pickletools`, protocols 2 to 5.
"""

from __future__ import annotations

import pickle
import re
from dataclasses import dataclass, field

from ...errors import FormatError, UnsafeFile

__all__ = ["DEFAULT_BOUNDS", "SMALL_BOUNDS", "Bounds", "Tally", "extent", "run", "small_int_run", "walk"]


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


@dataclass(slots=True)
class Tally:
    """What a walk has seen so far.

    `memo` slots are filled; `cost` is an upper estimate of the memory that loading takes; `fetched` maps a memo slot
    to the offset of its last use; `framing` holds the offsets of FRAME opcodes (nine bytes each, without meaning);
    `explicit` says that slots were filled by number (protocols 2 and 3); `names` is the offset of the last opcode that
    asks for something by its name.
    """

    name: str
    bounds: Bounds
    memo: int = 0
    cost: int = 0
    explicit: bool = False
    names: int = 0
    fetched: dict[int, int] = field(default_factory=dict)
    framing: list[int] = field(default_factory=list)


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
    pickle.SETITEM: (1, 100),
    pickle.APPEND: (1, 16),
    pickle.REDUCE: (1, 160),
    pickle.BUILD: (1, 0),
    pickle.POP: (1, 0),
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
_BINGET, _LONG_BINGET, _FRAME = pickle.BINGET[0], pickle.LONG_BINGET[0], pickle.FRAME[0]
_STACK_GLOBAL = pickle.STACK_GLOBAL[0]
_BININT1, _EMPTY_LIST = pickle.BININT1[0], pickle.EMPTY_LIST[0]
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


def small_int_run(data: bytes, position: int) -> int:
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


def _after_global(data: bytes, position: int, name: str) -> int:
    """The offset after a GLOBAL opcode's two lines. What they name is checked when the pickle is loaded."""
    first = data.find(b"\n", position, position + 200)
    second = data.find(b"\n", first + 1, first + 200) if first > 0 else -1
    if second < 0:
        raise FormatError(f"{name} is cut short or damaged at byte {position}. Restore it from its backup.")
    return second + 1


def run(data: bytes, position: int, tally: Tally, *, value: bool = False, depth: int = 0) -> int:
    """Check opcodes from `position` on, adding to `tally`, and return the offset after the last one.

    Goes on to STOP; with `value`, stops where the mark that is opened first is closed again, or where `depth` marks
    that are open already are. Raises UnsafeFile for
    opcodes that could run code and for pickles past their bounds, FormatError for one that is cut short. Nothing is
    executed or built. One loop, because a hundred thousand faces are ten million opcodes.
    """
    length_of, cost_of, width_of, fetched = _LENGTH, _COST, _WIDTH, tally.fetched
    memo, cost, limit = tally.memo, tally.cost, tally.bounds.objects
    try:
        while True:
            code = data[position]
            length = length_of[code]
            if length:
                cost += cost_of[code]
                if code == _EMPTY_LIST:
                    pairs = _PAIRS.match(data, position)
                    if pairs:
                        count = (pairs.end() - position) // _PAIR_SIZE
                        position, memo, cost = pairs.end(), memo + count, cost + count * _PAIR_COST
                        continue
                position += length
            elif code == _MEMOIZE:
                memo += 1
                position += 1
            elif code == _BINGET:
                fetched[data[position + 1]] = position
                position += 2
            elif code == _LONG_BINGET:
                fetched[int.from_bytes(data[position + 1 : position + 5], "little")] = position
                position += 5
            elif width_of[code]:
                start = position + 1 + width_of[code]
                count = int.from_bytes(data[position + 1 : start], "little")
                cost += cost_of[code] + count
                position = start + count
            elif code == _MARK:
                depth += 1
                position += 1
                if depth > tally.bounds.depth:
                    raise UnsafeFile(
                        f"{tally.name} nests deeper than {tally.bounds.depth} levels. Nothing of it was loaded."
                    )
                if data[position] == _BININT1:
                    count = small_int_run(data, position)
                    position, cost = position + 2 * count, cost + 16 * count
            elif code in _CLOSERS:
                depth -= 1
                cost += 64
                position += 1
                if cost > limit:
                    raise _too_large(tally)
                if value and depth == 0:
                    break
            elif code in (_BINPUT, _LONG_BINPUT):
                width = 1 if code == _BINPUT else 4
                slot = int.from_bytes(data[position + 1 : position + 1 + width], "little")
                if slot > memo:
                    raise UnsafeFile(
                        f"{tally.name} fills memo slot {slot} before {memo}: a memory bomb. It was not loaded."
                    )
                memo, tally.explicit = max(memo, slot + 1), True
                position += 1 + width
            elif code == _STACK_GLOBAL:
                tally.names = position
                position += 1
            elif code == _GLOBAL:
                tally.names = position
                position = _after_global(data, position, tally.name)
            elif code == _FRAME:
                tally.framing.append(position)
                position += 9
            elif code == _STOP:
                position += 1
                break
            else:
                raise _refuse(data, position, tally.name)
    except IndexError:
        raise FormatError(f"{tally.name} is cut short at byte {len(data)}. Restore it from its backup.") from None
    if cost > limit:
        raise _too_large(tally)
    tally.memo, tally.cost = memo, cost
    return position


def _too_large(tally: Tally) -> UnsafeFile:
    return UnsafeFile(
        f"{tally.name} would take more than {tally.bounds.objects >> 20:,} MB to load. It was not loaded."
    )


def walk(data: bytes, *, name: str, bounds: Bounds = DEFAULT_BOUNDS) -> Tally:
    """Check a whole pickle; `name` is the file, for messages. Raises as `run` does."""
    tally = Tally(name, bounds)
    run(data, 0, tally)
    return tally


def extent(data: bytes, position: int) -> int:
    """The offset after the opcode at `position`, in a pickle that `run` has passed."""
    code = data[position]
    if _LENGTH[code]:
        return position + _LENGTH[code]
    if _WIDTH[code]:
        start = position + 1 + _WIDTH[code]
        return start + int.from_bytes(data[position + 1 : start], "little")
    if code == _GLOBAL:
        return _after_global(data, position, "pickle")
    return position + {_BINGET: 2, _BINPUT: 2, _LONG_BINGET: 5, _LONG_BINPUT: 5, _FRAME: 9}.get(code, 1)
