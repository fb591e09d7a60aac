"""Skip a face in a pickle by what its neighbours look like.

One pickler writes every face with the same opcodes in the same order; only numbers, thumbnails and masks differ. A
`Template` is made from two faces that were walked opcode by opcode: regular expressions for what is fixed (opcodes,
memo references, lengths), and steps over counted bytes and runs of small integers for what is not. A face that matches
holds exactly the opcodes that were walked, so it is as safe as those were; one that does not is walked.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...files import GOOD_NAME
from .opcodes import Tally, extent, small_int_run

__all__ = ["FrameTemplate", "Template", "make_template"]

_INTEGERS = {pickle.BININT1[0], pickle.BININT2[0], pickle.BININT[0]}
_GETS = {pickle.BINGET[0]: 2, pickle.LONG_BINGET[0]: 5}
_BYTES = {pickle.SHORT_BINBYTES[0]: 1, pickle.BINBYTES[0]: 4}
_PLAIN = frozenset(
    pickle.NONE + pickle.NEWTRUE + pickle.NEWFALSE + pickle.EMPTY_DICT + pickle.EMPTY_LIST + pickle.EMPTY_TUPLE
    + pickle.TUPLE1 + pickle.TUPLE2 + pickle.TUPLE3 + pickle.TUPLE + pickle.SETITEM + pickle.SETITEMS + pickle.APPEND
    + pickle.APPENDS + pickle.REDUCE + pickle.BUILD + pickle.MEMOIZE + pickle.MARK
)  # fmt: skip
_INTEGER = b"(?:K.|M..|J.{4})"
_RUN = 16
"""From this many small integers in a row on, they are a thumbnail's, whose length varies."""
_WIDTHS = {pickle.SHORT_BINBYTES[0]: 1, pickle.BINBYTES[0]: 4}
_MARK, _BININT1, _APPENDS = pickle.MARK[0], pickle.BININT1[0], pickle.APPENDS[0]


@dataclass(frozen=True, slots=True)
class Template:
    """Steps over one face: a pattern, None for one counted bytes object, or "run" for the batches of a list of small
    integers. `memo` slots are filled and `slots` fetched by every face that matches; `cost` is that of the sample."""

    steps: tuple[re.Pattern[bytes] | str | None, ...]
    memo: int
    cost: int
    slots: tuple[int, ...]

    def skip(self, data: bytes, position: int) -> int:
        """The offset after the face at `position`; 0 where it does not match. Raises IndexError at the end of data."""
        for step in self.steps:
            if step is None:
                width = _WIDTHS.get(data[position], 0)
                if not width:
                    return 0
                start = position + 1 + width
                position = start + int.from_bytes(data[position + 1 : start], "little")
            elif isinstance(step, str):
                position = _after_run(data, position)
                if not position:
                    return 0
            else:
                match = step.match(data, position)
                if match is None:
                    return 0
                position = match.end()
        return position


class FrameTemplate:
    """A whole frame with one face that `template` fits: its name, `head` up to the face, the face, and `tail`."""

    def __init__(self, template: Template, head: bytes, tail: bytes) -> None:
        first, *rest = template.steps
        assert isinstance(first, re.Pattern)
        name = rb"\x8c(.)(" + GOOD_NAME + rb")\x94"
        self.start = re.compile(name + re.escape(head) + b"()" + first.pattern, re.DOTALL)
        if rest and isinstance(rest[-1], re.Pattern):
            rest[-1] = re.compile(rest[-1].pattern + b"()" + re.escape(pickle.APPEND + tail), re.DOTALL)
        else:
            rest.append(re.compile(b"()" + re.escape(pickle.APPEND + tail)))
        self.face = template
        self.rest = tuple(rest)
        self.memo = template.memo + 4  # name, dict and list of faces before it, video_meta after it

    def skip(self, data: bytes, position: int) -> tuple[str, int, int, int] | None:
        """(name, start of the face, its end, end of the frame) of the frame at `position`; None where it does not
        match. Raises IndexError at the end of data."""
        match = self.start.match(data, position)
        if match is None:
            return None
        count, name = match.group(1, 2)
        if count[0] != len(name):
            return None
        start, position = match.start(3), match.end()
        for step in self.rest:
            if step is None:
                width = _WIDTHS.get(data[position], 0)
                if not width:
                    return None
                begin = position + 1 + width
                position = begin + int.from_bytes(data[position + 1 : begin], "little")
            elif isinstance(step, str):
                position = _after_run(data, position)
                if not position:
                    return None
            else:
                match = step.match(data, position)
                if match is None:
                    return None
                position = match.end()
        return name.decode(), start, match.start(1) + 1, position


