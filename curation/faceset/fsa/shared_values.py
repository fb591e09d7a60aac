"""Which opcodes of a cut face define a value that other faces fetch from the memo.

The first face of a file defines the dict keys, the dtypes and NumPy's functions for all others. When that face is
removed, those definitions, and nothing else of it, must stay.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .opcodes import extent

__all__ = ["Definition", "definitions", "names_asked_for"]

_LARGEST = 512
"""A shared value longer than this is none of the known ones (keys, dtypes, functions)."""

_POPS = {
    pickle.TUPLE1[0]: 1,
    pickle.TUPLE2[0]: 2,
    pickle.TUPLE3[0]: 3,
    pickle.STACK_GLOBAL[0]: 2,
    pickle.REDUCE[0]: 2,
}
_DROPS = {pickle.BUILD[0]: 1, pickle.SETITEM[0]: 2, pickle.APPEND[0]: 1, pickle.POP[0]: 1}
_TO_MARK = {pickle.TUPLE[0]: True, pickle.SETITEMS[0]: False, pickle.APPENDS[0]: False}
_STRINGS = {pickle.SHORT_BINUNICODE[0]: 1, pickle.BINUNICODE[0]: 4, pickle.BINUNICODE8[0]: 8}
_GETS = (pickle.BINGET[0], pickle.LONG_BINGET[0])
_CONTAINERS = (pickle.EMPTY_DICT[0], pickle.EMPTY_LIST[0])


@dataclass(frozen=True, slots=True)
class Definition:
    """`opcodes` push one value and fill memo slots `first` to `slot`, the last one with the value."""

    slot: int
    first: int
    opcodes: bytes


def _memoized(data: bytes, start: int, end: int, slot: int) -> Iterator[tuple[int, int, int]]:
    """(slot, start of the value's opcodes, end of them) for each MEMOIZE in `data[start:end]`."""
    stack: list[int] = []
    marks: list[int] = []
    position = start
    while position < end:
        code, after = data[position], extent(data, position)
        if code == pickle.MEMOIZE[0]:
            yield slot, stack[-1], after
            slot += 1
        elif code == pickle.MARK[0]:
            marks.append(len(stack))
        elif code in _TO_MARK:
            bottom = marks.pop()
            first = stack[bottom] if len(stack) > bottom else position
            del stack[bottom:]
            if _TO_MARK[code]:
                stack.append(first)
        elif code in _POPS:
            first = stack[-_POPS[code]]
            del stack[-_POPS[code] :]
            stack.append(first)
        elif code in _DROPS:
            del stack[-_DROPS[code] :]
        elif code not in (pickle.FRAME[0], pickle.PROTO[0]):
            stack.append(position)
        position = after


def definitions(data: bytes, start: int, end: int, slot: int, needed: Sequence[int]) -> Iterator[Definition | None]:
    """The definitions that fill the `needed` slots and those that they fetch themselves, in order of slots, outermost
    only; None for one that is a container or too long to be a shared constant. `slot` is the first that
    `data[start:end]` fills."""
    try:
        found = list(_memoized(data, start, end, slot))
    except IndexError:
        yield None
        return
    by_slot = {number: (begin, after) for number, begin, after in found}
    wanted = sorted(needed)
    ranges: list[tuple[int, int]] = []
    while wanted:
        number = wanted.pop()  # from the last to the first: a value fetches only what stands before it
        if ranges and ranges[-1][0] <= number:
            continue
        begin, after = by_slot[number]
        if data[begin] in _CONTAINERS or after - begin > _LARGEST:
            yield None
            return
        ranges.append((min(n for n, b, a in found if b >= begin and a <= after), number))
        wanted = sorted({*wanted, *(item for item in _fetched(data, begin, after) if item >= slot)})
    for first, number in reversed(ranges):
        begin, after = by_slot[number]
        yield Definition(number, first, _without_framing(data, begin, after))


def _fetched(data: bytes, start: int, end: int) -> Iterator[int]:
    """The memo slots that these opcodes fetch."""
    position = start
    while position < end:
        after = extent(data, position)
        if data[position] in _GETS:
            yield int.from_bytes(data[position + 1 : after], "little")
        position = after


def names_asked_for(data: bytes, last: int) -> Iterator[tuple[str, str] | None]:
    """(module, name) of everything that a pickle without numbered memo slots asks for up to the opcode at `last`; None
    for one whose two strings do not stand right before it."""
    texts: dict[int, str | None] = {}
    recent: list[str | None] = []
    slot, position = 0, 0
    while position <= last:
        code, after = data[position], extent(data, position)
        if code == pickle.MEMOIZE[0]:
            texts[slot] = recent[-1] if recent else None
            slot += 1
        elif code in _STRINGS:
            text = data[position + 1 + _STRINGS[code] : after].decode("utf-8", "replace")
            recent.append(text if len(text) < _LARGEST else None)
        elif code in _GETS:
            recent.append(texts.get(int.from_bytes(data[position + 1 : after], "little")))
        elif code == pickle.STACK_GLOBAL[0]:
            module, name = recent[-2:] if len(recent) > 1 else (None, None)
            yield None if module is None or name is None else (module, name)
            recent = [None]
        elif code == pickle.GLOBAL[0]:
            module, name = data[position + 1 : after - 1].decode("utf-8", "replace").split("\n")
            yield module, name
            recent = [None]
        elif code not in (pickle.FRAME[0], pickle.PROTO[0]):
            recent.append(None)
        del recent[:-2]
        position = after


def _without_framing(data: bytes, start: int, end: int) -> bytes:
    parts, position = [], start
    while position < end:
        after = extent(data, position)
        if data[position] != pickle.FRAME[0]:
            parts.append(data[position:after])
        position = after
    return b"".join(parts)