def _after_run(data: bytes, position: int) -> int:
    """The offset after `( K.. K.. e` once or more; 0 where there is none."""
    start = position
    while data[position] == _MARK and data[position + 1] == _BININT1:
        position += 1
        while data[position] == _BININT1:
            position += 2 * small_int_run(data, position)
        if data[position] != _APPENDS:
            return 0
        position += 1
    return position if position > start else 0


def _opcodes(data: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """(opcode, start, end) of each opcode in a span; a thumbnail's batches count as one, with opcode -1."""
    found: list[tuple[int, int, int]] = []
    position = start
    while position < end:
        if data[position] == _MARK and small_int_run(data, position + 1) >= _RUN:
            after = _after_run(data, position)
            if after:
                found.append((-1, position, after))
                position = after
                continue
        after = extent(data, position)
        found.append((data[position], position, after))
        position = after
    return found


def _pattern(data: bytes, code: int, start: int, end: int) -> bytes | None:
    """A regular expression for one opcode; None where faces with it cannot be skipped."""
    if code in _PLAIN:
        return re.escape(data[start:end])
    if code in _GETS:
        return re.escape(data[start:end])
    if code in _INTEGERS:
        return _INTEGER
    if code == pickle.BINFLOAT[0]:
        return b"G.{8}"
    return None


def _steps(
    data: bytes, one: list[tuple[int, int, int]], other: list[tuple[int, int, int]]
) -> Iterator[bytes | str | None]:
    """The steps of a template, patterns not yet joined. Raises LookupError where the two faces differ in kind."""
    if len(one) != len(other):
        raise LookupError
    for (code, start, end), (twin, twin_start, twin_end) in zip(one, other, strict=True):
        if code != twin and not (code in _INTEGERS and twin in _INTEGERS) and not (code in _BYTES and twin in _BYTES):
            raise LookupError
        if code == -1:
            yield "run"
        elif code in _BYTES:
            if code == twin and end - start == twin_end - twin_start:
                head = start + 1 + _BYTES[code]
                yield re.escape(data[start:head]) + b".{%d}" % (end - head)
            else:
                yield None
        else:
            pattern = _pattern(data, code, start, end)
            if pattern is None or (code in _GETS and data[start:end] != data[twin_start:twin_end]):
                raise LookupError
            yield pattern


def make_template(
    data: bytes, first: tuple[int, int], second: tuple[int, int], tally: Tally, cost: int
) -> Template | None:
    """The template of two faces (start, end) that were walked; None where they are not alike. `cost` is what one of
    them costs."""
    if any(start <= at < end for start, end in (first, second) for at in tally.framing[-64:]):
        return None
    one, other = _opcodes(data, *first), _opcodes(data, *second)
    joined: list[re.Pattern[bytes] | str | None] = []
    waiting: list[bytes] = []
    try:
        for step in _steps(data, one, other):
            if isinstance(step, bytes):
                waiting.append(step)
                continue
            if waiting:
                joined.append(re.compile(b"".join(waiting), re.DOTALL))
                waiting = []
            joined.append(step)
    except LookupError:
        return None
    if waiting:
        joined.append(re.compile(b"".join(waiting), re.DOTALL))
    slots = {int.from_bytes(data[start + 1 : end], "little") for code, start, end in one if code in _GETS}
    memo = sum(code == pickle.MEMOIZE[0] for code, _, _ in one)
    return Template(tuple(joined), memo, cost, tuple(slots))
